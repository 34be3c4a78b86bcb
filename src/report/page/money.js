// Joules and dollars, each with its low, typical and high value.

/// Bars with their low and high, in the order given.
function barsWithRange({title, note, rows, format, axisFormat, colour, caption}) {
  return figure({
    title,
    note,
    height: 44 + rows.length * (rows.some((row) => row.name.includes('\n')) ? 38 : 26),
    table: sortableTable(
        [caption, 'low', 'typical', 'high'],
        rows.map(
            (row) =>
                [cell(flat(row.name)), numberCell(row.low, format), numberCell(row.typical, format),
                 numberCell(row.high, format)])),
    option: (ink) => ({
      ...baseOption(ink),
      xAxis: valueAxis(ink, axisFormat),
      yAxis: categoryAxis(ink, rows.map((row) => row.name)),
      series: [
        {
          type: 'bar',
          barWidth: 14,
          itemStyle: {color: ink[colour]},
          data: rows.map((row) => row.typical),
          tooltip: {
            formatter: ({dataIndex}) => tooltip(
                flat(rows[dataIndex].name), format(rows[dataIndex].typical),
                spread(rows[dataIndex], format))
          }
        },
        whiskers(ink, rows, true)
      ],
    }),
  });
}

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

function waterfall({chip, cost}) {
  const lines = list(cost.lines).map((line) => ({...line, ...range(line)}));
  const total = range(cost.usd_per_chip) ?? {
    low: sum(lines.map((line) => line.low)),
    typical: sum(lines.map((line) => line.typical)),
    high: sum(lines.map((line) => line.high))
  };
  const starts = lines.map((_, i) => sum(lines.slice(0, i).map((line) => line.typical)));
  const bars = [
    ...lines.map((line, i) => ({...line, start: starts[i]})), {name: 'chip', ...total, start: 0}
  ];
  const facts = [
    isNumber(cost.yield) && `yield ${percent(cost.yield)}`,
    isNumber(cost.dies_per_wafer) && `${cost.dies_per_wafer} dies a wafer`
  ].filter(Boolean);
  return figure({
    title: `${chip}: ${dollars(total.typical)} a chip`,
    note: facts.join(', '),
    height: 300,
    open: true,
    table: sortableTable(
        ['part', 'low', 'typical', 'high', 'source'],
        bars.map(
            (bar) =>
                [cell(asText(bar.name)), numberCell(bar.low, dollars),
                 numberCell(bar.typical, dollars), numberCell(bar.high, dollars),
                 cell(asText(bar.source))])),
    option: (ink) => ({
      ...baseOption(ink),
      grid: {left: 8, right: 8, top: 24, bottom: 8, containLabel: true},
      xAxis: categoryAxis(ink, bars.map((bar) => asText(bar.name)), {
        inverse: false,
        axisLabel: {color: ink.ink, interval: 0, width: 78, overflow: 'break', lineHeight: 14}
      }),
      yAxis: valueAxis(ink, dollars),
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
          barMaxWidth: 52,
          data: bars.map((bar, i) => ({
                           value: bar.typical,
                           itemStyle: {color: i === lines.length ? ink.accent : ink.noc}
                         })),
          tooltip: {
            formatter: ({dataIndex}) => tooltip(
                asText(bars[dataIndex].name), dollars(bars[dataIndex].typical),
                spread(bars[dataIndex], dollars))
          }
        },
        whiskers(
            ink, bars.map((bar) => ({low: bar.start + bar.low, high: bar.start + bar.high})), false)
      ],
    }),
  });
}

function costSection(runs) {
  const priced = new Map();
  for (const run of runs) {
    if (list(run.cost?.lines).length > 0)
      priced.set(JSON.stringify([run.chip, run.cost.lines]), run);
  }
  const rows =
      runs.filter((run) => range(run.cost?.usd_per_mtoken))
          .map((run) => ({name: `${run.model}\n${run.chip}`, ...range(run.cost.usd_per_mtoken)}));
  if (priced.size + rows.length === 0) return undefined;
  return [element(
      'div', {class: 'panels'}, [...priced.values()].map(waterfall),
      rows.length > 0 && barsWithRange({
        title: 'Dollars per million tokens',
        rows,
        format: dollars,
        axisFormat: (v) => `$${v}`,
        colour: 'accent',
        caption: 'run'
      }) ||
          null)];
}
