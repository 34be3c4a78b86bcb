// Bills: dollars of a million tokens and of a chip, and what moves them.

function priceBands(services) {
  const rows =
      services.map((service) => ({name: asText(service.name), ...range(service.usd_per_mtoken)}))
          .filter(({typical}) => isNumber(typical));
  if (rows.length === 0) return undefined;
  return barsWithRange({
    title: 'Dollars per million tokens',
    note:
        'Bars at typical prices; the lines from every price at its low to every price at its high.',
    rows,
    format: money,
    axisFormat: shortMoney,
    colour: 'accent',
    caption: 'service'
  });
}

/// How far each price alone moves the total, the largest first.
function tornadoFigure(lines, of) {
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
      const middle = isNumber(rows[0].usd_typical) ?
          rows[0].usd_typical :
          sum(shown.map((row) => (row.usd_low + row.usd_high) / 2)) / shown.length;
      return {
        ...baseOption(ink),
        xAxis: numericAxis(ink, {format: shortMoney, scale: true}),
        yAxis: categoryAxis(ink, shown.map((row) => asText(row.name))),
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

/// The money of a scenario: prices of its services, then the blocks of its cost.
function billParts(serve) {
  const bill = members(serve.cost);
  const panels = [
    priceBands(servicesOf(serve)), list(bill.lines).length > 0 && chipWaterfall(bill),
    tornadoFigure(bill.tornado), monteCarloFigure(bill.monte_carlo, bill.usd_per_chip),
    supplyFigure(bill.supply)
  ].filter(Boolean);
  return [
    panels.length > 0 && element('div', {class: 'panels filled'}, panels),
    buyOrBuildFigure(bill.buy_or_build), ...foundriesParts(bill.foundries),
    ...list(housesFigure(bill.houses))
  ].filter(Boolean);
}

const chipWaterfall = (bill, of) => waterfall({
  title: of ? `A chip of ${of}` : 'A chip',
  note: billNote(bill),
  lines: bill.lines,
  total: bill.usd_per_chip,
  of: 'chip'
});

/// The bills of `presil cost`, each of a chip as made on a node in a package.
function billsSection(bills) {
  const shown = bills.filter((bill) => list(bill.lines).length > 0);
  if (shown.length === 0) return undefined;
  const nameOf = (bill) => [asText(bill.chip),
                            [bill.node, bill.package].filter(Boolean).map(asText).join(', ')]
                               .filter(Boolean)
                               .join(' · ');
  const row = (name, key, format) => ({name, format, values: shown.map((bill) => bill[key])});
  return [
    comparisonTable(
        shown.map(nameOf),
        [
          row('a chip', 'usd_per_chip', money),
          row('volume', 'volume', whole),
          row('dies a wafer', 'dies_per_wafer', whole),
          row('yield', 'yield', percent),
          row('wafers', 'wafers', whole),
          row('HBM stacks', 'stacks', whole),
        ]),
    element(
        'div', {class: 'panels filled'},
        shown
            .flatMap(
                (bill) =>
                    [chipWaterfall(bill, nameOf(bill)),
                     tornadoFigure(bill.tornado, shown.length > 1 && nameOf(bill)),
                     monteCarloFigure(bill.monte_carlo, bill.usd_per_chip)])
            .filter(Boolean))
  ];
}
