// A fleet: what the share of own chips does to megawatts, dollars, wafers and stacks; a day of it;
// whether a pod twice as large would say the same.

const megawatts = (value) => `${digits(value)} MW`;

/// What is drawn over the share of own chips: [key, title, format, format of the axis].
const FLEET_AXES = [
  ['usd_per_mtoken', 'Dollars per million tokens', money, shortMoney],
  ['megawatts', 'Megawatts', megawatts, megawatts],
  ['capex_usd', 'Capital', money, shortMoney],
  ['opex_usd_per_day', 'Running, a day', money, shortMoney],
  ['wafers', 'Wafers', whole, shortCount],
  ['stacks', 'HBM stacks', whole, shortCount],
  ['second_foundry_share', 'Wafers that a second foundry must make', percent, percent],
  ['tokens_per_day', 'Tokens a day', shortCount, shortCount],
];

/// A value of a point with its confidence interval, where one is stated.
function withConfidence(point, key) {
  const band = range(point[key]);
  const stated = members(point.confidence)[key];
  const half = isNumber(stated) ? stated : stated?.half_width;
  if (!band) return undefined;
  if (isNumber(stated?.low)) return {...band, low: stated.low, high: stated.high};
  if (isNumber(half)) return {...band, low: band.typical - half, high: band.typical + half};
  return band;
}

function fleetFigure(points, [key, title, format, axisFormat]) {
  const rows = points.map((point) => [point.own_share, withConfidence(point, key)])
                   .filter(([share, value]) => isNumber(share) && value);
  if (rows.length < 2 || rows.every(([, {typical}]) => typical === rows[0][1].typical)) return undefined;
  return lineFigure({
    title,
    height: 210,
    lines: [{
      name: title,
      colour: 'dram',
      points: rows.map(([share, {typical}]) => [share, typical]),
      band: rows.some(([, {low, high}]) => low < high) &&
          rows.map(([share, {low, high}]) => [share, low, high])
    }],
    across: {name: 'share of own chips', format: percent, min: 0, max: 1},
    up: {format: axisFormat, min: 0}
  });
}

function fleetTable(points) {
  return sortableTable(
      [
        'own chips', '$/Mtoken', 'power', 'capital', 'running/day', 'wafers', 'stacks',
        'second\nfoundry', 'replicas', 'spares', 'available', 'tokens/day', 'requests\nsimulated'
      ],
      points.map(
          (point) => [numberCell(point.own_share, percent),
                      cell(rangeCell(withConfidence(point, 'usd_per_mtoken'), money), range(point.usd_per_mtoken)?.typical),
                      cell(rangeCell(withConfidence(point, 'megawatts'), megawatts), range(point.megawatts)?.typical),
                      ...[['capex_usd', money], ['opex_usd_per_day', money], ['wafers', whole],
                          ['stacks', whole], ['second_foundry_share', percent], ['replicas', whole],
                          ['spares', whole], ['availability', shareUp], ['tokens_per_day', shortCount],
                          ['simulated_requests', whole]]
                          .map(([key, format]) => numberCell(range(point[key])?.typical, format))]),
      {caption: 'The fleet by its share of own chips'});
}

/// Availability keeps its nines: "99.93 %".
const shareUp = (value) => `${+(100 * value).toFixed(3)} %`;

/// The hours of the day: each number of an hour as a picture, by the unit that ends its key.
function hoursParts(hours) {
  const rows = list(hours).filter((hour) => isNumber(hour?.hour));
  if (rows.length === 0) return [];
  const keys = [...new Set(rows.flatMap((hour) => Object.keys(hour)))].filter(
      (key) => key !== 'hour' && rows.some((hour) => isNumber(hour[key])));
  const titleOf = (key) => HOUR_TITLES[key] ?? key.replace(/_(s|w|usd)$/, '').replace(/_/g, ' ');
  const formatOf = (key) => (key.startsWith('megawatts') ? megawatts : (value) => byKey(key, value));
  const figures =
      keys.filter((key) => rows.some((hour) => hour[key] !== rows[0][key]))
          .map((key) => lineFigure({
                 title: titleOf(key),
                 height: 180,
                 dots: false,
                 lines: [{
                   name: titleOf(key),
                   colour: 'dram',
                   points: rows.filter((hour) => isNumber(hour[key])).map((hour) => [hour.hour, hour[key]])
                 }],
                 across: {format: (hour) => `${hour}:00`, min: 0, max: 24, interval: 6},
                 up: {format: formatOf(key), min: 0}
               }));
  return [
    element('h3', {}, 'The hours of the day'),
    element('div', {class: 'panels small'}, figures),
    element('details', {open: !hasCharts() && ''}, element('summary', {}, 'Numbers'),
            sortableTable(['hour', ...keys.map(titleOf)],
                          rows.map((hour) => [cell(`${hour.hour}:00`, hour.hour),
                                              ...keys.map((key) => numberCell(hour[key], formatOf(key)))])))
  ];
}

const HOUR_TITLES = {
  requests_per_s: 'Requests a second',
  megawatts: 'Megawatts',
  replicas_awake: 'Replicas awake',
  p99_ttft_s: 'p99 time to the first token'
};

/// The same service in pods of R and of 2R replicas.
function podParts(doubling) {
  const pods = list(doubling?.pods).filter(isObject);
  if (pods.length === 0) return [];
  const keys = [...new Set(pods.flatMap((pod) => Object.keys(pod)))].filter((key) => key !== 'replicas');
  return [
    element('h3', {}, 'Would a larger pod say the same?'),
    element('p', {class: 'note'},
            `Under the router ${asText(doubling.router)} the replicas of a pod are not independent: ` +
                'a pod is simulated, and again one twice as large.'),
    comparisonTable(pods.map((pod) => `${whole(pod.replicas)} replicas`),
                    keys.map((key) => ({
                               name: key.replace(/_/g, ' '),
                               values: pods.map((pod) => pod[key]),
                               format: (value) => byKey(key, value)
                             })))
  ];
}

function fleetParts(serve) {
  const {fleet} = serve;
  if (!isObject(fleet)) return [];
  const points = list(fleet.points).filter((point) => isNumber(point?.own_share));
  const figures = FLEET_AXES.map((axis) => fleetFigure(points, axis)).filter(Boolean);
  return [
    figures.length > 0 && element('p', {},
            `${whole(fleet.chips)} chips, of which a share are own chips and the rest bought. The ` +
                'areas are confidence intervals of what was simulated.'),
    figures.length > 0 && element('div', {class: 'panels small'}, figures),
    points.length > 0 && fleetTable(points),
    ...hoursParts(fleet.hours), ...podParts(fleet.pod_doubling)
  ].filter(Boolean);
}
