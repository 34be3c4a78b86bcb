// Elements and numbers. Text reaches the page as text nodes only, so no name can become markup.

/// A DOM element: `attributes` are set as such, `children` are nodes or text.
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return node;
}

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const list = (value) => (Array.isArray(value) ? value : []);
const members = (value) => (isObject(value) ? value : {});
const sum = (values) => values.reduce((total, value) => total + (isNumber(value) ? value : 0), 0);

/// Text of any JSON value.
function asText(value) {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/// Three significant digits, more only left of the point; small integers as they are.
function digits(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1000) return String(value);
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const fixed = value.toFixed(Math.min(places, 20));
  const [whole, fraction] = fixed.split('.');
  const grouped = Math.abs(value) >= 1e4 ? whole.replace(/\B(?=(\d{3})+$)/g, '\u202f') : whole;
  return fraction ? `${grouped}.${fraction}` : grouped;
}

const PREFIXES = [
  [1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, ''], [1e-3, 'm'], [1e-6, 'µ'],
  [1e-9, 'n'], [1e-12, 'p']
];

/// "3.35 TB/s" from 3.35e12 and "B/s".
function quantity(value, unit) {
  if (!isNumber(value)) return '';
  if (value === 0) return `0 ${unit}`;
  const size = Math.abs(value) * 1.0005;  // 999.6 reads as 1.00 k
  const [scale, prefix] = PREFIXES.find(([scale]) => size >= scale) || PREFIXES.at(-1);
  return `${digits(value / scale)} ${prefix}${unit}`;
}

/// The same for an axis, where round numbers stand: "10 T" rather than "10.0 T".
function roundQuantity(value, unit) {
  if (unit === '' && Math.abs(value) < 1e3) return String(value);
  return quantity(value, unit).replace(/\.0+ /, ' ').replace(/(\.\d*?)0+ /, '$1 ').trim();
}

const seconds = (value) => quantity(value, 's');
const joules = (value) => quantity(value, 'J');
const bytes = (value) => quantity(value, 'B');
const count = (value) => (isNumber(value) ? digits(value) : '');
const percent = (share) => (isNumber(share) ? `${digits(100 * share)} %` : '');
const dollars = (value) => (isNumber(value) ? `$${digits(value)}` : '');

/// {low, typical, high} of a number or of such an object; undefined when there is neither.
function range(value) {
  if (isNumber(value)) return {low: value, typical: value, high: value};
  if (!isNumber(value?.typical)) return undefined;
  return {
    low: value.low ?? value.typical,
    typical: value.typical,
    high: value.high ?? value.typical
  };
}

/// "low to high", where they differ.
function spread(value, format) {
  return value && value.low !== value.high ? `${format(value.low)} to ${format(value.high)}` : '';
}
