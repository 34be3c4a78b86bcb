// The roofline: how near each operator comes to what the chip could do.

/// The dots of a roofline: operator classes that compute and touch DRAM.
function rooflineDots(run) {
  return phasesOf([run]).flatMap(({phase, ops}) => {
    const classes = operatorClasses(ops);
    const total = sum(classes.map((entry) => entry.time));
    return classes.filter((entry) => entry.flops > 0 && entry.bytes > 0 && entry.time > 0)
        .map((entry) => ({
               ...entry,
               phase,
               share: entry.time / total,
               intensity: entry.flops / entry.bytes,
               rate: entry.flops / entry.time
             }));
  });
}

const powerOfTenBelow = (value) => 10 ** Math.floor(Math.log10(value));
const powerOfTenAbove = (value) => 10 ** Math.ceil(Math.log10(value));

function roofline(run) {
  const dots = rooflineDots(run);
  const drawn = dots.filter((dot) => dot.share >= 0.001);
  const {peak_flops: peak, dram_bytes_per_s: dram, sram_bytes_per_s: sram, format} = run.roofline;
  const low = powerOfTenBelow(0.7 * Math.min(1, ...drawn.map((dot) => dot.intensity)));
  const high = powerOfTenAbove(2 * Math.max(peak / dram, ...drawn.map((dot) => dot.intensity)));
  const roof = (ink, rate, colour, type) => ({
    type: 'line',
    symbol: 'none',
    silent: true,
    z: 1,
    data: [
      [low, low * rate], [Math.min(peak / rate, high), Math.min(peak, high * rate)],
      [high, Math.min(peak, high * rate)]
    ],
    lineStyle: {color: ink[colour], width: 1.6, type},
  });
  const rate = (value) => quantity(value, 'FLOP/s');
  return figure({
    title: `${run.model} on ${run.chip}`,
    note:
        `Peak ${rate(peak)}${format ? ` in ${format}` : ''}. Circles are prefill, diamonds decode.`,
    key: [
      [`DRAM ${quantity(dram, 'B/s')}`, 'var(--dram)'],
      ...(isNumber(sram) ? [[`SRAM ${quantity(sram, 'B/s')} (dashed)`, 'var(--sram)']] : [])
    ],
    height: 340,
    table: sortableTable(
        ['phase', 'operator', 'bound by', 'FLOP/byte', 'reached', 'of peak', 'share of time'],
        dots.map(
            (dot) =>
                [cell(dot.phase), cell(dot.name), cell(boundTag(dot.bound_by), dot.bound_by),
                 numberCell(dot.intensity, count), numberCell(dot.rate, rate),
                 numberCell(dot.rate / peak, percent), numberCell(dot.share, percent)])),
    option: (ink) => ({
      ...baseOption(ink),
      grid: {left: 8, right: 24, top: 24, bottom: 26, containLabel: true},
      xAxis: valueAxis(
          ink, (v) => roundQuantity(v, ''),
          {type: 'log', min: low, max: high, name: 'FLOP per DRAM byte', nameGap: 26}),
      yAxis: valueAxis(ink, (v) => roundQuantity(v, ''), {
        type: 'log',
        name: 'FLOP/s',
        nameLocation: 'end',
        nameGap: 8,
        max: powerOfTenAbove(peak * 1.3),
        min: powerOfTenBelow(Math.min(low * dram, ...drawn.map((dot) => dot.rate)))
      }),
      series: [
        roof(ink, dram, 'dram', 'solid'),
        ...(isNumber(sram) ? [roof(ink, sram, 'sram', 'dashed')] : []),
        {
          type: 'scatter',
          data: drawn.map((dot) => ({
                            value: [dot.intensity, dot.rate],
                            dot,
                            symbol: dot.phase === 'decode' ? 'diamond' : 'circle',
                            symbolSize: 8 + 16 * Math.sqrt(dot.share),
                            itemStyle: {
                              color: ink.bound(dot.bound_by),
                              opacity: 0.9,
                              borderColor: ink.paper,
                              borderWidth: 1
                            }
                          })),
          label: {
            show: true,
            position: 'right',
            color: ink.soft,
            fontSize: 11,
            formatter: ({data}) => data.dot.name
          },
          labelLayout: {hideOverlap: true},
          tooltip: {
            formatter: ({data: {dot}}) => tooltip(
                `${dot.phase}: ${dot.name}`,
                `${rate(dot.rate)}, ${percent(dot.rate / peak)} of peak`,
                `${digits(dot.intensity)} FLOP/byte`,
                `bound by ${dot.bound_by}, ${percent(dot.share)} of the phase`)
          }
        },
      ],
    }),
  });
}

function rooflineSection(runs) {
  const drawn = runs.filter(
      (run) => isNumber(run.roofline?.peak_flops) && isNumber(run.roofline?.dram_bytes_per_s) &&
          rooflineDots(run).length > 0);
  if (drawn.length === 0) return undefined;
  return [
    element(
        'p', {},
        'Speed against work per byte of DRAM traffic. A dot is an operator summed over the ' +
            'layers, its size the share of the time, its colour what bound it. Dots under ' +
            '0.1 % of the time are in the numbers only.'),
    element('div', {class: 'panels'}, drawn.map(roofline))
  ];
}
