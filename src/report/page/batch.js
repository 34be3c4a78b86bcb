// The Gantt of the batch: every step of a window of the run, as long as it took, as high as it was
// full.

const MOST_REPLICAS = 8;

/// The lanes of a replica: what a step held, in what colour.
const LANES = [
  ['prefill_tokens', 'prompt tokens', 'matrix'], ['decode_sequences', 'sequences decoded', 'dram'],
  ['waiting', 'requests waiting', 'noc']
];

function batchFigure({name, gantt}) {
  const steps = gantt.filter((step) => isNumber(step?.start_s) && step.end_s > step.start_s);
  if (steps.length === 0) return undefined;
  const all = [...new Set(steps.map((step) => step.replica ?? 0))].sort((a, b) => a - b);
  const replicas = all.slice(0, MOST_REPLICAS);
  const drawn = steps.filter((step) => replicas.includes(step.replica ?? 0));
  const from = Math.min(...drawn.map((step) => step.start_s));
  const to = Math.max(...drawn.map((step) => step.end_s));
  const most = Object.fromEntries(
      LANES.map(([key]) => [key, Math.max(0, ...drawn.map((step) => step[key] ?? 0))]));
  const lanes = LANES.filter(([key]) => most[key] > 0);
  const rows = replicas.flatMap(
      (replica) => lanes.map(([key, title, colour]) => ({
                               replica,
                               key,
                               colour,
                               name: `${title}${replicas.length > 1 ? `\nreplica ${replica}` : ''}`
                             })));
  const bars = drawn.flatMap(
      (step) =>
          rows.map((row, i) => ({row, i, step}))
              .filter(({row, step}) => row.replica === (step.replica ?? 0) && step[row.key] > 0));
  return figure({
    title: `Steps of ${name}`,
    note: 'A box is a step: as wide as it took, as high as what it held. Full height: ' +
        `${lanes.map(([key, title]) => `${title} ${whole(most[key])}`).join(', ')}. From ${
              from.toFixed(3)} s of the run.` +
        (all.length > replicas.length ? ` The first ${replicas.length} of ${all.length} replicas.` :
                                        ''),
    key: lanes.map(([, title, colour]) => [title, `var(--${colour})`]),
    height: 44 + rows.length * (replicas.length > 2 ? 40 : 54),
    table: sortableTable(
        ['replica', 'from', 'took', 'prompt tokens', 'sequences decoded', 'requests waiting'],
        steps.map(
            (step) =>
                [numberCell(step.replica ?? 0, count),
                 cell(`${step.start_s.toFixed(4)} s`, step.start_s),
                 numberCell(step.end_s - step.start_s, seconds),
                 ...LANES.map(([key]) => numberCell(step[key], whole))])),
    option: (ink, width) => ({
      ...baseOption(ink),
      xAxis: numericAxis(ink, clockAxis(to - from, width < 600 ? 3.6 : 8)),
      yAxis: categoryAxis(ink, rows.map((row) => row.name), {
        axisLabel: {color: ink.ink, fontSize: width < 600 ? 10 : 12, lineHeight: 14},
        splitLine: {show: true, lineStyle: {color: ink.line}}
      }),
      series: [{
        type: 'custom',
        clip: true,
        encode: {x: [1, 2], y: 0},
        data: bars.map(
            ({i, step, row}) =>
                ({value: [i, step.start_s - from, step.end_s - from, step[row.key]], row, step})),
        renderItem(params, api) {
          const {row} = bars[params.dataIndex];
          const [x1, middle] = api.coord([api.value(1), api.value(0)]);
          const [x2] = api.coord([api.value(2), api.value(0)]);
          const lane = api.size([0, 1])[1] * 0.84;
          const height = Math.max(1.5, lane * api.value(3) / most[row.key]);
          return {
            type: 'rect',
            shape:
                {x: x1, y: middle + lane / 2 - height, width: Math.max(0.7, x2 - x1 - 0.4), height},
            style: {fill: ink[row.colour]}
          };
        },
        tooltip: {
          formatter: ({data: {step}}) => tooltip(
              `${seconds(step.end_s - step.start_s)} from ${step.start_s.toFixed(4)} s`,
              ...LANES.map(([key, title]) => isNumber(step[key]) && `${whole(step[key])} ${title}`))
        },
      }],
    }),
  });
}

function batchFigures(services) {
  return services.filter(({gantt}) => list(gantt).length > 0)
      .map(({name, gantt}) => batchFigure({name: asText(name), gantt: gantt.filter(isObject)}))
      .filter(Boolean);
}
