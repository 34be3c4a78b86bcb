// Plots that the serving sections share: lines with bands over a numeric axis, the spread of a
// latency, amounts laid end to end.

const SERIES = ['dram', 'matrix', 'sram', 'vector', 'noc', 'link', 'dma', 'launch'];
const seriesInk = (i) => SERIES[i % SERIES.length];

/// The key of a figure whose colours are `names`, in order; one alone needs none.
const keyOf = (names) =>
    (names.length > 1 ? names.map((name, i) => [name, `var(--${seriesInk(i)})`]) : undefined);

/// Whether values need a logarithmic axis to be told apart.
function needsLog(values) {
  const positive = values.filter((value) => value > 0);
  return positive.length > 1 && Math.max(...positive) > 25 * Math.min(...positive);
}

/// "1.8 kW" of "1.80 kW".
const withoutZeros = (text) => text.replace(/(\.\d*?)0+(?!\d)/, '$1').replace(/\.(?!\d)/, '');

/// An axis from {name, format, log} and what else ECharts knows of axes. Its ends are labelled only
/// where they are round: powers of ten on a logarithmic axis, whole intervals on others.
function numericAxis(ink, {name, format, log, ...more}) {
  const round = (value) => Math.abs(value - Math.round(value)) < 1e-6;
  const label = (value) => withoutZeros(format(value));
  const axis = valueAxis(
      ink, log ? (value) => (round(Math.log10(value)) ? label(value) : '') : label,
      {type: log ? 'log' : 'value', name, nameGap: name && 27, ...more});
  if (more.interval) axis.axisLabel.showMaxLabel = round(more.max / more.interval);
  return axis;
}

/// The area between low and high: `points` of [x, low, high].
function bandSeries(ink, colour, points) {
  return {
    type: 'custom',
    silent: true,
    z: 1,
    clip: true,
    data: points,
    encode: {x: 0, y: [1, 2]},
    renderItem(params, api) {
      if (params.dataIndex > 0) return undefined;
      const edge = (side) => points.map((point) => api.coord([point[0], point[side]]));
      return {
        type: 'polygon',
        shape: {points: [...edge(1), ...edge(2).reverse()]},
        style: {fill: ink[colour], opacity: 0.16}
      };
    },
  };
}

/// Lines at a value of the y axis; their text stands on them.
function levelLines(ink, levels) {
  return levels.map(({value, text, colour = 'power'}) => ({
                      yAxis: value,
                      lineStyle: {color: ink[colour], width: 1.4, type: 'dashed'},
                      label: {
                        formatter: text,
                        color: ink[colour],
                        fontSize: 11,
                        position: 'insideStartTop',
                        textBorderColor: ink.paper,
                        textBorderWidth: 3
                      },
                    }));
}

/// Lines at a value of the x axis; their text stands above the plot, each on a row of its own and
/// towards the middle. `share(value)` is how far right a value lies, from 0 to 1; `position` is
/// 'start' where the y axis runs down, `above` how many rows stay free.
function markLines(ink, marks, share, {position = 'end', above = 0} = {}) {
  return marks.map(({value, text, colour = 'power'}, row) => ({
                     xAxis: value,
                     lineStyle: {color: ink[colour], width: 1.4, type: 'dashed'},
                     label: {
                       formatter: text,
                       color: ink[colour],
                       fontSize: 11,
                       position,
                       rotate: 0,
                       distance: 3 + 14 * (row + above),
                       align: share(value) > 0.5 ? 'right' : 'left'
                     },
                   }));
}

/// Lines over a numeric axis. `lines`: {name, colour, points of [x, y, hollow], band of [x, low,
/// high], dashed, step}; `across` and `up`: {name, format, log, min, max}; `levels` and
/// `marks`: {value, text, colour} of lines across and upright.
function lineFigure(
    {lines, across, up, levels = [], marks = [], dots = true, height = 250, ...rest}) {
  const xs = lines.flatMap(({points}) => points.map(([x]) => x));
  const [first, last] = [across.min ?? Math.min(...xs), across.max ?? Math.max(...xs)];
  const place = across.log ? Math.log : Number;
  const share = (x) => (place(x) - place(first)) / (place(last) - place(first) || 1);
  const above = levels.length > 0 && marks.length > 0 ? 1 : 0;  // for a level at the very top
  const header = 14 * (marks.length + above);
  return figure({
    ...rest,
    height: height + header,
    option: (ink) => ({
      ...baseOption(ink),
      grid:
          {left: 8, right: 30, top: 14 + header, bottom: across.name ? 28 : 8, containLabel: true},
      tooltip: {
        ...baseOption(ink).tooltip,
        trigger: 'axis',
        axisPointer: {lineStyle: {color: ink.soft}, label: {show: false}},
        formatter: (met) => tooltip(
            [across.name, across.format(met[0].value[0])].filter(Boolean).join(' '),
            ...met.filter(({seriesName}) => lines.some(({name}) => name === seriesName))
                .map(({seriesName, value}) => `${seriesName}: ${up.format(value[1])}`))
      },
      xAxis: numericAxis(ink, across.log ? {...across, min: first, max: last} : across),
      yAxis: numericAxis(ink, up),
      series: [
        ...lines.filter(({band}) => band).map(({colour, band}) => bandSeries(ink, colour, band)),
        ...lines.map(
            (line, i) => ({
              type: 'line',
              name: line.name,
              step: line.step && 'end',
              showSymbol: dots,
              symbol: 'circle',
              symbolSize: 6,
              z: 3,
              lineStyle:
                  {color: ink[line.colour], width: 2, type: line.dashed ? 'dashed' : 'solid'},
              itemStyle: {color: ink[line.colour]},
              data: line.points.map(
                  ([x, y, hollow]) => ({
                    value: [x, y],
                    itemStyle: hollow ?
                        {color: ink.paper, borderColor: ink[line.colour], borderWidth: 1.5} :
                        undefined
                  })),
              markLine: i === 0 ? {
                silent: true,
                symbol: 'none',
                data: [...levelLines(ink, levels), ...markLines(ink, marks, share, {above})]
              } :
                                  undefined,
            }))
      ],
    }),
  });
}

/// Figures side by side with their numbers in one table, which stands open where there are no
/// charts. `size` is a class of the panels.
function withNumbers(figures, size, table) {
  const drawn = figures.filter(Boolean);
  return [
    hasCharts() && drawn.length > 0 && element('div', {class: `panels ${size}`}, drawn),
    element('details', {open: !hasCharts() && ''}, element('summary', {}, 'Numbers'), table)
  ];
}

/// What a spread shows of a latency, and in what colour.
const QUANTILES = [['p50', 'sram'], ['p90', 'noc'], ['p99', 'matrix']];

/// A row for each of `rows` {name, p50, p90, p99, mean, limit}: from the median to the 99th
/// percentile, the mean as a stroke, the limit as a red one.
function spreadFigure({rows, format, axisFormat, ...rest}) {
  const values = rows.flatMap(
      (row) => [row.mean, row.limit, ...QUANTILES.map(([of]) => row[of])].filter((v) => v > 0));
  const log = needsLog(values);
  return figure({
    ...rest,
    key: [
      ...QUANTILES.map(([of, colour]) => [of, `var(--${colour})`]), ['mean (stroke)', 'var(--ink)'],
      ...(rows.some(({limit}) => isNumber(limit)) ? [['SLO', 'var(--power)']] : [])
    ],
    height: 44 + 26 * rows.length,
    option: (ink) => ({
      ...baseOption(ink),
      xAxis: numericAxis(
          ink, {format: axisFormat, log, min: log ? powerOfTenBelow(Math.min(...values)) : 0}),
      yAxis: categoryAxis(ink, rows.map((row) => row.name)),
      series: [
        {
          type: 'custom',
          silent: true,
          z: 1,
          data: rows.map((row, i) => [i, row.p50, row.p99]),
          encode: {x: [1, 2], y: 0},
          renderItem(params, api) {
            if (!isNumber(api.value(1)) || !isNumber(api.value(2))) return undefined;
            const [x1, y1] = api.coord([api.value(1), api.value(0)]);
            const [x2] = api.coord([api.value(2), api.value(0)]);
            return {
              type: 'line',
              shape: {x1, y1, x2, y2: y1},
              style: {stroke: ink.idle, lineWidth: 8, lineCap: 'round'}
            };
          }
        },
        ...[...QUANTILES, ['mean', 'ink'], ['limit', 'power']].map(
            ([of, colour]) => ({
              type: 'scatter',
              z: 3,
              symbol: of === 'mean' || of === 'limit' ? 'rect' : 'circle',
              symbolSize: of === 'mean' ? [2, 14] :
                  of === 'limit'        ? [3, 20] :
                                          9,
              itemStyle: {color: ink[colour], opacity: 1},
              data: rows.map((row, i) => [row[of], i]).filter(([value]) => value > 0),
              tooltip: {
                formatter: ({value: [value, i]}) =>
                    tooltip(rows[i].name, `${of === 'limit' ? 'SLO' : of} ${format(value)}`)
              }
            }))
      ],
    }),
  });
}

/// A bar for each of `rows` {label, parts: [{name, value}], low, high}: the parts end to end, their
/// sum beside them. `colours` maps the name of a part to its ink.
function stackedAmounts({rows, colours, format, axisFormat, ...rest}) {
  const names = [...colours.keys()];
  const totals = rows.map(({parts}) => sum(parts.map(({value}) => value)));
  const valueOf = (row, name) => row.parts.find((part) => part.name === name)?.value;
  return figure({
    ...rest,
    key: names.map((name) => [name, `var(--${colours.get(name)})`]),
    height: 44 + 34 * rows.length,
    option: (ink) => ({
      ...baseOption(ink),
      grid: {left: 8, right: 76, top: 8, bottom: 8, containLabel: true},
      xAxis: numericAxis(ink, {format: axisFormat, min: 0}),
      yAxis: categoryAxis(ink, rows.map(({label}) => label)),
      series: [
        ...names.map(
            (name) => ({
              type: 'bar',
              name,
              stack: 'all',
              barWidth: 20,
              itemStyle: {color: ink[colours.get(name)], borderColor: ink.paper, borderWidth: 1},
              data: rows.map((row) => valueOf(row, name) ?? 0),
              tooltip: {
                formatter: ({dataIndex, value}) => tooltip(
                    `${rows[dataIndex].label}: ${name}`, format(value),
                    percent(value / (totals[dataIndex] || 1)))
              }
            })),
        whiskers(ink, rows, true), {
          type: 'scatter',
          silent: true,
          symbolSize: 0.1,
          data: rows.map((row, i) => [row.high ?? totals[i], i]),
          label: {
            show: true,
            position: 'right',
            color: ink.ink,
            formatter: ({dataIndex}) => format(totals[dataIndex])
          }
        }
      ],
    }),
  });
}
