// Bills: dollars of a million tokens and of a chip, and what moves them.

const MOST_PARTS = SERIES.length;

/// The lines of every service's bill under one set of names: the largest by themselves, the rest
/// together.
function pricedParts(services) {
  const lines = services.flatMap(({usd_per_mtoken_lines: of}) => list(of).filter(isObject));
  const typicalOf = (line) => range(line)?.typical ?? 0;
  const names = [...new Set(lines.map(({name}) => asText(name)))];
  const size = new Map(names.map(
      (name) => [name, sum(lines.filter((line) => asText(line.name) === name).map(typicalOf))]));
  const large = names.length <= MOST_PARTS ?
      names :
      [...names].sort((a, b) => size.get(b) - size.get(a)).slice(0, MOST_PARTS - 1);
  const shown = names.filter((name) => large.includes(name));
  const colours = new Map(shown.map((name, i) => [name, seriesInk(i)]));
  if (large.length < names.length) colours.set('all else', 'other');
  return {
    colours,
    nameOf: (line) => (colours.has(asText(line.name)) ? asText(line.name) : 'all else')
  };
}

function priceBands(services) {
  const rows = services.map((service) => ({service, price: range(service.usd_per_mtoken)}))
                   .filter(({price}) => price);
  if (rows.length === 0) return undefined;
  const words = {
    title: 'Dollars per million tokens',
    note: 'Bars at typical prices; the lines from every price at its low to every price at its ' +
        'high.',
    format: money,
    axisFormat: shortMoney,
  };
  const {colours, nameOf} = pricedParts(services);
  if (colours.size === 0) {
    return barsWithRange({
      ...words,
      rows: rows.map(({service, price}) => ({name: asText(service.name), ...price})),
      colour: 'accent',
      caption: 'service'
    });
  }
  const linesOf = ({usd_per_mtoken_lines: of}) => list(of).filter(isObject);
  return stackedAmounts({
    ...words,
    colours,
    rows: rows.map(
        ({service, price}) => ({
          label: asText(service.name),
          parts: [...colours.keys()].map((name) => ({
                                           name,
                                           value: sum(linesOf(service)
                                                          .filter((line) => nameOf(line) === name)
                                                          .map((line) => range(line)?.typical))
                                         })),
          low: price.low,
          high: price.high
        })),
    table: sortableTable(
        ['service', 'line', 'low', 'typical', 'high', 'source'],
        rows.flatMap(
            ({service, price}) => [...linesOf(service), {name: 'in all', ...price}].map(
                (line) =>
                    [cell(asText(service.name)), cell(asText(line.name)),
                     ...['low', 'typical', 'high'].map(
                         (side) => numberCell(range(line)?.[side], money)),
                     cell(asText(line.source))])))
  });
}

/// How far each price alone moves the total, the largest first.
function tornadoFigure(lines, of, typical) {
  const swing = ({usd_low: low, usd_high: high}) => Math.abs(high - low);
  const rows = list(lines)
                   .filter((line) => isNumber(line?.usd_low) && isNumber(line.usd_high))
                   .sort((a, b) => swing(b) - swing(a));
  if (rows.length === 0) return undefined;
  const shown = rows.slice(0, 14).filter((row) => swing(row) > 0.002 * swing(rows[0]));
  return figure({
    title: `What moves the price${of ? ` of ${of}` : ''}`,
    note: 'Each price alone goes from its low to its high, all others stay typical.' +
        (shown.length < rows.length ? ' The smallest are in the numbers only.' : ''),
    key: [['at its low', 'var(--sram)'], ['at its high', 'var(--matrix)']],
    height: 44 + 26 * shown.length,
    table: sortableTable(
        ['price', 'its low', 'its high', 'total at low', 'total at high', 'swing'],
        rows.map(
            (row) =>
                [cell(asText(row.name)), cell(bareNumber(row.low), row.low),
                 cell(bareNumber(row.high), row.high), numberCell(row.usd_low, money),
                 numberCell(row.usd_high, money), numberCell(swing(row), money)])),
    option: (ink) => {
      const middle =
          typical ?? sum(shown.map((row) => (row.usd_low + row.usd_high) / 2)) / shown.length;
      return {
        ...baseOption(ink),
        xAxis: numericAxis(ink, {format: shortMoney, scale: true}),
        yAxis: categoryAxis(ink, shown.map((row) => knobName(row.name))),
        series: [{
          type: 'custom',
          encode: {x: [1, 2], y: 0},
          data: shown.map((row, i) => [i, row.usd_low, row.usd_high]),
          renderItem(params, api) {
            const half = (value, colour) => {
              const [x, y] = api.coord([value, api.value(0)]);
              const [from] = api.coord([middle, api.value(0)]);
              return {
                type: 'rect',
                shape: {x: Math.min(x, from), y: y - 8, width: Math.abs(x - from), height: 16},
                style: {fill: ink[colour]}
              };
            };
            return {
              type: 'group',
              children: [half(api.value(1), 'sram'), half(api.value(2), 'matrix')]
            };
          },
          tooltip: {
            formatter: ({dataIndex}) => tooltip(
                asText(shown[dataIndex].name),
                `${bareNumber(shown[dataIndex].low)}: ${money(shown[dataIndex].usd_low)}`,
                `${bareNumber(shown[dataIndex].high)}: ${money(shown[dataIndex].usd_high)}`)
          },
        }],
      };
    },
  });
}

/// "interposer wafer price" of "package.interposer.wafer_price".
const knobName = (name) =>
    asText(name).replace(/^(node|package|prices)\./, '').replace(/[._]/g, ' ');

/// A number whose unit is its own affair; text as it is.
const bareNumber = (value) => (isNumber(value) ? formatOf('')(value) : asText(value));

/// What independent draws of every price give, beside all at their low and all at their high.
function monteCarloFigure(draws, total) {
  if (!isNumber(draws?.p50)) return undefined;
  const corners = range(total);
  const rows = [
    corners && corners.low < corners.high &&
        {name: 'every price at\nits low, its high', ...corners},
    {
      name: `eight of ten\nof ${whole(draws.samples)} draws`,
      low: draws.p10,
      typical: draws.p50,
      high: draws.p90
    }
  ].filter(Boolean);
  return barsWithRange({
    title: `Drawn at random: ${money(draws.p10)} to ${money(draws.p90)}`,
    note: `Mean ${money(draws.mean)}. Every price is drawn by itself between its low and its high.`,
    rows,
    format: money,
    axisFormat: shortMoney,
    colour: 'accent',
    caption: 'way'
  });
}

/// What is known of one chip's price, as figures: the bill, its year in service, what moves it.
function billFigures(bill, of) {
  const typical = range(bill.usd_per_chip)?.typical;
  const year = members(bill.year);
  return [
    list(bill.lines).length > 0 && waterfall({
      title: of ? `A chip of ${of}` : 'A chip',
      note: billNote(bill),
      lines: bill.lines,
      total: bill.usd_per_chip,
      of: 'chip'
    }),
    list(year.lines).length > 0 && waterfall({
      title: `A year of it in service`,
      note: isNumber(year.mean_power_w) ? `${watts(year.mean_power_w)} on average` : undefined,
      lines: year.lines,
      total: year.total,
      of: 'year'
    }),
    tornadoFigure(bill.tornado, of, typical), monteCarloFigure(bill.monte_carlo, bill.usd_per_chip)
  ];
}

/// The money of a scenario: prices of its services, then the blocks of its cost.
function billParts(serve) {
  const bill = members(serve.cost);
  const panels = [
    priceBands(servicesOf(serve)), ...billFigures(bill), supplyFigure(bill.supply)
  ].filter(Boolean);
  return [
    panels.length > 0 && element('div', {class: 'panels filled'}, panels),
    buyOrBuildFigure(bill.buy_or_build), ...foundriesParts(bill.foundries),
    ...houseParts(bill.houses)
  ].filter(Boolean);
}

/// The bills of `presil cost`, each of a chip as made on a node in a package.
function billsSection(given) {
  const bills = given.filter((bill) => list(bill.lines).some(isObject));
  if (bills.length === 0) return undefined;
  const nameOf =
      ({chip,
        node,
        package: kind}) => [asText(chip), [node, kind].map(asText).filter(Boolean).join(', ')]
                               .filter(Boolean)
                               .join(' · ');
  const row = (name, key, format) => ({name, format, values: bills.map((bill) => bill[key])});
  return [
    comparisonTable(
        bills.map(nameOf),
        [
          row('a chip', 'usd_per_chip', money),
          row('chips that share the design', 'volume', (chips) => (chips > 0 ? whole(chips) : '')),
          row('die', 'die_area_mm2', inUnit('mm²')),
          row('dies a wafer', 'dies_per_wafer', whole),
          row('yield of the die', 'yield', percent),
          row('yield of the package', 'package_yield', percent),
          row('wafers a chip', 'wafers', count),
          row('stacks a chip', 'stacks', count),
          row('stacks used, with losses', 'stacks_used', count),
          row('power limit', 'power_w', watts),
        ]),
    element(
        'div', {class: 'panels filled'},
        bills.flatMap((bill) => billFigures(bill, nameOf(bill))).filter(Boolean)),
    ...bills.flatMap(({break_even: even}) => breakEvenParts(even))
  ];
}
