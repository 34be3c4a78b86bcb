// A service under load: latencies side by side, latency against load, queue, memory and power over
// time.

/// The services of a scenario. The first one's keys are those of the scenario too, with its name.
function servicesOf(serve) {
  const listed = list(serve.services).filter(isObject);
  const name = asText(serve.name ?? 'service');
  const isListed = listed.some((service) => service.name === name);
  return isListed || !(isObject(serve.ttft_s) || serve.no) ? listed : [{...serve, name}, ...listed];
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

/// The SLO of a scenario or a service: texts, or what became of each {text, value_s, met}.
const objectivesOf = (slo) => (Array.isArray(slo) ? slo : asText(slo).split(','))
                                  .map((limit) => objective(asText(limit?.text ?? limit)))
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

/// A service whose table was checked on no step has no errors to show.
const checked = (service) =>
    (service.step_table?.samples === 0 ?
         {...service, step_table: {points: service.step_table.points}} :
         service);

/// What the services did, what they took and how exact that is: a column for each service.
function serviceTables(services) {
  const table = (caption, rows) => comparisonTable(
      services.map(({name}) => asText(name)),
      rows.map(
          ([name, key, format]) =>
              ({name, format, values: services.map((service) => numberAt(checked(service), key))})),
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
          ['requests arrived/s', 'rate', count],
          ['requests completed/s', 'request_throughput', count],
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
          ['MFU while busy', 'mfu_busy', percent],
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
          ['error of the energy, mean', 'step_table.energy_error_mean', ofHundred],
          ['error of the energy, largest', 'step_table.energy_error_max', ofHundred],
        ])
  ].filter(hasRows);
}

function classTable(services) {
  const rows = services.flatMap(
      ({name, classes}) => list(classes).filter(isObject).map((entry) => ({of: name, ...entry})));
  return sortableTable(
      [
        'class', 'of', 'requests', 'completed', 'met the SLO',
        ...LATENCIES.flatMap(([, name]) => [`${name} p50`, `${name} p99`])
      ],
      rows.map(
          (entry) =>
              [cell(asText(entry.name)), cell(asText(entry.of)), numberCell(entry.requests, whole),
               numberCell(entry.completed, whole), numberCell(entry.kept_share, percent),
               ...LATENCIES.flatMap(
                   ([key]) =>
                       [numberCell(entry[key]?.p50, seconds),
                        numberCell(entry[key]?.p99, seconds)])]),
      {caption: 'Classes of requests'});
}

/// What the replicas are, and how their memory is shared out.
function poolTable(services) {
  const rows = services.flatMap(
      ({name, pools}) => list(pools).filter(isObject).map((pool) => ({of: name, ...pool})));
  return sortableTable(
      [
        'service', 'chip', 'model', 'role', 'replicas', 'chips each', 'memory', 'weights',
        'workspace', 'KV cache', 'blocks', 'steps'
      ],
      rows.map(
          (pool) =>
              [cell(asText(pool.of)), cell(asText(pool.chip)), cell(asText(pool.model)),
               cell(asText(pool.role)), numberCell(pool.replicas, whole),
               numberCell(pool.chips_per_replica, whole),
               ...['memory_bytes', 'weight_bytes', 'workspace_bytes', 'cache_bytes'].map(
                   (key) => numberCell(pool[key], bytes)),
               numberCell(pool.kv_blocks, whole), numberCell(pool.steps, whole)]),
      {caption: 'Pools of replicas'});
}

/// What the time of each pool's steps went to; a service of one pool lends it its name.
function boundOfPools({name, pools}) {
  const all = list(pools).filter(isObject);
  const labelOf = (pool) => [name, all.length > 1 && pool.name].filter(Boolean).map(asText);
  return all.map((pool) => ({label: labelOf(pool).join(': '), shares: pool.bound_shares}));
}

/// Services that cannot be, each with what would do.
const refusals = (services) =>
    services.filter(({no}) => isObject(no))
        .map(
            ({name, no}) => element(
                'p', {class: 'notice'}, element('b', {}, `${asText(name)}: no, `), noteOf(no)));
const noteOf = ({
  reason,
  remedy
}) => [asText(reason), remedy && `What would do: ${asText(remedy)}`].filter(Boolean).join('. ');

/// Text that is there as text; what is structured stays in the data.
const textOf = (value) => (typeof value === 'string' ? value : '');

function serviceParts(serve) {
  const all = servicesOf(serve);
  const services = all.filter((service) => isObject(service.ttft_s));
  const objectives = objectivesOf(all.find(({slo}) => slo)?.slo ?? serve.slo);
  const spreads = latencyFigures(services, objectives);
  const followed = services.map(({name, series}) => ({name: asText(name), series: members(series)}))
                       .filter(({series}) => list(series.t_s).length > 0);
  if (services.length === 0) return refusals(all);
  return [
    element(
        'dl', {class: 'facts'}, fact('model', textOf(serve.model)),
        fact('load', textOf(serve.load)), fact('SLO', objectives.map(({text}) => text).join(', '))),
    ...refusals(all),
    element('div', {class: 'panels'}, serviceTables(services)),
    hasCharts() && spreads.length > 0 && element('div', {class: 'panels'}, spreads),
    ...[latencyTable(services), classTable(services), poolTable(services)].filter(hasRows),
    ...boundFigures('pool', 'Of steps drawn from this run, by the resource that was waited for.',
                    services.flatMap(boundOfPools)),
    ...loadCurves(services, objectives),
    ...timeFigures({
      title: 'Over time',
      note: 'Means over equal spans of the run.',
      entries: followed,
      followed: FOLLOWED
    }),
    ...batchFigures(services),
  ].filter(Boolean);
}
