// The sections about where things go: DRAM, energy, dollars, the sweep, the sources.

const BUS = [['data', 'dram'], ['refresh', 'vector'], ['row', 'matrix'], ['turnaround', 'sram'],
             ['other', 'other'], ['idle', 'idle']];

function dramSection(runs) {
  const phases = phasesOf(runs).filter(({values}) => isObject(values.dram));
  if (phases.length === 0) return undefined;
  const parts = [];
  const shared = phases.filter(({values}) => isObject(values.dram.shares));
  if (shared.length > 0) {
    const partsOf = ({values}) => BUS.filter(([name]) => values.dram.shares[name] > 0)
        .map(([name, colour]) => ({name, value: values.dram.shares[name], colour}));
    parts.push(
        legend(BUS.map(([name, colour]) => [name, `var(--${colour})`])),
        stackedBars({
          title: 'Where the time of the data bus went', relative: true, format: percent,
          note: 'Row: waiting for a row to open or close. Turnaround: between reads and writes.',
          rows: shared.map((entry) => ({label: entry.label, parts: partsOf(entry)})),
          table: sortableTable(['phase', ...BUS.map(([name]) => name)], shared.map(({label, values}) => [
            cell(flat(label)), ...BUS.map(([name]) => numberCell(values.dram.shares[name], percent))])),
        }));
  }
  const commands = [...new Set(phases.flatMap(({values}) => Object.keys(members(values.dram.commands))))]
      .filter((name) => phases.some(({values}) => members(values.dram.commands)[name] > 0));
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
    title: 'DRAM commands', note: 'How many of each a phase issued, on a logarithmic scale.',
    height: 70 + commands.length * 34, open: true,
    table: sortableTable(
        ['phase', ...commands, 'row hits', 'misses', 'conflicts', 'hit rate', 'rounded transfers'],
        phases.map(({label, values: {dram}}) => {
          const {row_hits: hits, row_misses: misses, row_conflicts: conflicts} = dram;
          return [cell(flat(label)), ...commands.map((name) => numberCell(members(dram.commands)[name], (v) => quantity(v, ''))),
                  numberCell(hits, (v) => quantity(v, '')), numberCell(misses, (v) => quantity(v, '')),
                  numberCell(conflicts, (v) => quantity(v, '')),
                  numberCell(hits / (hits + misses + conflicts), percent),
                  numberCell(dram.rounded_transfers, (v) => quantity(v, ''))];
        })),
    option: (ink) => ({
      ...baseOption(ink),
      grid: {left: 8, right: 24, top: 34 + 18 * Math.floor(phases.length / 5), bottom: 8, containLabel: true},
      legend: {top: 0, left: 0, textStyle: {color: ink.soft}, itemWidth: 10, itemHeight: 10},
      xAxis: valueAxis(ink, (v) => quantity(v, '').trim(), {type: 'log'}),
      yAxis: categoryAxis(ink, commands, {splitLine: {show: true, lineStyle: {color: ink.line}}}),
      series: phases.map(({label, values}, i) => ({
        type: 'scatter', name: flat(label), symbolSize: 13,
        symbol: i % 2 === 0 ? 'circle' : 'diamond',
        itemStyle: {color: ink[palette[Math.floor(i / 2) % palette.length]], opacity: 0.85},
        data: commands.map((name, at) => [members(values.dram.commands)[name] || '-', at]),
        tooltip: {formatter: ({value}) => tooltip(`${flat(label)}: ${commands[value[1]]}`, quantity(value[0], ''))},
      })),
    }),
  });
}

/// Bars with their low and high, largest first kept in the order given.
function barsWithRange({title, note, rows, format, colour, caption}) {
  return figure({
    title, note, height: 44 + 28 * rows.length,
    table: sortableTable([caption, 'low', 'typical', 'high'], rows.map((row) => [
      cell(row.name), numberCell(row.low, format), numberCell(row.typical, format), numberCell(row.high, format)])),
    option: (ink) => ({
      ...baseOption(ink),
      xAxis: valueAxis(ink, format),
      yAxis: categoryAxis(ink, rows.map((row) => row.name)),
      series: [
        {type: 'bar', barWidth: 14, itemStyle: {color: ink[colour]}, data: rows.map((row) => row.typical),
         tooltip: {formatter: ({dataIndex}) => tooltip(rows[dataIndex].name, format(rows[dataIndex].typical),
             spread(rows[dataIndex], format))}},
        whiskers(ink, rows, true)],
    }),
  });
}

function energySection(runs) {
  const phases = phasesOf(runs).filter(({values}) => list(values.energy).length > 0);
  if (phases.length === 0) return undefined;
  return [
    element('p', {}, 'Counts of events times an open table of joules an event. The lines reach from the ' +
        'low to the high entry of that table.'),
    element('div', {class: 'panels small'}, phases.map(({label, values}) => barsWithRange({
      title: flat(label), note: isNumber(values.energy_j) ? `${joules(values.energy_j)} in all` : undefined,
      rows: values.energy.map((part) => ({name: asText(part.name), ...range(part)})),
      format: joules, colour: 'sram', caption: 'component'})))];
}

function waterfall({chip, cost}) {
  const lines = list(cost.lines).map((line) => ({...line, ...range(line)}));
  const total = range(cost.usd_per_chip) ?? {
    low: sum(lines.map((line) => line.low)), typical: sum(lines.map((line) => line.typical)),
    high: sum(lines.map((line) => line.high))};
  const starts = lines.map((_, i) => sum(lines.slice(0, i).map((line) => line.typical)));
  const bars = [...lines.map((line, i) => ({...line, start: starts[i]})), {name: 'chip', ...total, start: 0}];
  const facts = [isNumber(cost.yield) && `yield ${percent(cost.yield)}`,
                 isNumber(cost.dies_per_wafer) && `${cost.dies_per_wafer} dies a wafer`].filter(Boolean);
  return figure({
    title: `${chip}: ${dollars(total.typical)} a chip`, note: facts.join(', '), height: 300, open: true,
    table: sortableTable(['part', 'low', 'typical', 'high', 'source'], bars.map((bar) => [
      cell(asText(bar.name)), numberCell(bar.low, dollars), numberCell(bar.typical, dollars),
      numberCell(bar.high, dollars), cell(asText(bar.source))])),
    option: (ink) => ({
      ...baseOption(ink),
      grid: {left: 8, right: 8, top: 24, bottom: 8, containLabel: true},
      xAxis: categoryAxis(ink, bars.map((bar) => asText(bar.name)), {
        inverse: false, axisLabel: {color: ink.ink, interval: 0, width: 78, overflow: 'break', lineHeight: 14}}),
      yAxis: valueAxis(ink, dollars),
      series: [
        {type: 'bar', stack: 'all', silent: true, itemStyle: {color: 'transparent'}, data: bars.map((bar) => bar.start)},
        {type: 'bar', stack: 'all', barMaxWidth: 52,
         data: bars.map((bar, i) => ({value: bar.typical,
             itemStyle: {color: i === lines.length ? ink.accent : ink.noc}})),
         tooltip: {formatter: ({dataIndex}) => tooltip(asText(bars[dataIndex].name), dollars(bars[dataIndex].typical),
             spread(bars[dataIndex], dollars))}},
        whiskers(ink, bars.map((bar) => ({low: bar.start + bar.low, high: bar.start + bar.high})), false)],
    }),
  });
}

function costSection(runs) {
  const priced = new Map();
  for (const run of runs) {
    if (list(run.cost?.lines).length > 0) priced.set(JSON.stringify([run.chip, run.cost.lines]), run);
  }
  const rows = runs.filter((run) => range(run.cost?.usd_per_mtoken))
      .map((run) => ({name: `${run.model} on ${run.chip}`, ...range(run.cost.usd_per_mtoken)}));
  if (priced.size + rows.length === 0) return undefined;
  return [element('div', {class: 'panels'},
      [...priced.values()].map(waterfall),
      rows.length > 0 && barsWithRange({title: 'Dollars per million tokens', rows, format: dollars,
                                        colour: 'accent', caption: 'run'}) || null)];
}

function sourcesSection(runs) {
  const rows = new Map();
  for (const run of runs) {
    for (const input of list(run.inputs)) rows.set(JSON.stringify([run.chip, input]), {chip: run.chip, ...input});
  }
  const estimates = new Set(runs.flatMap((run) => list(run.estimates).map(asText)));
  if (rows.size + estimates.size === 0) return undefined;
  const source = (ref) => (/^https?:\/\//.test(ref) ? element('a', {href: ref, rel: 'noreferrer'}, ref) : ref);
  const table = sortableTable(['chip', 'field', 'value', 'confidence', 'source'],
      [...rows.values()].map((row) => [
        cell(asText(row.chip)), cell(element('code', {}, asText(row.field)), asText(row.field)), cell(asText(row.value)),
        cell(row.confidence ? element('span', {class: `confidence ${row.confidence}`}, row.confidence) : '', row.confidence),
        cell(source(asText(row.ref)), asText(row.ref))]));
  const filter = element('input', {type: 'search', id: 'filter', placeholder: 'dram, estimate, …'});
  filter.addEventListener('input', () => {
    const wanted = filter.value.toLowerCase();
    for (const row of table.querySelectorAll('tbody tr')) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  return [
    element('p', {}, 'Found: read in the source named. Recalled: known, the source not at hand. Derived: ' +
        'computed from others. Estimate: ours.'),
    rows.size > 0 && element('div', {class: 'tools'}, element('label', {for: 'filter'}, 'Show only '), filter),
    rows.size > 0 && table,
    estimates.size > 0 && element('h3', {}, 'Estimates behind these results'),
    estimates.size > 0 && element('ul', {class: 'plain'}, [...estimates].map((text) => element('li', {}, text))),
  ].filter(Boolean);
}
