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
  const value = bandOf(point[key]);
  const stated = members(point.confidence)[key];
  return value && isObject(stated) ? bandOf({value: value.typical, ...stated}) : value;
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
  const hours = list(given)
                    .filter(isObject)
                    .map((hour) => ({...hour, hour: hour.hour ?? hour.utc_hour}))
                    .filter(({hour}) => isNumber(hour));
  if (hours.length === 0) return [];
  const keys = namesOf(hours).filter(
      (key) => !['hour', 'utc_hour'].includes(key) && hours.some((hour) => bandOf(hour[key])));
  const valueAt = (hour, key) => typicalOf(hour[key]);
  const clock = (hour) => `${hour}:00`;
  const figures =
      keys.filter((key) => hours.some((hour) => valueAt(hour, key) !== valueAt(hours[0], key)))
          .map((key) => {
            const met = hours.filter((hour) => bandOf(hour[key]));
            return lineFigure({
              title: capital(titleOfKey(key)),
              height: 180,
              dots: false,
              lines: [{
                name: titleOfKey(key),
                colour: 'dram',
                points: met.map((hour) => [hour.hour, valueAt(hour, key)]),
                band:
                    met.map(({hour, [key]: value}) => [hour, bandOf(value).low, bandOf(value).high])
              }],
              across: {format: clock, min: 0, max: 24, interval: 8},
              up: {format: formatOfKey(key), min: 0}
            });
          });
  return [
    element('h3', {}, 'The hours of the day'),
    ...withNumbers(
        figures, 'tiny',
        sortableTable(
            ['hour', ...keys.map(titleOfKey)],
            hours.map(
                (hour) =>
                    [cell(clock(hour.hour), hour.hour),
                     ...keys.map((key) => numberCell(valueAt(hour, key), formatOfKey(key)))])))
  ].filter(Boolean);
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/// Pods of R and of 2R replicas, each {label, numbers}.
function podsOf(doubling) {
  if (Array.isArray(doubling)) {
    return doubling.filter(isObject).flatMap(
        (one) => [[one.once, 1], [one.twice, 2]].map(
            ([answer, times]) => ({
              label: `${asText(one.kind)} ${whole(times * one.replicas)} replicas`.trim(),
              numbers: members(answer)
            })));
  }
  return list(doubling?.pods)
      .filter(isObject)
      .map(({replicas, ...numbers}) => ({label: `${whole(replicas)} replicas`, numbers}));
}

function podParts(doubling) {
  const pods = podsOf(doubling);
  if (pods.length === 0) return [];
  return [
    element('h3', {}, 'Would a larger pod say the same?'),
    element(
        'p', {class: 'note'},
        'The replicas behind a router are not independent unless it is random: a pod of them is ' +
            'simulated, and again one twice as large.'),
    comparisonTable(
        pods.map(({label}) => label),
        namesOf(pods.map(({numbers}) => numbers)).map((key) => ({
                                                        name: titleOfKey(key),
                                                        values:
                                                            pods.map(({numbers}) => numbers[key]),
                                                        format: formatOfKey(key)
                                                      })))
  ];
}

/// The hours that are shown: the fleet's own, else those of the point that has its share.
function hoursOf(fleet, points) {
  if (list(fleet.hours).length > 0) return fleet.hours;
  return (points.find((point) => point.own_share === fleet.own_share) ?? points[0])?.hours;
}

function fleetParts({fleet}) {
  if (!isObject(fleet)) return [];
  const points = list(fleet.points).filter((point) => isNumber(point?.own_share));
  const figures =
      FLEET_NUMBERS.slice(0, DRAWN).map((number) => fleetFigure(points, number)).filter(Boolean);
  return [
    points.length > 0 &&
        element(
            'p', {},
            `${whole(fleet.chips)} chips, of which a share are own chips and the rest bought. ` +
                'Areas are confidence intervals of what was simulated.'),
    hasCharts() && figures.length > 0 && element('div', {class: 'panels tiny'}, figures),
    points.length > 0 && fleetTable(points), ...hoursParts(hoursOf(fleet, points)),
    ...podParts(fleet.pod_doubling)
  ].filter(Boolean);
}
