// Charts: each is a figure with a caption, a drawing and its numbers as a table. Without the chart
// library the tables stand open.

const RESOURCES =
    ['dram', 'matrix', 'vector', 'sram', 'noc', 'link', 'launch', 'power', 'die_link', 'dma'];
const boundColour = (name) => `var(--${RESOURCES.includes(name) ? name : 'other'})`;
const hasCharts = () => typeof globalThis.echarts !== 'undefined';
const drawings = [];

/// The colours of the current theme, by the names of page.css.
function inks() {
  const style = getComputedStyle(document.documentElement);
  const ink = {};
  for (const name
           of ['paper', 'panel', 'ink', 'soft', 'line', 'accent', 'on-fill', 'other', 'idle',
               'good', ...RESOURCES]) {
    ink[name] = style.getPropertyValue(`--${name}`).trim();
  }
  ink.bound = (name) => ink[RESOURCES.includes(name) ? name : 'other'];
  ink.font = getComputedStyle(document.body).fontFamily;
  return ink;
}

/// `option(ink, width)` gives the chart, `table` its numbers, `key` the names of its colours.
function figure({title, note, key, height, option, table, open}) {
  const numbers = table &&
      element('details', {open: (open || !hasCharts()) && ''}, element('summary', {}, 'Numbers'),
              table);
  const caption = element(
      'figcaption', {}, element('h3', {}, title), note && element('div', {class: 'note'}, note),
      key && legend(key));
  if (!hasCharts()) return element('figure', {}, caption, numbers);
  const canvas = element('div', {
    class: 'chart',
    role: 'img',
    'aria-label': `${title}. ${note || ''}`,
    style: `height: ${height}px`
  });
  drawings.push({canvas, option});
  return element('figure', {}, caption, canvas, numbers);
}

function draw(drawing) {
  drawing.chart ??= globalThis.echarts.init(drawing.canvas, null, {renderer: 'svg'});
  drawing.chart.resize();
  drawing.chart.setOption(drawing.option(inks(), drawing.canvas.clientWidth), {notMerge: true});
}

/// Draws every figure, again when the theme or the width changes or the page is printed.
function drawAll() {
  if (!hasCharts()) return;
  const redraw = () => drawings.forEach(draw);
  redraw();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  const watch = new ResizeObserver(redraw);
  drawings.forEach(({canvas}) => watch.observe(canvas));
  addEventListener('beforeprint', () => {
    document.documentElement.dataset.theme = 'light';
    redraw();
  });
  addEventListener('afterprint', () => {
    delete document.documentElement.dataset.theme;
    redraw();
  });
}

/// What every chart has in common. Tooltips get nodes, not markup.
function baseOption(ink) {
  return {
    animation: false,
    textStyle: {fontFamily: ink.font, color: ink.ink, fontSize: 12},
    grid: {left: 8, right: 20, top: 8, bottom: 8, containLabel: true},
    tooltip: {
      confine: true,
      backgroundColor: ink.panel,
      borderColor: ink.line,
      textStyle: {color: ink.ink, fontSize: 13}
    },
  };
}

function tooltip(title, ...lines) {
  return element(
      'div', {}, element('strong', {}, title),
      lines.filter(Boolean).map((line) => element('div', {}, line)));
}

function valueAxis(ink, format, extra = {}) {
  return {
    type: 'value',
    axisLabel: {color: ink.soft, formatter: format, hideOverlap: true},
    splitLine: {lineStyle: {color: ink.line}},
    nameTextStyle: {color: ink.soft},
    nameLocation: 'middle',
    ...extra
  };
}

const longestLine = (names) =>
    Math.max(0, ...names.flatMap((name) => name.split('\n')).map((line) => line.length));

/// Pixels that the labels of a category axis take.
const labelWidth = (names) => Math.min(190, 12 + 7.5 * longestLine(names));

function categoryAxis(ink, names, extra = {}) {
  return {
    type: 'category',
    data: names,
    inverse: true,
    axisTick: {show: false},
    axisLine: {lineStyle: {color: ink.line}},
    axisLabel: {color: ink.ink, width: labelWidth(names), overflow: 'truncate', lineHeight: 15},
    ...extra
  };
}

/// Lines from low to high over bars: `rows` of {low, high}; null where there is nothing to show.
function whiskers(ink, rows, horizontal) {
  return {
    type: 'custom',
    silent: true,
    z: 5,
    data: rows.map(
        (row, i) => (row && row.low !== row.high ? [i, row.low, row.high] : [i, '-', '-'])),
    renderItem(params, api) {
      if (!isNumber(api.value(1))) return undefined;
      const at = (value) => api.coord(horizontal ? [value, api.value(0)] : [api.value(0), value]);
      const [a, b] = [at(api.value(1)), at(api.value(2))];
      const [dx, dy] = horizontal ? [0, 4] : [4, 0];
      const stroke = (x1, y1, x2, y2) =>
          ({type: 'line', shape: {x1, y1, x2, y2}, style: {stroke: ink.ink, lineWidth: 1.2}});
      return {
        type: 'group',
        children: [
          stroke(a[0], a[1], b[0], b[1]), stroke(a[0] - dx, a[1] - dy, a[0] + dx, a[1] + dy),
          stroke(b[0] - dx, b[1] - dy, b[0] + dx, b[1] + dy)
        ]
      };
    },
    encode: horizontal ? {x: [1, 2], y: 0} : {x: 0, y: [1, 2]},
  };
}

/// Bars with their low and high, in the order given; `axis` adds to the axis of the values. On a
/// logarithmic one, which has no foot to stand on, diamonds.
function barsWithRange({title, note, rows, format, axisFormat, colour, caption, axis}) {
  return figure({
    title,
    note,
    height: 44 + rows.length * (rows.some((row) => row.name.includes('\n')) ? 38 : 26),
    table: sortableTable(
        [caption, 'low', 'typical', 'high'],
        rows.map(
            (row) =>
                [cell(flat(row.name)), numberCell(row.low, format), numberCell(row.typical, format),
                 numberCell(row.high, format)])),
    option: (ink) => ({
      ...baseOption(ink),
      xAxis: valueAxis(ink, axisFormat, axis),
      yAxis: categoryAxis(ink, rows.map((row) => row.name)),
      series: [
        {
          ...(axis?.type === 'log' ? {type: 'scatter', symbol: 'diamond', symbolSize: 12} :
                                     {type: 'bar', barWidth: 14}),
          itemStyle: {color: ink[colour]},
          data: rows.map((row, i) => [row.typical, i]),
          tooltip: {
            formatter: ({dataIndex}) => tooltip(
                flat(rows[dataIndex].name), format(rows[dataIndex].typical),
                spread(rows[dataIndex], format))
          }
        },
        whiskers(ink, rows, true)
      ],
    }),
  });
}

/// The key of the colours: `entries` of [name, colour].
function legend(entries) {
  return element(
      'div', {class: 'legend'},
      entries.map(
          ([name, colour]) => element('span', {class: 'tag', style: `--tag: ${colour}`}, name)));
}
