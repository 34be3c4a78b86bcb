// A service under load: latencies side by side, latency against load, queue, memory and power over
// time.

/// The services of a scenario, the first one's keys being those of the scenario itself.
function servicesOf(serve) {
  const others = list(serve.services).filter(isObject);
  if (!isObject(serve.ttft_s) && !isObject(serve.e2e_s)) return others;
  const name = asText(serve.name ?? serve.service ?? 'service');
  return [{...serve, name}, ...others.filter((other) => other.name !== name)];
}

const LATENCIES = [['ttft_s', 'TTFT'], ['tpot_s', 'TPOT'], ['itl_s', 'ITL'], ['e2e_s', 'E2E']];
const STATISTICS = ['mean', 'p50', 'p90', 'p99'];

/// "p99_ttft<=2s" as {of: 'p99', metric: 'ttft_s', limit: 2, text}; null when not of that form.
function objective(given) {
  const [, of, metric, number, unit] =
      /^\s*(mean|p\d+)_(ttft|tpot|itl|e2e)l?\s*<=\s*([\d.]+)\s*(ns|us|ms|s|min)\s*$/.exec(given) ??
      [];
  const scale = {ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, min: 60}[unit];
  if (!scale) return null;
  const text = `${of} ${metric.toUpperCase()} ≤ ${number} ${unit}`;
  return {of, metric: `${metric}_s`, limit: number * scale, text};
}

const objectivesOf = (serve) =>
    (Array.isArray(serve.slo) ? serve.slo : asText(serve.slo).split(','))
        .map((text) => objective(asText(text)))
        .filter(Boolean);

function latencyTable(entries) {
  return sortableTable(
      ['latency', 'of', ...STATISTICS],
      LATENCIES.flatMap(
          ([key, name]) =>
              entries.filter((entry) => isObject(entry[key]))
                  .map(
                      (entry) =>
                          [cell(name), cell(asText(entry.name)),
                           ...STATISTICS.map((of) => numberCell(entry[key][of], seconds))])),
      {
        caption: 'TTFT: to the first token. TPOT: a token after the first, by request. ITL: ' +
            'between two tokens. E2E: to the last.'
      });
}

/// The spread of each latency, by service; `objectives` where given.
function latencyFigures(entries, objectives) {
  return LATENCIES
      .map(([key, name]) => {
        const met = entries.filter((entry) => isNumber(entry[key]?.p50));
        if (met.length === 0) return undefined;
        const limit = objectives.find(({metric, of}) => metric === key && of === 'p99')?.limit;
        return spreadFigure({
          title: name,
          rows: met.map((entry) => ({name: asText(entry.name), ...entry[key], limit})),
          format: seconds,
          axisFormat: (v) => roundQuantity(v, 's')
        });
      })
      .filter(Boolean);
}

/// What the services did, what they took and how exact that is: a column for each service.
function serviceTables(services) {
  const table = (caption, rows) => comparisonTable(
      services.map(({name}) => asText(name)),
      rows.map(
          ([name, key, format]) =>
              ({name, format, values: services.map((service) => numberAt(service, key))})),
      caption);
  return [
    table(
        'What was served',
        [
          ['requests', 'requests', whole],
          ['completed', 'completed', whole],
          ['turned away at the door', 'turned_away', whole],
          ['longer than the model reads', 'too_long', whole],
          ['rejected', 'rejected', whole],
          ['preempted and computed again', 'preemptions', whole],
          ['requests/s', 'request_throughput', count],
          ['goodput: requests/s that met the SLO', 'request_goodput', count],
          ['largest rate that meets the SLO', 'max_rate', perS],
          ['output tokens/s', 'output_throughput', count],
          ['prompt and output tokens/s', 'total_token_throughput', count],
          ['length of the run', 'duration_s', duration],
        ]),
    table(
        'What it took',
        [
          ['chips', 'chips', whole],
          ['replicas', 'replicas', whole],
          ['prompt tokens found in the prefix cache', 'prefix_hit_rate', percent],
          ['KV memory in use, mean', 'kv_use.mean', percent],
          ['KV memory in use, most', 'kv_use.max', percent],
          ['requests waiting, mean', 'queue.mean', count],
          ['requests waiting, most', 'queue.max', whole],
          ['MFU', 'mfu', percent],
          ['power', 'power_w', watts],
          ['energy', 'energy_j', joules],
          ['energy an output token', 'energy_j_per_token', joules],
          ['dollars a million tokens', 'usd_per_mtoken', money],
        ]),
    table(
        'The table of step costs, checked on steps drawn from this very run',
        [
          ['steps simulated for the table', 'step_table.points', whole],
          ['steps drawn', 'step_table.samples', whole],
          ['error, mean', 'step_table.error_mean', ofHundred],
          ['error, largest', 'step_table.error_max', ofHundred],
        ])
  ].filter((table) => table.querySelector('tbody').rows.length > 0);
}

const perS = (value) => `${digits(value)} /s`;
const ofHundred = (value) => `${digits(value)} %`;

/// The value at a dotted key.
const numberAt = (json, key) => key.split('.').reduce((part, name) => members(part)[name], json);

function classTable(classes) {
  return sortableTable(
      [
        'class', 'requests', 'met the SLO',
        ...LATENCIES.flatMap(([, name]) => [`${name} p50`, `${name} p99`])
      ],
      classes.map(
          (entry) =>
              [cell(asText(entry.name)), numberCell(entry.requests, whole),
               numberCell(entry.goodput_share ?? entry.goodput, percent),
               ...LATENCIES.flatMap(
                   ([key]) =>
                       [numberCell(entry[key]?.p50, seconds),
                        numberCell(entry[key]?.p99, seconds)])]),
      {caption: 'Classes of requests'});
}

/// One latency against the rate, for each service: p99 solid, p50 dashed.
function loadFigure(services, metric, name, objectives) {
  const key = metric.replace('_s', '');
  const solid = `${key}_p99_s`;
  const shown =
      services.filter(({load_curve: curve}) => list(curve).some((at) => isNumber(at[solid])));
  if (shown.length === 0) return undefined;
  const lines =
      shown
          .flatMap(
              (service) => [['p99', false], ['p50', true]].map(
                  ([of, dashed]) => ({
                    name: `${service.name} ${of}`,
                    colour: seriesInk(services.indexOf(service)),
                    dashed,
                    points: service.load_curve.map((at) => [at.rate, at[`${key}_${of}_s`]])
                                .filter((point) => point.every(isNumber)),
                    hollow: (i) => service.load_curve[i].meets === false
                  })))
          .filter(({points}) => points.length > 0);
  const values = lines.flatMap(({points}) => points.map(([, y]) => y));
  const log = needsLog(values);
  const limits = objectives.filter((entry) => entry.metric === metric && entry.of === 'p99');
  return lineFigure({
    title: `${name} against load`,
    note: lines.some(({dashed}) => dashed) ? 'Solid: p99; dashed: p50.' : 'p99.',
    lines,
    across: {name: 'requests offered a second', format: count, min: 0},
    up: {
      format: (v) => roundQuantity(v, 's'),
      log,
      min: log ? powerOfTenBelow(Math.min(...values)) : 0
    },
    levels: limits.map(({limit, text}) => ({value: limit, text})),
    marks: shown.filter(({max_rate: rate}) => isNumber(rate))
               .map((service) => ({
                      value: service.max_rate,
                      colour: seriesInk(services.indexOf(service)),
                      text: `${services.length > 1 ? `${service.name}: ` : ''}${
                          digits(service.max_rate)} /s`
                    })),
  });
}

function throughputFigure(services) {
  const shown =
      services.filter(({load_curve: curve}) => list(curve).some((at) => isNumber(at.goodput)));
  if (shown.length === 0) return undefined;
  return lineFigure({
    title: 'Goodput against load',
    note: 'Requests a second that met the SLO.',
    lines: shown.map((service) => ({
                       name: asText(service.name),
                       colour: seriesInk(services.indexOf(service)),
                       points: service.load_curve.map((at) => [at.rate, at.goodput])
                                   .filter((point) => point.every(isNumber)),
                       hollow: (i) => service.load_curve[i].meets === false
                     })),
    across: {name: 'requests offered a second', format: count, min: 0},
    up: {format: count, min: 0},
  });
}

function loadTable(services) {
  return sortableTable(
      [
        'service', 'offered', 'TTFT p50', 'TTFT p99', 'TPOT p50', 'TPOT p99', 'E2E p99',
        'output tokens/s', 'goodput/s', 'power', 'meets the SLO'
      ],
      services.flatMap(
          (service) =>
              list(service.load_curve)
                  .map(
                      (at) =>
                          [cell(asText(service.name)), numberCell(at.rate, perS),
                           numberCell(at.ttft_p50_s, seconds), numberCell(at.ttft_p99_s, seconds),
                           numberCell(at.tpot_p50_s, seconds), numberCell(at.tpot_p99_s, seconds),
                           numberCell(at.e2e_p99_s, seconds),
                           numberCell(at.output_throughput, count), numberCell(at.goodput, count),
                           numberCell(at.power_w, watts),
                           cell(
                               at.meets === undefined ? '' :
                                   at.meets           ? 'yes' :
                                                        'no')])),
      {caption: 'Load and latency'});
}

function loadCurves(services, objectives) {
  const figures = [
    loadFigure(services, 'ttft_s', 'TTFT', objectives),
    loadFigure(services, 'tpot_s', 'TPOT', objectives),
    loadFigure(services, 'e2e_s', 'E2E', objectives), throughputFigure(services)
  ].filter(Boolean);
  if (figures.length === 0) return [];
  const marked = services.some(({max_rate: rate}) => isNumber(rate));
  return [
    element('h3', {}, 'Latency against load'),
    element(
        'p', {class: 'note'},
        'Each dot is a run of the whole load at that rate; a hollow one misses the SLO.' +
            (marked ? ' Upright: the largest rate that meets it.' : '')),
    services.length > 1 && legend(keyOf(services.map(({name}) => name))),
    element('div', {class: 'panels'}, figures),
    element(
        'details', {open: !hasCharts() && ''}, element('summary', {}, 'Numbers'),
        loadTable(services))
  ].filter(Boolean);
}

/// What is followed over time: [key, title, format].
const FOLLOWED = [
  ['queue', 'Requests waiting', count], ['running', 'Requests running', count],
  ['kv_use', 'KV memory in use', percent], ['power_w', 'Power', watts],
  ['replicas', 'Replicas', count]
];

/// A small picture for each thing followed over time, `entries` {name, series} in one colour each.
function overTime(entries, followed, marks = {}) {
  return followed
      .map(([key, title, format]) => {
        const met = entries.filter(({series}) => list(series?.[key]).some(isNumber));
        const values = met.flatMap(({series}) => series[key]);
        if (met.length === 0 || values.every((value) => value === values[0])) return undefined;
        const last = Math.max(...met.flatMap(({series}) => list(series.t_s)));
        return lineFigure({
          title,
          height: 190,
          dots: false,
          lines: met.map(({name, series}) => ({
                           name,
                           colour: seriesInk(entries.findIndex((entry) => entry.name === name)),
                           step: key === 'replicas',
                           points: series.t_s.map((t, i) => [t, series[key][i]])
                                       .filter((point) => point.every(isNumber))
                         })),
          across: clockAxis(last),
          up: {
            format,
            scale: key.endsWith('_c'),
            min: key.endsWith('_c') ? undefined : 0,
            max: key === 'kv_use' ? 1 : undefined
          },
          levels: list(marks[key])
        });
      })
      .filter(Boolean);
}

function seriesTable(entries, followed) {
  return sortableTable(
      ['of', 'time', ...followed.map(([, title]) => title)],
      entries.flatMap(
          ({name, series}) =>
              list(series?.t_s)
                  .map(
                      (t, i) =>
                          [cell(name), numberCell(t, seconds),
                           ...followed.map(
                               ([key, , format]) => numberCell(series[key]?.[i], format))])));
}

/// The pictures over time with their numbers, folded.
function timeFigures(title, note, entries, followed, marks, size = 'small') {
  const figures = overTime(entries, followed, marks);
  if (figures.length === 0) return [];
  return [
    element('h3', {}, title), element('p', {class: 'note'}, note),
    entries.length > 1 && legend(keyOf(entries.map(({name}) => name))),
    element('div', {class: `panels ${size}`}, figures),
    element(
        'details', {open: !hasCharts() && ''}, element('summary', {}, 'Numbers'),
        seriesTable(entries, followed))
  ].filter(Boolean);
}

/// Text that is there as text; what is structured stays in the data.
const textOf = (value) => (typeof value === 'string' ? value : '');

function serviceParts(serve) {
  const services = servicesOf(serve);
  if (services.length === 0) return [];
  const objectives = objectivesOf(serve);
  const spreads = latencyFigures(services, objectives);
  const classes = list(serve.classes).filter(isObject);
  const followed = services.map(({name, series}) => ({name: asText(name), series: members(series)}))
                       .filter(({series}) => list(series.t_s).length > 0);
  return [
    element(
        'dl', {class: 'facts'}, fact('model', textOf(serve.model)),
        fact('load', textOf(serve.load)), fact('SLO', objectives.map(({text}) => text).join(', '))),
    element('div', {class: 'panels'}, serviceTables(services)),
    hasCharts() && spreads.length > 0 && element('div', {class: 'panels'}, spreads),
    latencyTable(services),
    classes.length > 0 && classTable(classes),
    ...loadCurves(services, objectives),
    ...timeFigures('Over time', 'Means over equal spans of the run.', followed, FOLLOWED),
    ...batchFigures(services),
  ].filter(Boolean);
}
