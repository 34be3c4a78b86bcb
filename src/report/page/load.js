// Latency against load: a run of the whole load at each of several rates.

const RATE_AXIS = {
  name: 'requests offered a second',
  format: count,
  min: 0
};

/// The points of a service's curve that have `key`: [rate, value, misses the SLO].
const curveOf = (service, key) => list(service.load_curve)
                                      .filter((at) => isNumber(at?.rate) && isNumber(at[key]))
                                      .map((at) => [at.rate, at[key], at.meets === false]);

/// A latency against the rate, for each service: p99 solid, p50 dashed.
function loadFigure(services, name, objectives) {
  const metric = name.toLowerCase();
  const lines = services
                    .flatMap(
                        (service, i) => [['p99', false], ['p50', true]].map(
                            ([of, dashed]) => ({
                              name: `${asText(service.name)} ${of}`,
                              colour: seriesInk(i),
                              dashed,
                              points: curveOf(service, `${metric}_${of}_s`)
                            })))
                    .filter(({points}) => points.length > 0);
  if (lines.length === 0) return undefined;
  const values = lines.flatMap(({points}) => points.map(([, y]) => y));
  const log = needsLog(values);
  const marks = services.map(
      (service, i) => ({
        value: service.max_rate,
        colour: seriesInk(i),
        text: (services.length > 1 ? `${asText(service.name)}: ` : '') + perS(service.max_rate)
      }));
  return lineFigure({
    title: `${name} against load`,
    note: lines.some(({dashed}) => dashed) ? 'Solid: p99; dashed: p50.' : 'p99.',
    lines,
    across: RATE_AXIS,
    up: {
      format: (v) => roundQuantity(v, 's'),
      log,
      min: log ? powerOfTenBelow(Math.min(...values.filter((v) => v > 0))) : 0
    },
    levels: objectives.filter(({metric: of}) => of === `${metric}_s`)
                .map(({limit, text}) => ({value: limit, text})),
    marks: marks.filter(({value}) => isNumber(value)),
  });
}

function goodputFigure(services) {
  const lines = services
                    .map((service, i) => ({
                           name: asText(service.name),
                           colour: seriesInk(i),
                           points: curveOf(service, 'goodput')
                         }))
                    .filter(({points}) => points.length > 0);
  return lines.length === 0 ? undefined : lineFigure({
    title: 'Goodput against load',
    note: 'Requests a second that met the SLO.',
    lines,
    across: RATE_AXIS,
    up: {format: count, min: 0},
  });
}

function loadTable(services) {
  const columns = [
    ['offered', 'rate', perS], ['TTFT p50', 'ttft_p50_s', seconds],
    ['TTFT p99', 'ttft_p99_s', seconds], ['TPOT p50', 'tpot_p50_s', seconds],
    ['TPOT p99', 'tpot_p99_s', seconds], ['E2E p99', 'e2e_p99_s', seconds],
    ['output tokens/s', 'output_throughput', count], ['goodput/s', 'goodput', count],
    ['power', 'power_w', watts]
  ];
  return sortableTable(
      ['service', ...columns.map(([name]) => name), 'meets the SLO'],
      services.flatMap(
          (service) =>
              list(service.load_curve)
                  .filter(isObject)
                  .map(
                      (at) =>
                          [cell(asText(service.name)),
                           ...columns.map(([, key, format]) => numberCell(at[key], format)),
                           cell({true: 'yes', false: 'no'}[at.meets])])));
}

function loadCurves(services, objectives) {
  if (!services.some(({load_curve: curve}) => list(curve).length > 0)) return [];
  const marked = services.some(({max_rate: rate}) => isNumber(rate));
  return [
    element('h3', {}, 'Latency against load'),
    element(
        'p', {class: 'note'},
        'Each dot is a run of the whole load at that rate; a hollow one misses the SLO.' +
            (marked ? ' Upright: the largest rate that meets it.' : '')),
    services.length > 1 && legend(keyOf(services.map(({name}) => asText(name)))),
    ...withNumbers(
        [
          ...['TTFT', 'TPOT', 'E2E'].map((name) => loadFigure(services, name, objectives)),
          goodputFigure(services)
        ],
        '', loadTable(services))
  ].filter(Boolean);
}
