// A fleet: what the share of own chips does to megawatts, dollars, wafers and stacks; a day of it;
// whether a pod twice as large would say the same.

/// Numbers of a point: [key, title, format, format of its axis].
const FLEET_NUMBERS = [
  ['usd_per_mtoken', 'Dollars a million tokens', money, shortMoney],
  ['megawatts', 'Power', megawatts, megawatts],
  ['capex_usd', 'Capital', money, shortMoney],
  ['opex_usd_per_day', 'Running, a day', money, shortMoney],
  ['wafers', 'Wafers', whole, shortCount],
  ['stacks', 'HBM stacks', whole, shortCount],
  ['second_foundry_share', 'Share of wafers for a second foundry', percent, percent],
  ['tokens_per_day', 'Tokens a day', shortCount, shortCount],
  ['replicas', 'Replicas', whole, shortCount],
  ['spares', 'Spares', whole, shortCount],
  ['availability', 'Available', (value) => `${+ (100 * value).toFixed(3)} %`, percent],
  ['simulated_requests', 'Requests simulated', whole, shortCount],
];
const DRAWN = 8;  // the first of them, where they change

/// A number of a point, with its confidence interval where one is stated.
function withConfidence(point, key) {
  const value = range(point[key]);
  const stated = members(point.confidence)[key];
  const half = isNumber(stated) ? stated : stated?.half_width;
  if (!value) return undefined;
  if (isNumber(stated?.low)) return {...value, low: stated.low, high: stated.high};
  return isNumber(half) ? {...value, low: value.typical - half, high: value.typical + half} : value;
}

function fleetFigure(points, [key, title, , format]) {
  const met = points.map((point) => ({share: point.own_share, value: withConfidence(point, key)}))
                  .filter(({value}) => value);
  if (met.length < 2 || met.every(({value}) => value.typical === met[0].value.typical)) {
    return undefined;
  }
  return lineFigure({
    title,
    height: 210,
    lines: [{
      name: title,
      colour: 'dram',
      points: met.map(({share, value}) => [share, value.typical]),
      band: met.some(({value}) => value.low < value.high) &&
          met.map(({share, value}) => [share, value.low, value.high])
    }],
    across: {name: 'share of own chips', format: percent, min: 0, max: 1, interval: 0.5},
    up: {format, min: 0}
  });
}

function fleetTable(points) {
  return comparisonTable(
      points.map((point) => `${percent(point.own_share)} own`),
      FLEET_NUMBERS.map(
          ([key, name, format]) =>
              ({name, format, values: points.map((point) => withConfidence(point, key))})),
      'The fleet by its share of own chips');
}

/// The hours of the day: a picture for each number that changes.
function hoursParts(given) {
  const hours = list(given).filter((hour) => isNumber(hour?.hour));
  if (hours.length === 0) return [];
  const keys = [...new Set(hours.flatMap((hour) => Object.keys(hour)))].filter(
      (key) => key !== 'hour' && hours.some((hour) => isNumber(hour[key])));
  const clock = (hour) => `${hour}:00`;
  const figures = keys.filter((key) => hours.some((hour) => hour[key] !== hours[0][key]))
                      .map((key) => lineFigure({
                             title: capital(titleOfKey(key)),
                             height: 180,
                             dots: false,
                             lines: [{
                               name: titleOfKey(key),
                               colour: 'dram',
                               points: hours.filter((hour) => isNumber(hour[key]))
                                           .map((hour) => [hour.hour, hour[key]])
                             }],
                             across: {format: clock, min: 0, max: 24, interval: 8},
                             up: {format: formatOfKey(key), min: 0}
                           }));
  return [
    element('h3', {}, 'The hours of the day'),
    ...withNumbers(
        figures, 'tiny',
        sortableTable(
            ['hour', ...keys.map(titleOfKey)],
            hours.map(
                (hour) =>
                    [cell(clock(hour.hour), hour.hour),
                     ...keys.map((key) => numberCell(hour[key], formatOfKey(key)))])))
  ].filter(Boolean);
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/// The same service in pods of R and of 2R replicas.
function podParts(doubling) {
  const pods = list(doubling?.pods).filter(isObject);
  if (pods.length === 0) return [];
  const keys =
      [...new Set(pods.flatMap((pod) => Object.keys(pod)))].filter((key) => key !== 'replicas');
  return [
    element('h3', {}, 'Would a larger pod say the same?'),
    element(
        'p', {class: 'note'},
        `Under the router ${asText(doubling.router)} the replicas of a pod are not independent: ` +
            'a pod is simulated, and again one twice as large.'),
    comparisonTable(
        pods.map((pod) => `${whole(pod.replicas)} replicas`),
        keys.map((key) => ({
                   name: titleOfKey(key),
                   values: pods.map((pod) => pod[key]),
                   format: formatOfKey(key)
                 })))
  ];
}

function fleetParts({fleet}) {
  const points = list(fleet?.points).filter((point) => isNumber(point?.own_share));
  const figures =
      FLEET_NUMBERS.slice(0, DRAWN).map((number) => fleetFigure(points, number)).filter(Boolean);
  return [
    points.length > 0 &&
        element(
            'p', {},
            `${whole(fleet.chips)} chips, of which a share are own chips and the rest bought. ` +
                'Areas are confidence intervals of what was simulated.'),
    hasCharts() && figures.length > 0 && element('div', {class: 'panels tiny'}, figures),
    points.length > 0 && fleetTable(points), ...hoursParts(fleet?.hours),
    ...podParts(fleet?.pod_doubling)
  ].filter(Boolean);
}
