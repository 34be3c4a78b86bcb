// Where the time goes: operators, and the resources that bound them.

/// One bar a row, cut into shares of the whole. `rows`: {label, parts: [{name, value, colour,
/// note}]}.
function stackedBars({title, note, key, rows, format, table}) {
  const depth = Math.max(...rows.map((row) => row.parts.length));
  return figure({
    title,
    note,
    key,
    table,
    height: 46 + rows.length * 46,
    option: (ink, width) => {
      const labels = rows.map((row) => row.label);
      const fits = (name, share) => 7 * name.length + 6 < share * (width - labelWidth(labels) - 40);
      const totals = rows.map((row) => sum(row.parts.map((part) => part.value)) || 1);
      return {
        ...baseOption(ink),
        xAxis: valueAxis(ink, (share) => `${Math.round(100 * share)} %`, {max: 1}),
        yAxis: categoryAxis(ink, labels),
        series: Array.from(
            {length: depth},
            (_, layer) => ({
              type: 'bar',
              stack: 'all',
              barWidth: 26,
              data: rows.map((row, at) => {
                const part = row.parts[layer];
                const share = part ? part.value / totals[at] : 0;
                return {
                  value: share,
                  part,
                  itemStyle: {
                    color: part ? ink[part.colour] : 'none',
                    borderColor: ink.paper,
                    borderWidth: 1
                  }
                };
              }),
              label: {
                show: true,
                color: ink['on-fill'],
                fontSize: 11,
                formatter: ({data}) =>
                    data.part && data.part.colour !== 'idle' && fits(data.part.name, data.value) ?
                    data.part.name :
                    ''
              },
              tooltip: {
                formatter: ({data, name}) => data.part &&
                    tooltip(`${flat(name)}: ${data.part.name}`, format(data.part.value),
                            percent(data.value), data.part.note)
              },
            })),
      };
    }
  });
}

const inkOfBound = (name) => (RESOURCES.includes(name) ? name : 'other');

/// What the time went to: one figure of `entries`, {label, shares: {resource: share}}; none where
/// no share is known. `what` they are: "phase".
function boundFigures(what, note, entries) {
  const bound = entries
                    .map(({label, shares}) => ({
                           label,
                           shares: Object.entries(members(shares)).filter(([, share]) => share > 0)
                         }))
                    .filter(({shares}) => shares.length > 0);
  if (bound.length === 0) return [];
  return [stackedBars({
    title: 'What bound the time',
    note,
    format: percent,
    rows: bound.map(({label, shares}) => ({
                      label,
                      parts: shares.map(
                          ([name, share]) => ({name, value: share, colour: inkOfBound(name)}))
                    })),
    table: sortableTable(
        [what, 'bound by', 'share'],
        bound.flatMap(
            ({label, shares}) => shares.map(
                ([name, share]) =>
                    [cell(flat(label)), cell(boundTag(name), name), numberCell(share, percent)]))),
  })];
}

function timeSection(runs) {
  const phases = phasesOf(runs);
  const parts = [];
  const long = phases.map(({label, values}) => ({name: label, ...timeOf(values)}))
                   .filter(({typical}) => isNumber(typical));
  if (long.some(({low, high}) => low < high)) {
    parts.push(barsWithRange({
      title: 'How long, low to high',
      note: 'Eight of ten kernels like these were measured within the lines, or would be by what ' +
          'the chip leaves open.',
      rows: long,
      format: seconds,
      axisFormat: (v) => roundQuantity(v, 's'),
      colour: 'accent',
      caption: 'phase',
      axis: {type: 'log', min: powerOfTenBelow(Math.min(...long.map(({low}) => low)))}
    }));
  }
  const timed = phases.filter(({ops}) => ops.length > 0)
                    .map((entry) => ({...entry, classes: operatorClasses(entry.ops)}));
  if (timed.length > 0) {
    const met = new Set(timed.flatMap(({classes}) => classes.map((entry) => entry.bound_by)));
    parts.push(
        element(
            'p', {},
            'Each piece is an operator summed over the layers, as a share of the phase; ' +
                'its colour is the resource that bound it. Operators that overlap count in full.'),
        stackedBars({
          title: 'Time by operator',
          format: seconds,
          key: RESOURCES.filter((name) => met.has(name)).map((name) => [name, boundColour(name)]),
          rows: timed.map(
              ({label, classes}) => ({
                label,
                parts: classes.map((entry) => ({
                                     name: entry.name,
                                     value: entry.time,
                                     colour: inkOfBound(entry.bound_by),
                                     note: `bound by ${entry.bound_by}, ${entry.times} times`
                                   }))
              })),
          table: sortableTable(
              ['phase', 'operator', 'bound by', 'time', 'share', 'times', 'FLOP', 'DRAM bytes'],
              timed.flatMap(({label, classes}) => {
                const total = sum(classes.map((entry) => entry.time));
                return classes.map(
                    (entry) =>
                        [cell(flat(label)), cell(entry.name),
                         cell(boundTag(entry.bound_by), entry.bound_by),
                         numberCell(entry.time, seconds), numberCell(entry.time / total, percent),
                         numberCell(entry.times, count),
                         numberCell(entry.flops, (v) => quantity(v, '')),
                         numberCell(entry.bytes, bytes)]);
              })),
        }));
  }
  const bound = phases.map(({label, values}) => ({label, shares: values.bound_shares}));
  parts.push(...boundFigures(
      'phase', 'Share of each phase by the resource that was waited for.', bound));
  return parts.length > 0 ? parts : undefined;
}
