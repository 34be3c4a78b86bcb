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
function breakEvenParts(even, name) {
  const density = 'defect_density_per_cm2';
  const points =
      list(even?.curve).filter((point) => isNumber(point?.[density]) && isNumber(point.wafer_usd));
  const facts = [
    ['below a defect density of', even?.[density], inUnit('/cm²')],
    ['below a price a wafer of', even?.wafer_usd, money]
  ].filter(([, value]) => isNumber(value));
  if (points.length + facts.length === 0) return [];
  const kinds = [
    ['a chip costs the same', 'wafer_usd', 'dram'],
    ['and its watts, to the end of its life', 'wafer_usd_owned', 'matrix']
  ].filter(([, key]) => points.some((point) => isNumber(point[key])));
  return [
    element(
        'h3', {},
        `Where ${asText(even.node) || name} wins` +
            (even.against ? ` over ${asText(even.against)}` : '')),
    facts.length > 0 &&
        element('dl', {class: 'facts'}, facts.map(([what, value,
                                                    format]) => fact(what, format(value)))),
    points.length > 0 && lineFigure({
      title: 'Price of a wafer at which they draw level',
      note: 'By the defect density; below the line it wins.',
      key: kinds.map(([what, , colour]) => [what, `var(--${colour})`]),
      lines: kinds.map(([what, key, colour]) => ({
                         name: what,
                         colour,
                         points: points.filter((point) => isNumber(point[key]))
                                     .map((point) => [point[density], point[key]])
                       })),
      across: {name: 'defects a cm²', format: count, scale: true},
      up: {format: shortMoney, min: 0},
      table: sortableTable(
          ['defects/cm²', ...kinds.map(([what]) => what)],
          points.map(
              (point) =>
                  [numberCell(point[density], count),
                   ...kinds.map(([, key]) => numberCell(point[key], money))]))
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
    ...breakEvenParts(foundries.break_even, names[1]),
  ].filter(Boolean);
}

/// What a volume of own chips does to the price of a token, beside chips that are bought.
function buyOrBuildFigure(choice) {
  const points = list(choice?.points).filter((point) => point?.volume > 0);
  if (points.length === 0) return undefined;
  const kinds = [['own', 'own silicon', 'sram'], ['bought', 'bought', 'matrix']];
  const lines = kinds.map(([key, name, colour]) => {
    const met = points.filter((point) => range(point[key]))
                    .map((point) => [point.volume, range(point[key])]);
    return {
      name,
      colour,
      points: met.map(([volume, {typical}]) => [volume, typical]),
      band: met.map(([volume, {low, high}]) => [volume, low, high])
    };
  });
  const log = needsLog(lines.flatMap((line) => line.points.map(([, usd]) => usd)));
  const lowest = Math.min(...lines.flatMap((line) => line.band.map(([, low]) => low)));
  const crossing = crossingOf(choice.crossing);
  return lineFigure({
    title: 'Buy or build',
    note: `Dollars a million tokens. ${crossing.text}`,
    key: kinds.map(([, name, colour]) => [name, `var(--${colour})`]),
    height: 320,
    lines,
    across: {
      name: 'own chips made',
      format: shortCount,
      log: needsLog(points.map(({volume}) => volume))
    },
    up: {format: shortMoney, log, min: log ? powerOfTenBelow(lowest) : 0},
    marks: isNumber(crossing.typical) ?
        [{value: crossing.typical, text: `${whole(crossing.typical)} chips`, colour: 'ink'}] :
        [],
    table: sortableTable(
        ['own chips', 'own, low', 'typical', 'high', 'bought, low', 'typical ', 'high '],
        points.map(
            (point) =>
                [numberCell(point.volume, whole),
                 ...kinds.flatMap(
                     ([key]) => ['low', 'typical', 'high'].map(
                         (side) => numberCell(range(point[key])?.[side], money)))])),
  });
}

/// Where own silicon becomes the cheaper, from {low, typical, high} that may lack any; in words.
function crossingOf(given) {
  const {low, typical, high} = isNumber(given) ? {typical: given} : members(given);
  const ends = [
    isNumber(low) && `${whole(low)} where own chips are cheap and bought ones dear`,
    isNumber(high) && `${whole(high)} the other way round`
  ].filter(Boolean);
  const usual = isNumber(typical) ? `Own silicon is cheaper from ${whole(typical)} chips on` :
      given === undefined ? '' :
                            'At typical prices the two never cross';
  return {typical, text: usual && `${[usual, ...ends].join('; ')}.`};
}

const BINDING = ['wafers', 'stacks', 'interposers', 'wanted'];
const bindingInk = (name) =>
    (BINDING.includes(name) ? seriesInk(BINDING.indexOf(name)) :
         name               ? 'vector' :
                              'other');

const dateOf = ({date}) => asText(date);

function supplyFigure(supply) {
  const dates = list(supply?.by_date).filter((entry) => isNumber(entry?.deliverable));
  if (dates.length === 0) return undefined;
  const met = [...new Set(dates.map((entry) => asText(entry.bound_by)))].filter(Boolean);
  const {date_d: days, bound_by: last} = members(supply.all);
  const all = isNumber(days) ?
      ` All that is wanted is there on day ${whole(days)}, after waiting for ${asText(last)}.` :
      '';
  return figure({
    title: 'Chips deliverable by a date',
    note: `The colour is what was short.${all}`,
    key: met.map((name) => [name, `var(--${bindingInk(name)})`]),
    height: 44 + 24 * dates.length,
    table: sortableTable(
        ['date', 'chips', 'bound by', 'more for buying what is missing'],
        dates.map(
            (entry) =>
                [cell(dateOf(entry)), numberCell(entry.deliverable, whole),
                 cell(asText(entry.bound_by)), numberCell(entry.missing_usd, money)])),
    option: (ink) => ({
      ...baseOption(ink),
      grid: {left: 8, right: 70, top: 8, bottom: 8, containLabel: true},
      xAxis: numericAxis(ink, {format: shortCount, min: 0}),
      yAxis: categoryAxis(ink, dates.map(dateOf)),
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
              dateOf(dates[dataIndex]), `${whole(dates[dataIndex].deliverable)} chips`,
              dates[dataIndex].bound_by && `bound by ${asText(dates[dataIndex].bound_by)}`)
        },
      }],
    }),
  });
}

function houseParts(houses) {
  const kinds = [['one', 'one house'], ['three', 'three houses']]
                    .filter(([key]) => list(houses?.[key]?.lines).some(isObject))
                    .map(([key, label]) => ({
                           label: asText(houses[key].name) || label,
                           house: houses[key],
                           lines: houses[key].lines.filter(isObject).map(
                               (line) => ({...line, name: asText(line.name), ...range(line)}))
                         }));
  if (kinds.length === 0) return [];
  const names = [...new Set(kinds.flatMap(({lines}) => lines.map(({name}) => name)))];
  const others =
      namesOf(kinds.map(({house}) => house))
          .filter(
              (key) => key !== 'name' &&
                  kinds.some(({house}) => ['number', 'string'].includes(typeof house[key])));
  return [
    stackedAmounts({
      title: 'One house for foundry, memory and package, or three',
      note: 'Dollars a chip; the line from every price at its low to every price at its high.',
      colours: new Map(names.map((name, i) => [name, seriesInk(i)])),
      rows: kinds.map(({label, lines}) => ({
                        label,
                        parts: lines.map(({name, typical}) => ({name, value: typical})),
                        low: sum(lines.map(({low}) => low)),
                        high: sum(lines.map(({high}) => high))
                      })),
      format: money,
      axisFormat: shortMoney,
      table: sortableTable(
          ['houses', 'line', 'low', 'typical', 'high', 'source'],
          kinds.flatMap(
              ({label, lines}) => lines.map(
                  (line) =>
                      [cell(label), cell(line.name), numberCell(line.low, money),
                       numberCell(line.typical, money), numberCell(line.high, money),
                       cell(asText(line.source))])))
    }),
    comparisonTable(
        kinds.map(({label}) => label),
        ['usd_per_chip', ...others.filter((key) => key !== 'usd_per_chip')].map(
            (key) => ({
              name: titleOfKey(key),
              values: kinds.map(({house}) => house[key]),
              format: formatOfKey(key)
            })))
  ];
}
