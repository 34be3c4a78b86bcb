// The sweep: a scatter of any two of its numbers, the points that no other beats, a table.

/// The leaves of a point as dotted names: {"decode.time_s": 0.1}. Lists are left out.
function leavesOf(json, prefix = '') {
  return Object.entries(members(json))
      .flatMap(
          ([key, value]) =>
              (isObject(value) ? leavesOf(value, `${prefix}${key}.`) :
                   Array.isArray(value) ? [] :
                                          [[(prefix + key).replace(/^phases\./, ''), value]]));
}

/// The leaves that the table shows when there are many; the chart offers every number.
const MAIN = [
  'status', 'reason', 'tokens_per_s', 'time_s', 'bound_by', 'dram_bandwidth_gbs', 'dram_efficiency',
  'energy_j', 'power_w', 'usd_per_mtoken', 'usd_per_chip.typical'
];
const isMain = (key) => MAIN.some((name) => key === name || key.endsWith(`.${name}`));

const settingText = (settings) =>
    Object.entries(members(settings)).map(([key, value]) => `${key}=${asText(value)}`).join(', ');

/// A number by the unit that ends its key.
function byKey(key, value) {
  if (!isNumber(value)) return key === 'status' && value === 'ok' ? '' : asText(value);
  if (key.endsWith('_per_s')) return quantity(value, '/s');
  if (key.endsWith('_gbs')) return quantity(value * 1e9, 'B/s');
  if (key.endsWith('_bytes')) return bytes(value);
  if (key.endsWith('_s')) return seconds(value);
  if (key.endsWith('_j')) return joules(value);
  if (key.endsWith('_w')) return quantity(value, 'W');
  if (/(efficiency|share|yield)$|shares\./.test(key)) return percent(value);
  if (key.includes('usd')) return dollars(value);
  return count(value);
}

function scatterOption(ink, points, best, x, y) {
  const dots = points.map((point, i) => ({point, i, value: [point.numbers[x], point.numbers[y]]}))
                   .filter(({value}) => value.every(isNumber));
  const front = dots.filter(({i}) => best.has(i)).sort((a, b) => a.value[0] - b.value[0]);
  const axis = (key, extra) =>
      valueAxis(ink, (v) => byKey(key, v), {scale: true, name: key, ...extra});
  return {
    ...baseOption(ink),
    grid: {left: 8, right: 30, top: 30, bottom: 30, containLabel: true},
    xAxis: axis(x, {nameGap: 30}),
    yAxis: axis(y, {nameLocation: 'end', nameTextStyle: {color: ink.soft, align: 'left'}}),
    series: [
      {
        type: 'line',
        silent: true,
        symbol: 'none',
        lineStyle: {color: ink.accent, width: 1.4, type: 'dashed'},
        data: front.map(({value}) => value)
      },
      {
        type: 'scatter',
        data: dots.map(
            (dot) => ({
              ...dot,
              symbolSize: best.has(dot.i) ? 15 : 10,
              itemStyle: best.has(dot.i) ?
                  {color: ink.bound(dot.point.bound), borderColor: ink.ink, borderWidth: 1.5} :
                  {color: ink.bound(dot.point.bound), opacity: 0.55}
            })),
        label: {
          show: true,
          position: 'right',
          color: ink.soft,
          fontSize: 11,
          formatter: ({data}) => (best.has(data.i) ? data.point.settings : '')
        },
        labelLayout: {hideOverlap: true},
        tooltip: {
          formatter: ({data: {point, value, i}}) => tooltip(
              point.settings, `${x}: ${byKey(x, value[0])}`, `${y}: ${byKey(y, value[1])}`,
              point.bound && `bound by ${point.bound}`, best.has(i) && 'no other point beats it')
        }
      }
    ],
  };
}

function sweepSection(sweep) {
  const given = list(sweep?.points).filter(isObject);
  if (given.length === 0) return undefined;
  const best = new Set(list(sweep.pareto));
  const points = given.map(({set, ...rest}) => {
    const leaves = leavesOf(rest);
    return {
      set: members(set),
      settings: settingText(set),
      leaves: Object.fromEntries(leaves),
      numbers: Object.fromEntries(leaves.filter(([, value]) => isNumber(value))),
      bound: leaves.find(([key]) => key.endsWith('bound_by'))?.[1]
    };
  });
  const settings = [...new Set(points.flatMap((point) => Object.keys(point.set)))];
  const metrics = [...new Set(points.flatMap((point) => Object.keys(point.leaves)))];
  const numeric = metrics.filter((key) => points.some((point) => isNumber(point.numbers[key])));
  const columns = metrics.length > 12 ? metrics.filter(isMain) : metrics;
  const table = sortableTable(
      ['★', ...settings, ...columns.map((key) => key.replace('.', '.\n'))],
      points.map(
          (point, i) =>
              [cell(best.has(i) ? '★' : ''),
               ...settings.map((key) => cell(asText(point.set[key]), point.set[key])),
               ...columns.map(
                   (key) =>
                       (key.endsWith('bound_by') ?
                            cell(boundTag(point.leaves[key]), point.leaves[key]) :
                            cell(byKey(key, point.leaves[key]), point.leaves[key])))]),
      {picked: (i) => best.has(i), caption: '★ No other point is better in every objective.'});
  if (numeric.length < 2 || !hasCharts()) return [table];

  const preferred =
      (patterns,
       taken) => [...patterns, /./]
                     .map((pattern) => numeric.find((key) => pattern.test(key) && key !== taken))
                     .find(Boolean);
  const x = preferred([/usd_per_mtoken$/, /energy_j$/]);
  const axes = {x, y: preferred([/decode\.tokens_per_s$/, /tokens_per_s$/], x)};
  const drawing = {};
  const choose = (which, label) => {
    const select = element(
        'select', {id: `sweep-${which}`},
        numeric.map(
            (key) => element('option', {value: key, selected: key === axes[which] && ''}, key)));
    select.addEventListener('change', () => {
      axes[which] = select.value;
      draw(drawing.entry);
    });
    return element('span', {}, element('label', {for: `sweep-${which}`
                   }, label), ' ', select);
  };
  const bounds = [...new Set(points.map((point) => point.bound).filter(Boolean))];
  const chart = figure({
    title: sweep.model ? `${sweep.model} on ${sweep.chip}` : 'The points of the sweep',
    height: 400,
    key: bounds.map((name) => [name, boundColour(name)]),
    note: 'The colour is what bound a point; those with a rim are on the Pareto front.',
    option: (ink) => scatterOption(ink, points, best, axes.x, axes.y)
  });
  drawing.entry = drawings.at(-1);
  return [element('div', {class: 'tools'}, choose('x', 'across'), choose('y', 'up')), chart, table];
}
