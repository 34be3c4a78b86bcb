// Joules and dollars, each with its low, typical and high value.

function energySection(runs) {
  const phases = phasesOf(runs).filter(({values}) => list(values.energy).length > 0);
  if (phases.length === 0) return undefined;
  return [
    element(
        'p', {},
        'Counts of events times an open table of joules an event. The lines reach from the ' +
            'low to the high entry of that table.'),
    element(
        'div', {class: 'panels small'},
        phases.map(
            ({label, values}) => barsWithRange({
              title: flat(label),
              note: isNumber(values.energy_j) ? `${joules(values.energy_j)} in all` : undefined,
              rows: values.energy.map((part) => ({name: asText(part.name), ...range(part)})),
              format: joules,
              axisFormat: (v) => roundQuantity(v, 'J'),
              colour: 'sram',
              caption: 'component'
            })))
  ];
}

/// `lines` one after the other, up to their sum.
function waterfall({title, note, lines: given, total: stated, of}) {
  const lines = list(given).map((line) => ({...line, ...range(line)}));
  const total = range(stated) ?? {
    low: sum(lines.map((line) => line.low)),
    typical: sum(lines.map((line) => line.typical)),
    high: sum(lines.map((line) => line.high))
  };
  const starts = lines.map((_, i) => sum(lines.slice(0, i).map((line) => line.typical)));
  const bars =
      [...lines.map((line, i) => ({...line, start: starts[i]})), {name: of, ...total, start: 0}];
  return figure({
    title: `${title}: ${money(total.typical)}`,
    note,
    height: 44 + 26 * bars.length,
    table: sortableTable(
        ['part', 'low', 'typical', 'high', 'source'],
        bars.map(
            (bar) =>
                [cell(asText(bar.name)), numberCell(bar.low, money), numberCell(bar.typical, money),
                 numberCell(bar.high, money), cell(asText(bar.source))])),
    option: (ink) => ({
      ...baseOption(ink),
      xAxis: valueAxis(ink, shortMoney),
      yAxis: categoryAxis(ink, bars.map((bar) => asText(bar.name))),
      series: [
        {
          type: 'bar',
          stack: 'all',
          silent: true,
          itemStyle: {color: 'transparent'},
          data: bars.map((bar) => bar.start)
        },
        {
          type: 'bar',
          stack: 'all',
          barWidth: 14,
          data: bars.map((bar, i) => ({
                           value: bar.typical,
                           itemStyle: {color: i === lines.length ? ink.accent : ink.noc}
                         })),
          tooltip: {
            formatter: ({dataIndex}) => tooltip(
                asText(bars[dataIndex].name), money(bars[dataIndex].typical),
                spread(bars[dataIndex], money))
          }
        },
        whiskers(
            ink, bars.map((bar) => ({low: bar.start + bar.low, high: bar.start + bar.high})), true)
      ],
    }),
  });
}

/// What stands over a bill.
function billNote(cost) {
  return [
    isNumber(cost.yield) && `yield ${percent(cost.yield)}`,
    isNumber(cost.dies_per_wafer) && `${cost.dies_per_wafer} dies a wafer`,
    cost.at_market_price && 'sold at a market price, which is what a token pays for'
  ].filter(Boolean)
      .join(', ');
}

/// What a chip costs: one waterfall for each bill, however many runs used it.
function chipBills(runs) {
  const bills = new Map();
  for (const {chip, cost} of runs) {
    if (list(cost?.lines).length > 0) bills.set(JSON.stringify(cost.lines), {chip, cost});
  }
  return [...bills.values()].map(({chip, cost}) => waterfall({
                                   title: `A chip of ${chip.replace(/^\d+ × /, '')}`,
                                   note: billNote(cost),
                                   lines: cost.lines,
                                   total: cost.usd_per_chip,
                                   of: 'chip'
                                 }));
}

function tokenBills(runs) {
  return runs.filter(({cost}) => list(cost?.token_lines).length > 0)
      .map(({model, chip, cost}) => waterfall({
             title: `A million tokens of ${model} on ${chip}`,
             lines: cost.token_lines,
             total: cost.usd_per_mtoken,
             of: 'together'
           }));
}

function costSection(runs) {
  const prices =
      runs.filter((run) => range(run.cost?.usd_per_mtoken))
          .map((run) => ({name: `${run.model}\n${run.chip}`, ...range(run.cost.usd_per_mtoken)}));
  const parts = [...chipBills(runs), ...tokenBills(runs)];
  if (prices.length > 0) {
    parts.push(barsWithRange({
      title: 'Dollars per million tokens',
      rows: prices,
      format: dollars,
      axisFormat: (v) => `$${v}`,
      colour: 'accent',
      caption: 'run'
    }));
  }
  return parts.length > 0 ? [element('div', {class: 'panels'}, parts)] : undefined;
}
