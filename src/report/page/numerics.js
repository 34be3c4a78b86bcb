// The named numerics: what each costs in quality and gives in speed.

/// Rows with a place in the picture. A divergence of 0 has none on a logarithmic axis: it stands on
/// the edge.
function numericsDots(rows) {
  return rows
      .map((row, index) => ({row, index, speed: row.decode_tokens_per_s, divergence: row.mean_kl}))
      .filter(({speed, divergence}) => isNumber(speed) && isNumber(divergence));
}

/// How far each label moves down so that it lies on no other: `dots` of {value: [x, y]} on a plot
/// of `width` x `height` pixels, x linear and y logarithmic.
function labelShifts(dots, width, height) {
  const [xs, ys] = [dots.map(({value}) => value[0]), dots.map(({value}) => Math.log(value[1]))];
  const scale = (values, pixels) => pixels / (Math.max(...values) - Math.min(...values) || 1);
  const [perX, perY] = [scale(xs, width), scale(ys, height)];
  const [labelWide, labelHigh] = [100, 14];
  const taken = [];
  const shifts = [];
  for (const i of dots.map((dot, index) => index).sort((a, b) => ys[a] - ys[b])) {
    const [x, y] = [xs[i] * perX, ys[i] * perY];
    let free = y;
    for (const other of taken) {  // from the top down
      if (Math.abs(other.x - x) < labelWide && Math.abs(other.y - free) < labelHigh) {
        free = other.y + labelHigh;
      }
    }
    taken.push({x, y: free});
    taken.sort((a, b) => a.y - b.y);
    shifts[i] = free - y;
  }
  return shifts;
}

function numericsOption(ink, dots, best, width) {
  const positive = dots.map(({divergence}) => divergence).filter((value) => value > 0);
  const edge = powerOfTenBelow(Math.min(1, ...positive) / 1.5);
  const place = ({speed, divergence}) => [speed, divergence > 0 ? divergence : edge];
  const placed = dots.map((dot) => ({...dot, value: place(dot)}));
  const shifts = labelShifts(placed, width - 160, 270);
  const front = dots.filter(({index}) => best.has(index)).sort((a, b) => a.speed - b.speed);
  const exact = dots.some(({divergence}) => divergence === 0);
  return {
    ...baseOption(ink),
    grid: {left: 8, right: 80, top: 40, bottom: 30, containLabel: true},
    xAxis: valueAxis(ink, (v) => roundQuantity(v, ''), {
      name: 'decode tokens/s',
      nameGap: 28,
      scale: true,
      boundaryGap: ['5%', '5%'],
      axisLine: {onZero: false}
    }),
    yAxis: valueAxis(ink, (v) => (v === edge && exact ? '0' : String(v)), {
      type: 'log',
      inverse: true,
      min: edge,
      max: powerOfTenAbove(1.2 * Math.max(edge * 10, ...positive)),
      name: 'mean KL from fp32 (nats), up is better',
      nameLocation: 'start',
      nameTextStyle: {color: ink.soft, align: 'left'}
    }),
    series: [
      {
        type: 'line',
        silent: true,
        symbol: 'none',
        lineStyle: {color: ink.accent, width: 1.4, type: 'dashed'},
        data: front.map(place)
      },
      {
        type: 'scatter',
        clip: false,
        data: placed.map((dot, i) => ({
                           ...dot,
                           label: {offset: [0, shifts[i]]},
                           symbolSize: 6 + 2.2 * Math.sqrt(dot.row.bits_per_weight ?? 4),
                           itemStyle: best.has(dot.index) ?
                               {color: ink.accent, borderColor: ink.ink, borderWidth: 1.5} :
                               {color: ink.other, opacity: 0.8}
                         })),
        label: {
          show: true,
          position: 'right',
          color: ink.ink,
          fontSize: 12,
          textBorderColor: ink.paper,
          textBorderWidth: 3,
          formatter: ({data}) => data.row.name
        },
        tooltip: {
          formatter: ({data: {row, index}}) => tooltip(
              row.name, `mean KL ${count(row.mean_kl)}, largest ${count(row.max_kl)}`,
              `same first choice at ${percent(row.top1_agreement)} of the tokens`,
              `decode ${quantity(row.decode_tokens_per_s, 'tokens/s')}`,
              `${digits(row.bits_per_weight)} bits a weight, ${bytes(row.weight_bytes)}`,
              best.has(index) && 'no other is better in both')
        }
      }
    ],
  };
}

function numericsSection(table) {
  const rows = list(table?.rows).filter(isObject);
  if (rows.length === 0) return undefined;
  const best = new Set(list(table.pareto));
  const numbers = sortableTable(
      [
        '★', 'numerics', 'weights', 'activations', 'size', 'bits/weight', 'perplexity', 'mean KL',
        'max KL', 'top-1', 'prefill tokens/s', 'decode tokens/s', 'J/token', 'note'
      ],
      rows.map(
          (row, i) =>
              [cell(best.has(i) ? '★' : ''), cell(asText(row.name)), cell(asText(row.weights)),
               cell(asText(row.activations)), numberCell(row.weight_bytes, bytes),
               numberCell(row.bits_per_weight, count), numberCell(row.perplexity, count),
               numberCell(row.mean_kl, count), numberCell(row.max_kl, count),
               numberCell(row.top1_agreement, percent), numberCell(row.prefill_tokens_per_s, count),
               numberCell(row.decode_tokens_per_s, count),
               numberCell(row.energy_j_per_token, joules),
               cell([row.reason, row.no_speed].filter(Boolean).map(asText).join('; '))]),
      {picked: (i) => best.has(i), caption: '★ No other is better in both mean KL and speed.'});
  const dots = numericsDots(rows);
  if (dots.length === 0 || !hasCharts()) return [numbers];
  const read = members(table.text);
  return [
    element(
        'p', {},
        `The model read ${count(read.tokens)} tokens of ${asText(read.file)} in each arithmetic; ` +
            'KL is how far its answers are from those in fp32. Speed is that of the chip.'),
    figure({
      title: `${asText(table.model)} on ${asText(table.chip)}`,
      note:
          'A larger dot has more bits a weight. Those in blue with a rim are on the Pareto front.',
      height: 420,
      option: (ink, width) => numericsOption(ink, dots, best, width)
    }),
    numbers
  ];
}
