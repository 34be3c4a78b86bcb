// The sections about what was run: tokens, the summary, time by operator, the roofline.

/// Every (run, phase) of the report, with a label that tells them apart.
function phasesOf(runs) {
  const chips = new Set(runs.map((run) => run.chip));
  return runs.flatMap((run) => Object.entries(members(run.phases)).filter(([, values]) => isObject(values))
      .map(([phase, values]) => ({
        run, phase, values, ops: list(run.ops).filter((op) => op.phase === phase),
        label: `${run.model ?? 'run'} · ${phase}` + (chips.size > 1 ? `\n${run.chip}` : ''),
      })));
}

const flat = (label) => label.replace('\n', ' on ');

/// The operators of a phase summed over the layers, one entry for each (name, what bound it).
function operatorClasses(ops) {
  const classes = new Map();
  for (const op of ops) {
    const key = JSON.stringify([op.name, op.bound_by]);
    const entry = classes.get(key) ??
        {name: asText(op.name), bound_by: asText(op.bound_by), time: 0, flops: 0, bytes: 0, times: 0};
    entry.time += (op.end_s ?? 0) - (op.start_s ?? 0);
    entry.flops += op.flops ?? 0;
    entry.bytes += op.dram_bytes ?? 0;
    entry.times += 1;
    classes.set(key, entry);
  }
  return [...classes.values()];
}

function tokensSection(runs) {
  const said = runs.filter((run) => run.text);
  if (said.length === 0) return undefined;
  return [
    element('p', {}, 'What the model wrote, in the arithmetic of the chip. Each shade is one token; ' +
        'point at it for its number.'),
    ...said.map((run) => {
      const tokens = list(run.tokens);
      return element('div', {class: 'said'},
          element('div', {class: 'who'}, `${run.model} on ${run.chip}`),
          element('div', {class: 'text'},
              run.prompt && element('span', {class: 'prompt'}, run.prompt), run.prompt && ' ',
              tokens.length === 0 ? run.text : tokens.map((token, i) => element(
                  'span', {class: 'token', title: `token ${i + 1}: id ${token.id}`}, asText(token.text)))));
    })];
}

function summarySection(runs) {
  const phases = phasesOf(runs);
  if (phases.length === 0) return undefined;
  const rows = phases.map(({run, phase, values}) => {
    const price = range(run.cost?.usd_per_mtoken);
    const tokens = values.tokens_per_s * values.time_s;
    return [
      cell(run.model), cell(run.chip), cell(phase), numberCell(values.tokens_per_s, count),
      numberCell(values.time_s, seconds), cell(boundTag(values.bound_by), values.bound_by),
      numberCell(values.dram_bandwidth_gbs * 1e9, (value) => quantity(value, 'B/s')),
      numberCell(values.dram_efficiency, percent),
      numberCell(values.energy_j / tokens, joules), numberCell(values.power_w, (v) => quantity(v, 'W')),
      cell(price && phase === 'decode' ? element('span', {}, dollars(price.typical),
          element('span', {class: 'low-high'}, spread(price, dollars))) : '', price?.typical)];
  });
  return [sortableTable(['model', 'chip', 'phase', 'tokens/s', 'time', 'bound by', 'DRAM rate',
                         'of peak', 'energy/token', 'power', '$/Mtoken'], rows)];
}

/// One bar a row, cut into shares of the whole. `rows`: {label, parts: [{name, value, colour, note}]}.
function stackedBars({title, note, rows, format, table, relative}) {
  const depth = Math.max(...rows.map((row) => row.parts.length));
  return figure({title, note, table, height: 46 + rows.length * 46, option: (ink) => {
    const totals = rows.map((row) => (relative ? sum(row.parts.map((part) => part.value)) || 1 : 1));
    return {
      ...baseOption(ink),
      xAxis: valueAxis(ink, relative ? percent : format, relative ? {max: 1} : {}),
      yAxis: categoryAxis(ink, rows.map((row) => row.label)),
      series: Array.from({length: depth}, (_, layer) => ({
        type: 'bar', stack: 'all', barWidth: 26,
        data: rows.map((row, at) => {
          const part = row.parts[layer];
          const share = part ? part.value / totals[at] : 0;
          return {value: share, part, itemStyle: {color: part ? ink[part.colour] : 'none',
                                                  borderColor: ink.paper, borderWidth: 1}};
        }),
        label: {show: true, color: ink['on-fill'], fontSize: 11, formatter: ({data}) =>
            (data.part && data.value > 0.075 ? data.part.name : '')},
        tooltip: {formatter: ({data, name}) => data.part && tooltip(
            `${flat(name)}: ${data.part.name}`, format(data.part.value), relative && percent(data.value),
            data.part.note)},
      })),
    };
  }});
}

const inkOfBound = (name) => (RESOURCES.includes(name) ? name : 'other');

function timeSection(runs) {
  const phases = phasesOf(runs);
  const parts = [];
  const timed = phases.filter(({ops}) => ops.length > 0).map((entry) => (
      {...entry, classes: operatorClasses(entry.ops)}));
  if (timed.length > 0) {
    const met = new Set(timed.flatMap(({classes}) => classes.map((entry) => entry.bound_by)));
    parts.push(
        element('p', {}, 'Each piece is an operator summed over the layers, as a share of the phase; ' +
            'its colour is the resource that bound it. Operators that overlap count in full.'),
        legend(RESOURCES.filter((name) => met.has(name)).map((name) => [name, boundColour(name)])),
        stackedBars({
          title: 'Time by operator', relative: true, format: seconds,
          rows: timed.map(({label, classes}) => ({label, parts: classes.map((entry) => (
              {name: entry.name, value: entry.time, colour: inkOfBound(entry.bound_by),
               note: `bound by ${entry.bound_by}, ${entry.times} times`}))})),
          table: sortableTable(['phase', 'operator', 'bound by', 'time', 'share', 'times', 'FLOP', 'DRAM bytes'],
              timed.flatMap(({label, classes}) => {
                const total = sum(classes.map((entry) => entry.time));
                return classes.map((entry) => [
                  cell(flat(label)), cell(entry.name), cell(boundTag(entry.bound_by), entry.bound_by),
                  numberCell(entry.time, seconds), numberCell(entry.time / total, percent),
                  numberCell(entry.times, count), numberCell(entry.flops, (v) => quantity(v, '')),
                  numberCell(entry.bytes, bytes)]);
              })),
        }));
  }
  const bound = phases.filter(({values}) => Object.keys(members(values.bound_shares)).length > 0);
  if (bound.length > 0) {
    const sharesOf = ({values}) => Object.entries(values.bound_shares).filter(([, share]) => share > 0);
    parts.push(stackedBars({
      title: 'What bound the time', note: 'Share of each phase by the resource that was waited for.',
      relative: true, format: percent,
      rows: bound.map((entry) => ({label: entry.label, parts: sharesOf(entry).map(([name, share]) => (
          {name, value: share, colour: inkOfBound(name)}))})),
      table: sortableTable(['phase', 'bound by', 'share'], bound.flatMap((entry) =>
          sharesOf(entry).map(([name, share]) => [
            cell(flat(entry.label)), cell(boundTag(name), name), numberCell(share, percent)]))),
    }));
  }
  return parts.length > 0 ? parts : undefined;
}

/// The dots of a roofline: operator classes that compute and touch DRAM.
function rooflineDots(run) {
  return phasesOf([run]).flatMap(({phase, ops}) => {
    const classes = operatorClasses(ops);
    const total = sum(classes.map((entry) => entry.time));
    return classes.filter((entry) => entry.flops > 0 && entry.bytes > 0 && entry.time > 0)
        .map((entry) => ({...entry, phase, share: entry.time / total,
                          intensity: entry.flops / entry.bytes, rate: entry.flops / entry.time}));
  });
}

function roofline(run) {
  const dots = rooflineDots(run);
  const {peak_flops: peak, dram_bytes_per_s: dram, sram_bytes_per_s: sram, format} = run.roofline;
  const ridge = peak / dram;
  const low = Math.min(ridge / 10, ...dots.map((dot) => dot.intensity)) / 2;
  const high = Math.max(ridge * 10, ...dots.map((dot) => dot.intensity)) * 2;
  const roof = (rate) => [[low, low * rate], [peak / rate, peak], [high, peak]]
      .filter(([x]) => x >= low && x <= high);
  const line = (ink, name, points, colour, type) => ({
    type: 'line', name, data: points, symbol: 'none', silent: true, z: 1,
    lineStyle: {color: ink[colour], width: 1.6, type},
    endLabel: {show: false},
    markPoint: {silent: true, symbol: 'circle', symbolSize: 1, data: [{coord: points[0]}],
                label: {show: true, formatter: name, color: ink[colour], fontSize: 11,
                        position: [6, colour === 'sram' ? 4 : -14]}},
  });
  return figure({
    title: `${run.model} on ${run.chip}`,
    note: `Peak ${quantity(peak, 'FLOP/s')}${format ? ` in ${format}` : ''}; circles are prefill, diamonds decode.`,
    height: 340,
    table: sortableTable(['phase', 'operator', 'bound by', 'FLOP/byte', 'reached', 'of peak', 'share of time'],
        dots.map((dot) => [cell(dot.phase), cell(dot.name), cell(boundTag(dot.bound_by), dot.bound_by),
                           numberCell(dot.intensity, count),
                           numberCell(dot.rate, (v) => quantity(v, 'FLOP/s')),
                           numberCell(dot.rate / peak, percent), numberCell(dot.share, percent)])),
    option: (ink) => ({
      ...baseOption(ink),
      grid: {left: 8, right: 24, top: 18, bottom: 26, containLabel: true},
      xAxis: valueAxis(ink, (v) => quantity(v, '').trim(), {type: 'log', min: low, max: high, name: 'FLOP per DRAM byte', nameGap: 26}),
      yAxis: valueAxis(ink, (v) => quantity(v, ''), {type: 'log', name: 'FLOP/s', nameLocation: 'end', nameGap: 6, max: peak * 2}),
      series: [
        line(ink, `DRAM ${quantity(dram, 'B/s')}`, roof(dram), 'dram', 'solid'),
        ...(isNumber(sram) ? [line(ink, `SRAM ${quantity(sram, 'B/s')}`, roof(sram), 'sram', 'dashed')] : []),
        {type: 'scatter', data: dots.map((dot) => ({
           value: [dot.intensity, dot.rate], dot, symbol: dot.phase === 'decode' ? 'diamond' : 'circle',
           symbolSize: 8 + 16 * Math.sqrt(dot.share),
           itemStyle: {color: ink.bound(dot.bound_by), opacity: 0.9, borderColor: ink.paper, borderWidth: 1}})),
         label: {show: true, position: 'bottom', color: ink.soft, fontSize: 11,
                 formatter: ({data}) => data.dot.name},
         labelLayout: {hideOverlap: true},
         tooltip: {formatter: ({data: {dot}}) => tooltip(
             `${dot.phase}: ${dot.name}`, `${quantity(dot.rate, 'FLOP/s')}, ${percent(dot.rate / peak)} of peak`,
             `${digits(dot.intensity)} FLOP/byte`, `bound by ${dot.bound_by}, ${percent(dot.share)} of the phase`)}},
      ],
    }),
  });
}

function rooflineSection(runs) {
  const drawn = runs.filter((run) => isNumber(run.roofline?.peak_flops) &&
      isNumber(run.roofline?.dram_bytes_per_s) && rooflineDots(run).length > 0);
  if (drawn.length === 0) return undefined;
  return [
    element('p', {}, 'Speed against work per byte of DRAM traffic. A dot is an operator summed over the ' +
        'layers, its size the share of the time, its colour what bound it. No dot can be above a roof.'),
    element('div', {class: 'panels'}, drawn.map(roofline))];
}
