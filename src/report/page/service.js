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

/// "p99_ttft<=2s" as {of: 'p99', metric: 'ttft_s', limit: 2}; null when it is not of that form.
function promise(text) {
  const [, of, metric, number, unit] =
      /^\s*(mean|p\d+)_(ttft|tpot|itl|e2e)l?\s*<=\s*([\d.]+)\s*(ns|us|ms|s|min)\s*$/.exec(text) ?? [];
  const scale = {ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, min: 60}[unit];
  return scale ? {of, metric: `${metric}_s`, limit: number * scale, text: asText(text)} : null;
}

const promisesOf = (serve) =>
    (Array.isArray(serve.slo) ? serve.slo : asText(serve.slo).split(','))
        .map((text) => promise(asText(text)))
        .filter(Boolean);

function latencyTable(entries) {
  return sortableTable(
      ['latency', 'of', ...STATISTICS],
      LATENCIES.flatMap(
          ([key, name]) => entries.filter((entry) => isObject(entry[key]))
                               .map((entry) => [cell(name), cell(asText(entry.name)),
                                                ...STATISTICS.map(
                                                    (of) => numberCell(entry[key][of], seconds))])),
      {
        caption: 'TTFT: to the first token. TPOT: a token after the first, by request. ITL: ' +
            'between two tokens. E2E: to the last.'
      });
}

/// The spread of each latency, by service; `promises` where given.
function latencyFigures(entries, promises) {
  return LATENCIES
      .map(([key, name]) => {
        const met = entries.filter((entry) => isNumber(entry[key]?.p50));
        if (met.length === 0) return undefined;
        const limit = promises.find(({metric, of}) => metric === key && of === 'p99')?.limit;
        return spreadFigure({
          title: name,
          rows: met.map((entry) => ({name: asText(entry.name), ...entry[key], limit})),
          format: seconds,
          axisFormat: (v) => roundQuantity(v, 's')
        });
      })
      .filter(Boolean);
}

function serviceTable(services) {
  const row = (name, key, format) => ({
    name,
    format,
    values: services.map((service) => (typeof key === 'string' ? service[key] : key(service)))
  });
  return comparisonTable(services.map(({name}) => name), [
    row('chips', 'chips', whole),
    row('replicas', 'replicas', whole),
    row('requests', 'requests', whole),
    row('completed', 'completed', whole),
    row('turned away', 'turned_away', whole),
    row('rejected', 'rejected', whole),
    row('longer than the model reads', 'too_long', whole),
    row('preemptions', 'preemptions', whole),
    row('requests a second', 'request_throughput', count),
    row('of them within what is promised', 'request_goodput', count),
    row('tokens written a second', 'output_throughput', count),
    row('tokens read and written a second', 'total_token_throughput', count),
    row('largest rate within what is promised', 'max_rate', (v) => `${digits(v)} /s`),
    row('prompt tokens found in the cache', 'prefix_hit_rate', percent),
    row('KV memory in use, mean', (service) => service.kv_use?.mean, percent),
    row('KV memory in use, most', (service) => service.kv_use?.max, percent),
    row('requests waiting, mean', (service) => service.queue?.mean, count),
    row('requests waiting, most', (service) => service.queue?.max, whole),
    row('of peak FLOP/s', 'mfu', percent),
    row('power', 'power_w', watts),
    row('energy a token', 'energy_j_per_token', joules),
    row('a million tokens', 'usd_per_mtoken', money),
    row('length of the run', 'duration_s', seconds),
  ]);
}

function classTable(classes) {
  return sortableTable(
      ['class', 'requests', 'within what is promised', ...LATENCIES.flatMap(([, name]) => [
        `${name} p50`, `${name} p99`
      ])],
      classes.map((entry) => [cell(asText(entry.name)), numberCell(entry.requests, whole),
                              numberCell(entry.goodput_share ?? entry.goodput, percent),
                              ...LATENCIES.flatMap(([key]) => [numberCell(entry[key]?.p50, seconds),
                                                               numberCell(entry[key]?.p99, seconds)])]),
      {caption: 'Classes of requests'});
}

/// How far the table of step costs was from the steps of this very run.
function stepTableNotes(services) {
  return services.filter(({step_table: table}) => isNumber(table?.error_mean))
      .map(
          ({name, step_table: table}) => element(
              'p', {},
              `The cost of a step of ${name} is read from a table of ${whole(table.points)} ` +
                  `simulated steps. On ${whole(table.samples)} steps drawn from this very run it ` +
                  `is off by ${digits(table.error_mean)} % in the mean, ${
                      digits(table.error_max)} % at ` +
                  'worst.'));
}

const perS = (value) => `${digits(value)} /s`;

/// One latency against the rate, for each service: p99 solid, p50 dashed.
function loadFigure(services, metric, name, promises) {
  const key = metric.replace('_s', '');
  const solid = `${key}_p99_s`;
  const shown = services.filter(({load_curve: curve}) => list(curve).some((at) => isNumber(at[solid])));
  if (shown.length === 0) return undefined;
  const lines = shown.flatMap(
      (service) => [['p99', false], ['p50', true]].map(([of, dashed]) => ({
        name: `${service.name} ${of}`,
        colour: seriesInk(services.indexOf(service)),
        dashed,
        points: service.load_curve.map((at) => [at.rate, at[`${key}_${of}_s`]])
                    .filter((point) => point.every(isNumber)),
        hollow: (i) => service.load_curve[i].meets === false
      }))).filter(({points}) => points.length > 0);
  const values = lines.flatMap(({points}) => points.map(([, y]) => y));
  const log = needsLog(values);
  const limits = promises.filter((entry) => entry.metric === metric && entry.of === 'p99');
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
  const shown = services.filter(({load_curve: curve}) => list(curve).some((at) => isNumber(at.goodput)));
  if (shown.length === 0) return undefined;
  return lineFigure({
    title: 'Requests within what is promised',
    note: 'A second, against those offered a second.',
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
        'tokens written/s', 'within promise/s', 'power', 'meets all'
      ],
      services.flatMap(
          (service) => list(service.load_curve)
                           .map((at) => [cell(asText(service.name)), numberCell(at.rate, perS),
                                         numberCell(at.ttft_p50_s, seconds),
                                         numberCell(at.ttft_p99_s, seconds),
                                         numberCell(at.tpot_p50_s, seconds),
                                         numberCell(at.tpot_p99_s, seconds),
                                         numberCell(at.e2e_p99_s, seconds),
                                         numberCell(at.output_throughput, count),
                                         numberCell(at.goodput, count),
                                         numberCell(at.power_w, watts),
                                         cell(at.meets === undefined ? '' : at.meets ? 'yes' : 'no')])),
      {caption: 'Load and latency'});
}

function loadCurves(services, promises) {
  const figures = [
    loadFigure(services, 'ttft_s', 'Time to the first token', promises),
    loadFigure(services, 'tpot_s', 'Time a token after it', promises),
    loadFigure(services, 'e2e_s', 'Time to the last token', promises), throughputFigure(services)
  ].filter(Boolean);
  if (figures.length === 0) return [];
  const marked = services.some(({max_rate: rate}) => isNumber(rate));
  return [
    element('h3', {}, 'Latency against load'),
    element(
        'p', {class: 'note'},
        'Each dot is a run of the whole load at that rate; a hollow one breaks a promise.' +
            (marked ? ' The upright line is the largest rate at which all promises hold.' : '')),
    services.length > 1 && legend(keyOf(services.map(({name}) => name))),
    element('div', {class: 'panels'}, figures),
    element('details', {open: !hasCharts() && ''}, element('summary', {}, 'Numbers'),
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
          across: {format: clockFormat(last)},
          up: {format, min: key.endsWith('_c') ? undefined : 0, max: key === 'kv_use' ? 1 : undefined},
          levels: list(marks[key])
        });
      })
      .filter(Boolean);
}

function seriesTable(entries, followed) {
  return sortableTable(
      ['of', 'time', ...followed.map(([, title]) => title)],
      entries.flatMap(
          ({name, series}) => list(series?.t_s).map(
              (t, i) => [cell(name), numberCell(t, seconds),
                         ...followed.map(([key, , format]) => numberCell(series[key]?.[i], format))])));
}

/// The pictures over time with their numbers, folded.
function timeFigures(title, note, entries, followed, marks) {
  const figures = overTime(entries, followed, marks);
  if (figures.length === 0) return [];
  return [
    element('h3', {}, title), element('p', {class: 'note'}, note),
    entries.length > 1 && legend(keyOf(entries.map(({name}) => name))),
    element('div', {class: 'panels small'}, figures),
    element('details', {open: !hasCharts() && ''}, element('summary', {}, 'Numbers'),
            seriesTable(entries, followed))
  ].filter(Boolean);
}

function serviceParts(serve) {
  const services = servicesOf(serve);
  if (services.length === 0) return [];
  const promises = promisesOf(serve);
  const spreads = latencyFigures(services, promises);
  const classes = list(serve.classes).filter(isObject);
  const followed = services.map(({name, series}) => ({name: asText(name), series: members(series)}))
                       .filter(({series}) => list(series.t_s).length > 0);
  return [
    promises.length > 0 && element(
        'p', {}, 'Promised: ', promises.map(({text}, i) => `${i ? ', ' : ''}${text}`).join('')),
    serviceTable(services),
    hasCharts() && spreads.length > 0 && element('div', {class: 'panels'}, spreads),
    latencyTable(services),
    classes.length > 0 && classTable(classes),
    ...loadCurves(services, promises),
    ...timeFigures(
        'Over time', 'Means over equal spans of the run.', followed, FOLLOWED),
    ...batchFigures(services),
    ...stepTableNotes(services),
  ].filter(Boolean);
}
