// Amounts of the serving sections: dollars of any size, numbers with the unit that came with them,
// tables that set alternatives side by side.

/// "$1.20 billion"; short, for an axis, "$1.2 B".
function money(value, short) {
  if (!isNumber(value)) return '';
  const size = Math.abs(value);
  const [scale, long, letter] = size >= 9.995e8 ? [1e9, ' billion', ' B'] :
      size >= 9.995e5                           ? [1e6, ' million', ' M'] :
      short && size >= 1e4                      ? [1e3, '', ' k'] :
                                                  [1, '', ''];
  const text = digits(size / scale);
  const tidy = short && text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return `${value < 0 ? '−' : ''}$${tidy}${short ? letter : long}`;
}
const shortMoney = (value) => money(value, true);

/// Whole things: "1 234 567"; short, for an axis, "1.23 M".
const whole = (value) =>
    (isNumber(value) ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f') : '');
const shortCount = (value) => roundQuantity(value, '').replace(/\.0+(?=\D|$)/, '');

const watts = (value) => quantity(value, 'W');
const inUnit = (unit) => (value) => (isNumber(value) ? `${digits(value)} ${unit}` : '');
const celsius = inUnit('°C');
const megawatts = inUnit('MW');
const perS = inUnit('/s');
const ofHundred = inUnit('%');

/// How an amount with this unit is written.
function formatOf(unit) {
  if (/^(s|J|W|B|Hz|B\/s|Wh)$/.test(unit)) return (value) => quantity(value, unit);
  if (/^(usd|\$)$/i.test(unit)) return (value) => money(value);
  if (/^(usd|\$)\//i.test(unit)) return (value) => `${money(value)} / ${unit.split('/')[1]}`;
  if (unit === 'share') return percent;
  if (unit === 'percent' || unit === '%') return (value) => `${digits(value)} %`;
  return (value) => `${Math.abs(value) >= 1e6 ? quantity(value, '').trim() : digits(value)} ${unit}`
                        .trim();
}

const WORDS = {
  ttft: 'TTFT',
  tpot: 'TPOT',
  itl: 'ITL',
  e2e: 'E2E',
  kv: 'KV',
  usd: 'dollars',
  mfu: 'MFU',
  slo: 'SLO',
  hbm: 'HBM',
  mtoken: 'million tokens',
  megawatts: 'power'
};

/// The name of a number without the unit that ends its key: "p99 TTFT" of "p99_ttft_s".
const titleOfKey = (key) => key.replace(/_per_s$/, '/s')
                                .replace(/_(s|j|w|c|bytes)$/, '')
                                .split(/[._]/)
                                .map((word) => WORDS[word] ?? word)
                                .join(' ');

/// The keys of `objects`, each once.
const namesOf = (objects) => [...new Set(objects.flatMap((object) => Object.keys(object)))];

/// The value at a dotted key.
const numberAt = (json, key) => key.split('.').reduce((part, name) => members(part)[name], json);

/// The format of a number by its key, as far as the key tells.
function formatOfKey(key) {
  if (key.startsWith('megawatts')) return megawatts;
  if (/hit_rate$|availability$|^kv_use/.test(key)) return percent;
  if (/_w$/.test(key)) return watts;
  if (/_c$/.test(key)) return celsius;
  if (/usd/.test(key)) return money;
  if (/(?<!_per)_s$/.test(key)) return duration;
  return (value) => byKey(key, value);
}


/// A length of time as people say it: "36.0 min", "1.50 h".
function duration(value) {
  if (!isNumber(value) || value < 120) return seconds(value);
  if (value < 7200) return `${digits(value / 60)} min`;
  if (value < 2 * 86400) return `${digits(value / 3600)} h`;
  if (value < 90 * 86400) return `${digits(value / 86400)} days`;
  return `${digits(+(value / (365.25 / 12 * 86400)).toPrecision(3))} months`;
}

const UNITS_OF_TIME = [  // seconds, name, for axes longer than
  [86400, 'days', 4 * 86400], [3600, 'h', 3 * 3600], [60, 'min', 180], [1, 's', 1], [1e-3, 'ms', -1]
];
const STEPS_OF_TIME =
    [0.1, 0.2, 0.5, 1, 2, 5, 6, 10, 12, 15, 20, 30, 50, 60, 100, 120, 200, 240, 500, 1000];

/// An axis of time from 0 to `last` seconds, at most `ticks` round times marked.
function clockAxis(last, ticks = 3.6) {
  const [scale, unit] = UNITS_OF_TIME.find(([, , from]) => last > from);
  const step = STEPS_OF_TIME.find((size) => last / scale / size <= ticks) ?? last / scale;
  return {
    min: 0,
    max: last,
    interval: step * scale,
    format: (value) => `${+ (value / scale).toPrecision(4)} ${unit}`
  };
}

/// {low, typical, high} of a number, of such an object, of an estimate {value, half_width} or
/// {value, low, high}; undefined when there is no number.
function bandOf(json) {
  if (!isNumber(json?.value)) return range(json);
  const half = json.half_width ?? 0;
  return range({
    typical: json.value,
    low: json.low ?? json.value - half,
    high: json.high ?? json.value + half
  });
}

/// A number, or a range with its low and high beneath; text as it is.
function rangeCell(value, format) {
  const band = bandOf(value);
  if (!band) return typeof value === 'string' ? value : '';
  const between = format(band.low) === format(band.high) ? '' : spread(band, format);
  return between ?
      element('span', {}, format(band.typical), element('span', {class: 'low-high'}, between)) :
      format(band.typical);
}

/// A column for each of `names`, a line for each of `rows` {name, values, format}. A line without
/// any value is left out.
function comparisonTable(names, rows, caption) {
  const lines = rows.map(
                        ({name, values, format = count}) =>
                            ({name, cells: values.map((value) => rangeCell(value, format))}))
                    .filter(({cells}) => cells.some((shown) => shown !== ''));
  return element(
      'div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption},
      element(
          'table', {class: 'comparison'}, caption && element('caption', {}, caption),
          element(
              'thead', {},
              element(
                  'tr', {}, element('td', {}),
                  names.map((name) => element('th', {scope: 'col', class: 'number'}, name)))),
          element(
              'tbody', {},
              lines.map(
                  ({name, cells}) => element(
                      'tr', {}, element('th', {scope: 'row'}, name),
                      cells.map((shown) => element('td', {class: 'number'}, shown)))))));
}

/// Whether a table says anything.
const hasRows = (table) => table.querySelector('tbody').rows.length > 0;
