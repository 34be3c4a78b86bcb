// Memories by themselves (presil dram): what they gave, where the time and the joules went, how
// latency grows with the load, and what the estimates among the timings move.

const isMemory = (run) => run.schema === 'presil/dram/1';

const gbs = (value) => quantity(value * 1e9, 'B/s');
const signedPercent = (value) =>
    (isNumber(value) ? `${value > 0 ? '+' : ''}${value.toFixed(2)} %` : '');

/// Every memory with a label that tells it apart.
function labelled(memories) {
  const names =
      memories.map(({part, request}) => `${part ?? 'memory'} · ${request?.pattern ?? ''}`);
  return memories.map(
      (memory, i) => ({
        memory,
        label: names.filter((name) => name === names[i]).length > 1 ? `${names[i]} (${i + 1})` :
                                                                      names[i]
      }));
}

function memoryTable(entries) {
  return sortableTable(
      [
        'memory', 'channels', 'bandwidth', 'of peak', 'time', 'mean latency', '99 %', 'row hits',
        'energy', 'pJ/bit', 'timing'
      ],
      entries.map(({memory, label}) => {
        const {row: {hits, misses, conflicts} = {}} = memory;
        return [
          cell(label), numberCell(memory.channels, count), numberCell(memory.bandwidth_gbs, gbs),
          numberCell(memory.efficiency, percent), numberCell(memory.time_s, seconds),
          numberCell(memory.latency_s?.mean, seconds), numberCell(memory.latency_s?.p99, seconds),
          numberCell(hits / (hits + misses + conflicts), percent),
          numberCell(memory.energy_j, joules), numberCell(memory.energy_pj_per_bit, count),
          cell(memory.timing_estimated ? 'estimated' : '')
        ];
      }));
}

function memoryBus(entries) {
  const names = ['data', 'refresh', 'row', 'turnaround', 'other'];
  const shown = entries.filter(({memory}) => isNumber(memory.row_share));
  if (shown.length === 0) return undefined;
  const colours = Object.fromEntries(BUS);
  return stackedBars({
    title: 'Where the time of the data buses went',
    note: 'Row: a request waited for a row to open or close. Turnaround: between reads and ' +
        'writes. Other: spacing of bursts, command slots, and nothing to do.',
    key: names.map((name) => [name, `var(--${colours[name]})`]),
    format: percent,
    rows: shown.map(
        ({memory, label}) => ({
          label,
          parts:
              names.map((name) => ({name, value: memory[`${name}_share`], colour: colours[name]}))
                  .filter(({value}) => value > 0)
        })),
    table: sortableTable(
        ['memory', ...names],
        shown.map(
            ({memory, label}) =>
                [cell(label),
                 ...names.map((name) => numberCell(memory[`${name}_share`], percent))])),
  });
}

/// Latency over bandwidth; points offered more than is served are in the table only.
function loadCurve(entries) {
  const shown = entries.filter(({memory}) => list(memory.curve).length > 0);
  if (shown.length === 0) return undefined;
  const rows = shown.flatMap(({memory, label}) => memory.curve.map((point) => ({label, point})));
  const palette = ['dram', 'matrix', 'vector', 'sram', 'noc', 'link'];
  return figure({
    title: 'Latency under load',
    note: 'Solid: mean; dashed: 99 % within. Up to what the memory serves; offered more, its ' +
        'queues grow as long as the run lasts (in the table: saturated).',
    height: 340,
    table: sortableTable(
        ['memory', 'offered', 'of peak', 'served', 'mean', 'median', '99 %', 'longest', ''],
        rows.map(
            ({label, point}) =>
                [cell(label), numberCell(point.offered_gbs, gbs), numberCell(point.load, percent),
                 numberCell(point.bandwidth_gbs, gbs), numberCell(point.latency_s?.mean, seconds),
                 numberCell(point.latency_s?.p50, seconds),
                 numberCell(point.latency_s?.p99, seconds),
                 numberCell(point.latency_s?.max, seconds),
                 cell(point.saturated ? 'saturated' : '')])),
    option: (ink) => ({
      ...baseOption(ink),
      grid: {left: 8, right: 24, top: 34, bottom: 30, containLabel: true},
      legend: {top: 0, left: 0, textStyle: {color: ink.soft}, data: shown.map(({label}) => label)},
      xAxis: valueAxis(ink, (v) => roundQuantity(v * 1e9, 'B/s'), {name: 'served', nameGap: 28}),
      yAxis: valueAxis(ink, (v) => roundQuantity(v, 's'), {type: 'log'}),
      series: shown.flatMap(
          ({memory, label}, i) => [['mean', 'solid'], ['p99', 'dashed']].map(
              ([of, type]) => ({
                type: 'line',
                name: label,
                symbolSize: 7,
                lineStyle: {type, width: 2},
                itemStyle: {color: ink[palette[i % palette.length]]},
                data: memory.curve.filter((point) => !point.saturated && isObject(point.latency_s))
                          .map((point) => [point.bandwidth_gbs, point.latency_s[of], point]),
                tooltip: {
                  formatter: ({value: [served, latency, point]}) => tooltip(
                      label, `offered ${gbs(point.offered_gbs)}, ${percent(point.load)} of peak`,
                      `served ${gbs(served)}`,
                      `${of === 'mean' ? 'mean' : '99 % within'} ${seconds(latency)}`)
                },
              }))),
    }),
  });
}

/// A cell for each bank: how often its rows were opened, the channels together.
function bankMap({memory, label}) {
  const banks = list(memory.banks).filter(isObject);
  if (banks.length === 0) return undefined;
  const columnOf = (bank) => `${bank.bank_group}.${bank.bank}`;
  const rowOf = (bank) => `PC ${bank.pseudo_channel} · stack ID ${bank.stack_id}`;
  const columns = [...new Set(banks.map(columnOf))];
  const rows = [...new Set(banks.map(rowOf))];
  const most = Math.max(1, ...banks.map((bank) => bank.activates ?? 0));
  return figure({
    title: `Activates by bank: ${label}`,
    note: 'Columns: bank group and bank. The darker, the more often a row was opened there; the ' +
        `darkest ${quantity(most, '').trim()}. Banks of all channels are counted together.`,
    height: 60 + 34 * rows.length,
    table: sortableTable(
        [
          'pseudo-channel', 'stack ID', 'bank group', 'bank', 'activates', 'conflicts', 'reads',
          'writes'
        ],
        banks.map(
            (bank) => [bank.pseudo_channel, bank.stack_id, bank.bank_group, bank.bank,
                       bank.activates, bank.conflicts, bank.reads, bank.writes]
                          .map((value) => numberCell(value, (v) => quantity(v, ''))))),
    option: (ink) => ({
      ...baseOption(ink),
      xAxis: {
        ...categoryAxis(ink, columns),
        inverse: false,
        axisLabel: {color: ink.soft, fontSize: 11}
      },
      yAxis: categoryAxis(ink, rows),
      series: [{
        type: 'custom',
        data: banks.map((bank) => [columnOf(bank), rowOf(bank), bank.activates ?? 0]),
        renderItem(params, api) {
          const [x, y] = api.coord([api.value(0), api.value(1)]);
          const [width, height] = api.size([1, 1]);
          return {
            type: 'rect',
            shape: {
              x: x - width / 2 + 1,
              y: y - height / 2 + 1,
              width: width - 2,
              height: height - 2,
              r: 2
            },
            style: {fill: ink.dram, opacity: 0.06 + 0.94 * api.value(2) / most},
          };
        },
        tooltip: {
          formatter: ({dataIndex}) => {
            const bank = banks[dataIndex];
            return tooltip(
                `${rowOf(bank)} · bank ${columnOf(bank)}`, `${digits(bank.activates)} activates`,
                `${digits(bank.conflicts)} of them conflicts`,
                `${digits(bank.reads)} reads, ${digits(bank.writes)} writes`);
          }
        },
      }],
    }),
  });
}

function latencyHistogram({memory, label}) {
  const bins = list(memory.latency_histogram).filter(isObject);
  const all = sum(bins.map((bin) => bin.count));
  if (all === 0) return undefined;
  const name = (bin) => seconds(bin.from_s);
  return figure({
    title: `Latencies: ${label}`,
    note:
        `Share of the requests by latency; mean ${seconds(memory.latency_s?.mean)}, 99 % within ` +
        `${seconds(memory.latency_s?.p99)}, longest ${
            seconds(memory.latency_s?.max)}. Eight bins ` +
        'to a doubling.',
    height: 240,
    table: sortableTable(
        ['from', 'to', 'requests', 'share'],
        bins.map(
            (bin) =>
                [numberCell(bin.from_s, seconds), numberCell(bin.to_s, seconds),
                 numberCell(bin.count, (v) => quantity(v, '')),
                 numberCell(bin.count / all, percent)])),
    option: (ink) => ({
      ...baseOption(ink),
      xAxis: {
        ...categoryAxis(ink, bins.map(name)),
        inverse: false,
        axisLabel: {color: ink.soft, fontSize: 11, hideOverlap: true}
      },
      yAxis: valueAxis(ink, (share) => percent(share)),
      series: [{
        type: 'bar',
        barCategoryGap: '8%',
        itemStyle: {color: ink.dram},
        data: bins.map((bin) => ({value: bin.count / all, bin})),
        tooltip: {
          formatter: ({data: {bin, value}}) => tooltip(
              `${seconds(bin.from_s)} to ${seconds(bin.to_s)}`, percent(value),
              `${quantity(bin.count, '')} requests`)
        },
      }],
    }),
  });
}

function memoryEnergy({memory, label}) {
  const parts =
      Object.entries(members(memory.energy)).filter(([name,
                                                      part]) => name !== 'total' && range(part));
  if (parts.length === 0) return undefined;
  return barsWithRange({
    title: `Energy: ${label}`,
    note: `${joules(memory.energy_j)} in all, ${count(memory.energy_pj_per_bit)} pJ a bit.`,
    rows: parts.map(([name, part]) => ({name, ...range(part)})),
    format: joules,
    axisFormat: (v) => roundQuantity(v, 'J'),
    colour: 'dram',
    caption: 'component'
  });
}

function commandTable(entries) {
  const commands =
      [...new Set(entries.flatMap(({memory}) => Object.keys(members(memory.commands))))].filter(
          (name) => entries.some(({memory}) => members(memory.commands)[name] > 0));
  if (commands.length === 0) return undefined;
  return sortableTable(
      ['memory', ...commands, 'row hits', 'misses', 'conflicts', 'shortcuts taken', 'log hash'],
      entries.map(
          ({memory, label}) =>
              [cell(label),
               ...commands.map(
                   (name) => numberCell(members(memory.commands)[name], (v) => quantity(v, ''))),
               ...['hits', 'misses', 'conflicts'].map(
                   (kind) => numberCell(members(memory.row)[kind], (v) => quantity(v, ''))),
               cell(list(memory.shortcuts).map(asText).join(', ')),
               cell(element('code', {}, asText(memory.log_hash)), asText(memory.log_hash))]),
      {caption: 'Commands'});
}

/// What moves the bandwidth when one estimated timing is shorter or longer.
function sensitivityBars({memory, label}) {
  const timings = list(memory.sensitivity?.timings).filter(isObject);
  if (timings.length === 0) return undefined;
  const varied = memory.sensitivity.varied_percent;
  const moves = (of) => (line) =>
      Math.max(Math.abs(line.shorter?.[of]), Math.abs(line.longer?.[of]));
  const shown = timings.filter((line) => moves('bandwidth_percent')(line) >= 0.05);
  const still = timings.filter((line) => !shown.includes(line)).map((line) => asText(line.timing));
  return figure({
    title: `What the estimates move: ${label}`,
    note: `Change of the bandwidth when one timing is ${
              count(varied)} % shorter or longer, in whole ` +
        'clock cycles.' + (still.length > 0 ? ` Less than 0.05 %: ${still.join(', ')}.` : ''),
    key: [['shorter', 'var(--sram)'], ['longer', 'var(--matrix)']],
    height: 40 + 26 * Math.max(1, shown.length),
    table: sortableTable(
        ['timing', 'CK', 'shorter', 'bandwidth', 'latency', 'longer', 'bandwidth ', 'latency '],
        timings.map(
            (line) =>
                [cell(asText(line.timing)), numberCell(line.clocks, count),
                 ...[line.shorter, line.longer].flatMap(
                     (change) =>
                         [numberCell(change?.clocks, count),
                          numberCell(change?.bandwidth_percent, signedPercent),
                          numberCell(change?.latency_percent, signedPercent)])])),
    option: (ink) => ({
      ...baseOption(ink),
      xAxis: valueAxis(ink, (v) => `${v} %`),
      yAxis: categoryAxis(
          ink, shown.map((line) => asText(line.timing)),
          {axisLine: {show: false}, axisLabel: {color: ink.ink}}),
      series: [['shorter', 'sram'], ['longer', 'matrix']].map(
          ([way, colour]) => ({
            type: 'bar',
            barMaxWidth: 9,
            itemStyle: {color: ink[colour]},
            data: shown.map((line) => ({value: line[way]?.bandwidth_percent, line})),
            tooltip: {
              formatter: ({data: {line}}) => tooltip(
                  `${asText(line.timing)}: ${line.clocks} to ${line[way]?.clocks} CK`,
                  `bandwidth ${signedPercent(line[way]?.bandwidth_percent)}`,
                  `mean latency ${signedPercent(line[way]?.latency_percent)}`)
            },
          })),
    }),
  });
}

function memorySection(memories) {
  if (memories.length === 0) return undefined;
  const entries = labelled(memories);
  const each = (draw) => entries.map(draw).filter(Boolean);
  const panels = [...each(latencyHistogram), ...each(memoryEnergy)];
  return [
    memoryTable(entries), memoryBus(entries), loadCurve(entries), ...each(sensitivityBars),
    ...each(bankMap), panels.length > 0 && element('div', {class: 'panels'}, panels),
    commandTable(entries)
  ].filter(Boolean);
}
