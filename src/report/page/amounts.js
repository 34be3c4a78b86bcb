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

/// How an amount with this unit is written.
function formatOf(unit) {
  if (/^(s|J|W|B|Hz|B\/s|Wh)$/.test(unit)) return (value) => quantity(value, unit);
  if (/^(usd|\$)$/i.test(unit)) return (value) => money(value);
  if (/^(usd|\$)\//i.test(unit)) return (value) => `${money(value)} / ${unit.split('/')[1]}`;
  if (unit === 'share') return percent;
  if (unit === 'percent' || unit === '%') return (value) => `${digits(value)} %`;
  return (value) =>
             `${Math.abs(value) >= 1e6 ? quantity(value, '').trim() : digits(value)} ${unit}`.trim();
}

/// Times on an axis that ends at `last` seconds, in the unit that suits its length.
function clockFormat(last) {
  const [scale, unit] = last >= 3 * 3600 ? [3600, 'h'] : last >= 600 ? [60, 'min'] : [1, 's'];
  return (value) => `${+(value / scale).toPrecision(4)} ${unit}`;
}

/// A number, or a range with its low and high beneath; text as it is.
function rangeCell(value, format) {
  const band = range(value);
  if (!band) return typeof value === 'string' ? value : '';
  const between = spread(band, format);
  return between ? element(
                       'span', {}, format(band.typical),
                       element('span', {class: 'low-high'}, between)) :
                   format(band.typical);
}

/// A column for each of `names`, a line for each of `rows` {name, values, format}. A line without
/// any value is left out.
function comparisonTable(names, rows, caption) {
  const lines = rows.map(({name, values, format = count}) => ({
                           name,
                           cells: values.map((value) => rangeCell(value, format))
                         }))
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
