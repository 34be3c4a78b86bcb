// A fleet: what the share of own chips does to megawatts, dollars, wafers and stacks; its bill; a
// day of it; whether a pod twice as large would say the same.

/// Numbers of a point: [key, title, format, format of its axis]. The first are drawn.
const FLEET_NUMBERS = [
  ['usd_per_mtoken', 'Dollars a million tokens', money, shortMoney],
  ['megawatts', 'Power', megawatts, megawatts],
  ['capex_usd', 'Capital', money, shortMoney],
  ['opex_usd_per_day', 'Running, a day', money, shortMoney],
  ['wafers', 'Wafers for own chips', whole, shortCount],
  ['stacks', 'HBM stacks', whole, shortCount],
  ['second_foundry_share', 'Own chips by a second foundry', percent, percent],
  ['tokens_per_day', 'Tokens a day', shortCount, shortCount],
  ['peak_megawatts', 'Power, busiest hour', megawatts],
  ['provisioned_megawatts', 'Power, all chips at their limit', megawatts],
  ['depreciation_usd_per_day', 'Written off, a day', money],
  ['energy_j_per_token', 'Energy of the chips a token', joules],
  ['replicas', 'Replicas', whole],
  ['spares', 'Spares among them', whole],
  ['availability', 'A replica is up', (value) => `${+ (100 * value).toFixed(3)} %`],
  ['failures_per_day', 'Failures a day', count],
  ['interrupted_requests_per_day', 'Requests interrupted, a day', whole],
  ['requests_per_day', 'Requests a day', shortCount],
  ['turned_away_per_day', 'Turned away, a day', shortCount],
  ['kept_share', 'Met the SLO', percent],
  ['ttft_s.p99', 'TTFT p99', seconds],
  ['tpot_s.p99', 'TPOT p99', seconds],
  ['simulated_requests', 'Requests simulated', whole],
];
const DRAWN = 8;

/// A number of a point or an hour, with its confidence interval where one is stated.
function withConfidence(point, key) {
  const value = bandOf(numberAt(point, key));
  const stated = members(point.confidence)[key];
  return value && isObject(stated) ? bandOf({value: value.typical, ...stated}) : value;
}

/// A line through `met` of [x, {low, typical, high}], with its band where it has any width.
function bandedLine(name, colour, met) {
  return {
    name,
    colour,
    points: met.map(([x, {typical}]) => [x, typical]),
    band: met.some(([, {low, high}]) => low < high) && met.map(([x, {low, high}]) => [x, low, high])
  };
}

const changes = (met) => met.some(([, {typical}]) => typical !== met[0][1].typical);

function fleetFigure(points, [key, title, , format]) {
  const met = points.map((point) => [point.own_share, withConfidence(point, key)])
                  .filter(([, value]) => value);
  if (!changes(met)) return undefined;
  return lineFigure({
    title,
    height: 210,
    lines: [bandedLine(title, 'dram', met)],
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

/// What a replica of each kind of chip does by itself.
function kindTable(kinds) {
  return sortableTable(
      [
        'service', 'whose', 'largest rate', 'power there', 'beyond it breaks', 'is up',
        'fleet fails every'
      ],
      kinds.map(
          (kind) =>
              [cell(asText(kind.name)), cell(kind.own ? 'own' : 'bought'),
               numberCell(kind.highest_rate, perS), numberCell(kind.power_w, watts),
               cell(asText(kind.broken_beyond)), numberCell(kind.availability, percent),
               numberCell(kind.mtbf_s, duration)]),
      {caption: 'A replica by itself'});
}

/// What the fleet costs, and a day of it.
function fleetBill(point) {
  const share = `${percent(point.own_share)} own chips`;
  const lines = (given, key) =>
      list(given).filter(isObject).map(({name, [key]: usd}) => ({name, ...range(usd)}));
  return [
    list(point.capital).length > 0 && waterfall({
      title: 'Capital',
      note: share,
      lines: lines(point.capital, 'usd'),
      total: point.capex_usd,
      of: 'in all'
    }),
    list(point.operation).length > 0 && waterfall({
      title: 'Running, a day',
      note: share,
      lines: lines(point.operation, 'usd_per_day'),
      total: point.opex_usd_per_day,
      of: 'a day'
    })
  ].filter(Boolean);
}

function siteTable(sites) {
  return sortableTable(
      ['site', 'power, mean', 'busiest hour', 'cap', 'sent on, a day', 'turned away, a day'],
      sites.map(
          (site) =>
              [cell(asText(site.name)), numberCell(site.megawatts, megawatts),
               numberCell(site.peak_megawatts, megawatts),
               numberCell(site.cap_megawatts, megawatts),
               numberCell(site.sent_on_per_day, shortCount),
               numberCell(site.turned_away_per_day, shortCount)]),
      {caption: 'Sites'});
}

/// Numbers of an hour: [title, [[key, name]...], format].
const HOUR_NUMBERS = [
  [
    'Requests a second',
    [
      ['demand_per_s', 'asked'], ['served_per_s', 'served'],
      ['sent_on_per_s', 'sent to another site'], ['turned_away_per_s', 'turned away']
    ],
    shortCount
  ],
  ['Replicas awake', [['awake_replicas', 'awake']], shortCount],
  ['Power of the sites', [['megawatts', 'power']], megawatts],
  ['Tokens a second', [['tokens_per_s', 'tokens']], shortCount],
  ['TTFT p99', [['ttft_p99_s', 'TTFT p99']], seconds],
  ['Met the SLO', [['kept_share', 'met']], percent],
];

/// The hours of the day: a picture for each number that changes.
function hoursParts(given, share) {
  const hours = list(given).filter((hour) => isNumber(hour?.hour));
  if (hours.length === 0) return [];
  const clock = (hour) => `${hour}:00`;
  const figures = HOUR_NUMBERS.map(([title, keys, format]) => {
    const lines = keys.map(
                          ([key, name], i) =>
                              [name, seriesInk(i),
                               hours.map((hour) => [hour.hour, withConfidence(hour, key)])
                                   .filter(([, value]) => value)])
                      .filter(([, , met]) => met.some(([, {typical}]) => typical > 0));
    if (!lines.some(([, , met]) => changes(met))) return undefined;
    return lineFigure({
      title,
      height: 190,
      dots: false,
      key: lines.length > 1 ? lines.map(([name, colour]) => [name, `var(--${colour})`]) : undefined,
      lines: lines.map(([name, colour, met]) => bandedLine(name, colour, met)),
      across: {format: clock, min: 0, max: 24, interval: 6},
      up: {format, min: 0, max: format === percent ? 1 : undefined}
    });
  });
  const columns = HOUR_NUMBERS.flatMap(
      ([title, keys, format]) =>
          keys.map(([key, name]) => [key, keys.length > 1 ? name : title, format]));
  return [
    element('h3', {}, 'The hours of the day'),
    element(
        'p', {class: 'note'},
        `In UTC${isNumber(share) ? `, with ${percent(share)} own chips` : ''}.`),
    ...withNumbers(
        figures, 'small',
        sortableTable(
            ['hour', ...columns.map(([, name]) => name), 'capped'],
            hours.map(
                (hour) =>
                    [cell(clock(hour.hour), hour.hour),
                     ...columns.map(
                         ([key, , format]) =>
                             numberCell(withConfidence(hour, key)?.typical, format)),
                     cell(hour.power_capped ? 'by power' : '')])))
  ].filter(Boolean);
}

/// The busiest hour of each kind in pods of R and of 2R replicas.
function podParts(doublings) {
  const shown = list(doublings).filter((one) => isObject(one?.once) && isObject(one.twice));
  if (shown.length === 0) return [];
  const pods = shown.flatMap(
      ({kind, replicas, once, twice}) => [[once, replicas], [twice, 2 * replicas]].map(
          ([numbers, size]) => ({label: `${asText(kind)}, ${whole(size)} replicas`, numbers})));
  return [
    element('h3', {}, 'Would a larger pod say the same?'),
    element(
        'p', {class: 'note'},
        'The replicas behind a router are not independent unless it is random: its busiest hour ' +
            'is simulated with a pod of them, and with one twice as large.'),
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

function fleetParts({fleet}) {
  if (!isObject(fleet)) return [];
  const points = list(fleet.points).filter((point) => isNumber(point?.own_share));
  const shown = points.find((point) => point.own_share === fleet.own_share) ?? points[0];
  const level = shown?.confidence?.level;
  const figures =
      FLEET_NUMBERS.slice(0, DRAWN).map((number) => fleetFigure(points, number)).filter(Boolean);
  const kinds = list(fleet.kinds).filter(isObject);
  const bill = shown ? fleetBill(shown) : [];
  const sites = list(shown?.sites).filter(isObject);
  return [
    isObject(fleet.no) && element('p', {class: 'notice'}, noteOf(fleet.no)),
    points.length > 0 &&
        element(
            'p', {},
            `${whole(fleet.chips)} chips, of which a share are own chips and the rest bought. ` +
                'Areas: of dollars, from every price at its low to every price at its high; of ' +
                `others, the ${
                    isNumber(level) ? percent(level) : ''} confidence interval of what ` +
                'was simulated.'),
    hasCharts() && figures.length > 0 && element('div', {class: 'panels tiny'}, figures),
    points.length > 0 && fleetTable(points), kinds.length > 0 && kindTable(kinds),
    bill.length > 0 && element('div', {class: 'panels'}, bill),
    ...hoursParts(fleet.hours, fleet.own_share), sites.length > 0 && siteTable(sites),
    ...podParts(fleet.pod_doubling)
  ].filter(Boolean);
}
