// Over time: queue, memory and power of a service, battery and heat of a device.

/// What is followed over time: [key, title, format].
const FOLLOWED = [
  ['queue', 'Requests waiting', count], ['running', 'Requests running', count],
  ['kv_use', 'KV memory in use', percent], ['power_w', 'Power', watts],
  ['replicas', 'Replicas', count]
];

/// One thing followed, a line for each of `entries` {name, series}; none where nothing changes.
function timeFigure(entries, [key, title, format], levels) {
  const lines = entries
                    .map(({name, series}, i) => ({
                           name,
                           colour: seriesInk(i),
                           step: key === 'replicas',
                           points: list(series.t_s)
                                       .map((t, at) => [t, list(series[key])[at]])
                                       .filter((point) => point.every(isNumber))
                         }))
                    .filter(({points}) => points.length > 0);
  const points = lines.flatMap((line) => line.points);
  if (points.every(([, value]) => value === points[0][1])) return undefined;
  const warmth = key.endsWith('_c');  // its 0 means nothing
  return lineFigure({
    title,
    height: 190,
    dots: false,
    lines,
    across: clockAxis(Math.max(...points.map(([t]) => t))),
    up: {
      format,
      scale: warmth,
      min: warmth ? undefined : 0,
      max: key === 'kv_use' && points.some(([, share]) => share > 0.5) ? 1 : undefined
    },
    levels
  });
}

function seriesTable(entries, followed) {
  return sortableTable(
      ['of', 'time', ...followed.map(([, title]) => title)],
      entries.flatMap(
          ({name, series}) =>
              list(series.t_s)
                  .map(
                      (t, i) =>
                          [cell(name), numberCell(t, seconds),
                           ...followed.map(
                               ([key, , format]) => numberCell(series[key]?.[i], format))])));
}

/// `entries` {name, series} over time: a picture for each thing followed that changes, their
/// numbers beneath. `levels` by key are lines across.
function timeFigures({title, note, entries, followed, levels = {}, size = 'small'}) {
  const figures = followed.map((thing) => timeFigure(entries, thing, list(levels[thing[0]])));
  if (figures.every((shown) => !shown)) return [];
  return [
    element('h3', {}, title), element('p', {class: 'note'}, note),
    entries.length > 1 && legend(keyOf(entries.map(({name}) => name))),
    ...withNumbers(figures, size, seriesTable(entries, followed))
  ].filter(Boolean);
}
