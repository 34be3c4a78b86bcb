// DRAM: where the time of the bus went, and the commands.

const BUS = [
  ['data', 'dram'], ['refresh', 'vector'], ['row', 'matrix'], ['turnaround', 'sram'],
  ['other', 'other'], ['idle', 'idle']
];

function dramSection(runs) {
  const phases = phasesOf(runs).filter(({values}) => isObject(values.dram));
  if (phases.length === 0) return undefined;
  const parts = [];
  const shared = phases.filter(({values}) => isObject(values.dram.shares));
  if (shared.length > 0) {
    const partsOf = ({values}) =>
        BUS.filter(([name]) => values.dram.shares[name] > 0)
            .map(([name, colour]) => ({name, value: values.dram.shares[name], colour}));
    parts.push(stackedBars({
      title: 'Where the time of the data bus went',
      format: percent,
      key: BUS.map(([name, colour]) => [name, `var(--${colour})`]),
      note: 'Row: waiting for a row to open or close. Turnaround: between reads and writes.',
      rows: shared.map((entry) => ({label: entry.label, parts: partsOf(entry)})),
      table: sortableTable(
          ['phase', ...BUS.map(([name]) => name)],
          shared.map(
              ({label, values}) =>
                  [cell(flat(label)),
                   ...BUS.map(([name]) => numberCell(values.dram.shares[name], percent))])),
    }));
  }
  const commands =
      [...new Set(phases.flatMap(({values}) => Object.keys(members(values.dram.commands))))].filter(
          (name) => phases.some(({values}) => members(values.dram.commands)[name] > 0));
  if (commands.length > 0) parts.push(commandMix(phases, commands));
  const shortcuts = new Set(phases.flatMap(({values}) => list(values.dram.shortcuts)).map(asText));
  if (shortcuts.size > 0) {
    parts.push(element('p', {}, `Shortcuts the simulator took: ${[...shortcuts].join('; ')}.`));
  }
  return parts;
}

function commandMix(phases, commands) {
  const palette = ['dram', 'matrix', 'vector', 'sram', 'noc', 'link', 'power', 'launch'];
  return figure({
    title: 'DRAM commands',
    note: 'How many of each a phase issued, on a logarithmic scale.',
    height: 70 + commands.length * 34,
    open: true,
    table: sortableTable(
        ['phase', ...commands, 'row hits', 'misses', 'conflicts', 'hit rate', 'rounded transfers'],
        phases.map(({label, values: {dram}}) => {
          const {row_hits: hits, row_misses: misses, row_conflicts: conflicts} = dram;
          return [
            cell(flat(label)),
            ...commands.map(
                (name) => numberCell(members(dram.commands)[name], (v) => quantity(v, ''))),
            numberCell(hits, (v) => quantity(v, '')), numberCell(misses, (v) => quantity(v, '')),
            numberCell(conflicts, (v) => quantity(v, '')),
            numberCell(hits / (hits + misses + conflicts), percent),
            numberCell(dram.rounded_transfers, (v) => quantity(v, ''))
          ];
        })),
    option: (ink) => ({
      ...baseOption(ink),
      grid: {
        left: 8,
        right: 24,
        top: 34 + 18 * Math.floor(phases.length / 5),
        bottom: 8,
        containLabel: true
      },
      legend: {top: 0, left: 0, textStyle: {color: ink.soft}, itemWidth: 10, itemHeight: 10},
      xAxis: valueAxis(ink, (v) => roundQuantity(v, ''), {type: 'log'}),
      yAxis: categoryAxis(ink, commands, {splitLine: {show: true, lineStyle: {color: ink.line}}}),
      series: phases.map(
          ({label, values}, i) => ({
            type: 'scatter',
            name: flat(label),
            symbolSize: 13,
            symbol: i % 2 === 0 ? 'circle' : 'diamond',
            itemStyle: {color: ink[palette[Math.floor(i / 2) % palette.length]], opacity: 0.85},
            data: commands.map((name, at) => [members(values.dram.commands)[name] || '-', at]),
            tooltip: {
              formatter: ({value}) =>
                  tooltip(`${flat(label)}: ${commands[value[1]]}`, quantity(value[0], ''))
            },
          })),
    }),
  });
}
