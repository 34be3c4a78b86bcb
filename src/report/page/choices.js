// What a house decides: two foundries for one design, buy or build, supply by date, one house or
// three.

/// A line with its band over the share that is made in the second foundry.
function overShare(points, key, title, format, axisFormat, names) {
  const rows = points.filter((point) => isNumber(point?.share) && range(point[key]));
  const typical = (point) => range(point[key]).typical;
  if (rows.every((point) => typical(point) === typical(rows[0]))) return undefined;
  const banded = rows.some((point) => spread(range(point[key]), format));
  return lineFigure({
    title,
    lines: [{
      name: title,
      colour: 'dram',
      points: rows.map((point) => [point.share, range(point[key]).typical]),
      band: banded &&
          rows.map((point) => [point.share, range(point[key]).low, range(point[key]).high])
    }],
    across: {name: `share made in ${names[1]}`, format: percent, min: 0, max: 1},
    up: {format: axisFormat, min: 0},
    height: 230
  });
}

/// Amounts by name over the share: wafers of each foundry.
function namedOverShare(points, key, title, names) {
  const rows = points.filter((point) => isNumber(point?.share) && isObject(point[key]));
  const kinds = [...new Set(rows.flatMap((point) => Object.keys(point[key])))];
  if (kinds.length === 0) return undefined;
  return lineFigure({
    title,
    key: keyOf(kinds),
    lines: kinds.map((name, i) => ({
                       name,
                       colour: seriesInk(i),
                       points: rows.map((point) => [point.share, point[key][name] ?? 0])
                     })),
    across: {name: `share made in ${names[1]}`, format: percent, min: 0, max: 1},
    up: {format: shortCount, min: 0},
    height: 230
  });
}

/// What a foundry without published numbers must reach to win: a wafer price for each defect
/// density.
function breakEvenParts(even, names) {
  const points =
      list(even?.curve)
          .filter((point) => isNumber(point?.defect_density) && isNumber(point.wafer_usd));
  const facts = [
    ['below a defect density of', even?.defect_density, (v) => `${digits(v)} /cm²`],
    ['below a price a wafer of', even?.wafer_usd, money]
  ].filter(([, value]) => isNumber(value));
  if (points.length + facts.length === 0) return [];
  const owned = points.filter((point) => isNumber(point.wafer_usd_owned));
  const kinds = [
    ['a chip costs the same', points, 'wafer_usd', 'dram'],
    ['owning it costs the same', owned, 'wafer_usd_owned', 'matrix']
  ].filter(([, met]) => met.length > 0);
  return [
    element('h3', {}, `Where ${asText(even.node) || names[1]} wins`),
    element(
        'dl', {class: 'facts'}, facts.map(([name, value, format]) => fact(name, format(value)))),
    points.length > 0 && lineFigure({
      title: 'Price of a wafer at which it draws level',
      note: 'By its defect density. Below the line it wins.',
      key: kinds.map(([name, , , colour]) => [name, `var(--${colour})`]),
      lines: kinds.map(
          ([name, met, key, colour]) =>
              ({name, colour, points: met.map((point) => [point.defect_density, point[key]])})),
      across: {name: 'defects a cm²', format: count, scale: true},
      up: {format: shortMoney, min: 0},
      table: sortableTable(
          ['defects/cm²', ...kinds.map(([name]) => name)],
          points.map(
              (point) =>
                  [numberCell(point.defect_density, count),
                   ...kinds.map(([, , key]) => numberCell(point[key], money))]))
    })
  ].filter(Boolean);
}

function foundriesParts(foundries) {
  const points = list(foundries?.points).filter(isObject);
  if (points.length === 0) return [];
  const made = [...new Set(points.flatMap((point) => Object.keys(members(point.wafers))))];
  const names = [
    asText(foundries.first) || made[0] || 'the first',
    asText(foundries.second) || made[1] || 'the second'
  ];
  const figures = [
    overShare(points, 'usd_per_chip', 'Dollars a chip', money, shortMoney, names),
    overShare(points, 'watts', 'Watts a chip', watts, watts, names),
    namedOverShare(points, 'wafers', 'Wafers', names),
    overShare(points, 'stacks', 'HBM stacks', whole, shortCount, names),
  ];
  return [
    element('h3', {}, `Two foundries: ${names[0]} and ${names[1]}`),
    element(
        'p', {class: 'note'},
        'The same design, a share of it made in the second foundry. Each foundry that makes any ' +
            'has its own masks and its own design to pay.'),
    ...withNumbers(
        figures, 'small',
        sortableTable(
            [
              'share', '$ low', '$ typical', '$ high', 'watts',
              ...made.map((name) => `wafers\n${name}`), 'stacks'
            ],
            points.map((point) => {
              const price = members(range(point.usd_per_chip));
              return [
                numberCell(point.share, percent), numberCell(price.low, money),
                numberCell(price.typical, money), numberCell(price.high, money),
                numberCell(point.watts, watts),
                ...made.map((name) => numberCell(members(point.wafers)[name], whole)),
                numberCell(point.stacks, whole)
              ];
            }))),
    ...breakEvenParts(foundries.break_even, names),
  ].filter(Boolean);
}

function buyOrBuildFigure(choice) {
  const points = list(choice?.points).filter((point) => point?.volume > 0);
  if (points.length === 0) return undefined;
  const kinds = [['own', 'own silicon', 'sram'], ['bought', 'bought', 'matrix']];
  const crossing = members(range(choice.crossing));
  const values =
      points.flatMap((point) => kinds.map(([key]) => range(point[key])?.typical)).filter(isNumber);
  const low =
      points.flatMap((point) => kinds.map(([key]) => range(point[key])?.low)).filter(isNumber);
  const log = needsLog(values);
  const never = choice.crossing !== undefined && !isNumber(crossing.typical);
  return lineFigure({
    title: 'Buy or build',
    note: isNumber(crossing.typical) ?
        `At typical prices own silicon is cheaper from ${whole(crossing.typical)} chips on` +
            (spread(crossing, whole) ? `; somewhere from ${spread(crossing, whole)}.` : '.') :
        never                        ? 'At typical prices the two never cross.' :
                                       undefined,
    key: kinds.map(([, name, colour]) => [name, `var(--${colour})`]),
    height: 320,
    lines: kinds.map(([key, name, colour]) => {
      const met = points.filter((point) => range(point[key]));
      return {
        name,
        colour,
        points: met.map((point) => [point.volume, range(point[key]).typical]),
        band: met.map((point) => [point.volume, range(point[key]).low, range(point[key]).high])
      };
    }),
    across: {name: 'chips', format: shortCount, log: needsLog(points.map(({volume}) => volume))},
    up: {format: shortMoney, log, min: log ? powerOfTenBelow(Math.min(...low)) : 0},
    marks: isNumber(crossing.typical) ?
        [{value: crossing.typical, text: `${whole(crossing.typical)} chips`, colour: 'ink'}] :
        [],
    table: sortableTable(
        ['chips', 'own, low', 'typical', 'high', 'bought, low', 'typical ', 'high '],
        points.map(
            (point) =>
                [numberCell(point.volume, whole),
                 ...kinds.flatMap(
                     ([key]) => ['low', 'typical', 'high'].map(
                         (side) => numberCell(range(point[key])?.[side], money)))])),
  });
}

const BINDING = ['wafers', 'stacks', 'interposers'];
const bindingInk = (name) =>
    (BINDING.includes(name) ? seriesInk(BINDING.indexOf(name)) :
         name               ? 'vector' :
                              'other');

function supplyFigure(supply) {
  const dates = list(supply?.by_date).filter((entry) => isNumber(entry?.deliverable));
  if (dates.length === 0) return undefined;
  const met = [...new Set(dates.map((entry) => asText(entry.bound_by)))].filter(Boolean);
  return figure({
    title: 'Chips deliverable by a date',
    note: 'The colour is what was short.',
    key: met.map((name) => [name, `var(--${bindingInk(name)})`]),
    height: 44 + 24 * dates.length,
    table: sortableTable(
        ['date', 'chips', 'bound by'],
        dates.map(
            (entry) =>
                [cell(asText(entry.date)), numberCell(entry.deliverable, whole),
                 cell(asText(entry.bound_by))])),
    option: (ink) => ({
      ...baseOption(ink),
      grid: {left: 8, right: 70, top: 8, bottom: 8, containLabel: true},
      xAxis: numericAxis(ink, {format: shortCount, min: 0}),
      yAxis: categoryAxis(ink, dates.map((entry) => asText(entry.date))),
      series: [{
        type: 'bar',
        barWidth: 15,
        data: dates.map((entry) => ({
                          value: entry.deliverable,
                          itemStyle: {color: ink[bindingInk(asText(entry.bound_by))]}
                        })),
        label:
            {show: true, position: 'right', color: ink.ink, formatter: ({value}) => whole(value)},
        tooltip: {
          formatter: ({dataIndex}) => tooltip(
              asText(dates[dataIndex].date), `${whole(dates[dataIndex].deliverable)} chips`,
              dates[dataIndex].bound_by && `bound by ${asText(dates[dataIndex].bound_by)}`)
        },
      }],
    }),
  });
}

function housesFigure(houses) {
  const kinds = [['one', 'one house'], ['three', 'three houses']].filter(
      ([key]) => list(houses?.[key]?.lines).length > 0);
  if (kinds.length === 0) return undefined;
  const linesOf = (key) =>
      houses[key].lines.map((line) => ({...line, name: asText(line.name), ...range(line)}));
  const names = [...new Set(kinds.flatMap(([key]) => linesOf(key).map(({name}) => name)))];
  const more = kinds.flatMap(
      ([key]) => Object.keys(houses[key]).filter((name) => isNumber(houses[key][name])));
  return [
    stackedAmounts({
      title: 'One house for foundry, memory and package, or three',
      note: 'Dollars a chip; the line from every price at its low to every price at its high.',
      colours: new Map(names.map((name, i) => [name, seriesInk(i)])),
      rows: kinds.map(([key, label]) => ({
                        label,
                        parts: linesOf(key).map(({name, typical}) => ({name, value: typical})),
                        low: sum(linesOf(key).map(({low}) => low)),
                        high: sum(linesOf(key).map(({high}) => high))
                      })),
      format: money,
      axisFormat: shortMoney,
      table: sortableTable(
          ['houses', 'line', 'low', 'typical', 'high', 'source'],
          kinds.flatMap(
              ([key, label]) => linesOf(key).map(
                  (line) =>
                      [cell(label), cell(line.name), numberCell(line.low, money),
                       numberCell(line.typical, money), numberCell(line.high, money),
                       cell(asText(line.source))])))
    }),
    more.length > 0 &&
        comparisonTable(
            kinds.map(([, label]) => label),
            [...new Set(more)].map((name) => ({
                                     name: name.replace(/_/g, ' '),
                                     values: kinds.map(([key]) => houses[key][name]),
                                     format: (value) => byKey(name, value)
                                   })))
  ].filter(Boolean);
}
