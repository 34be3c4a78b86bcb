// Sortable tables.

/// A cell: what is shown (text or a node), what it sorts by, and whether it is a number.
function cell(shown, sortBy = shown) {
  return {shown: shown ?? '', sortBy: sortBy ?? '', number: isNumber(sortBy)};
}
const numberCell = (value, format) => cell(format(value), isNumber(value) ? value : '');

const isShort = ({sortBy}) => String(sortBy).length < 40;

function compare(a, b) {
  if (a === '' || b === '') return (a === '') - (b === '');
  return isNumber(a) && isNumber(b) ? a - b :
                                      String(a).localeCompare(String(b), 'en', {numeric: true});
}

/// A table of `rows` (lists of cells) under `headings`. Columns without any content are left out.
/// `options`: caption; picked(i) marks row i.
function sortableTable(headings, rows, options = {}) {
  const used = headings.map((_, i) => rows.some((row) => row[i].shown !== ''));
  const shown = headings.map((_, i) => i).filter((i) => used[i]);
  const numeric = headings.map((_, i) => rows.some((row) => row[i].number));
  const body = element(
      'tbody', {},
      rows.map(
          (row, at) => element(
              'tr', {class: options.picked?.(at) && 'picked', 'data-row': at},
              shown.map(
                  (i) => element(
                      'td', {class: numeric[i] ? 'number' : isShort(row[i]) && 'whole'},
                      row[i].shown)))));
  const heads = shown.map((i) => {
    const button = element('button', {type: 'button'}, headings[i]);
    const head = element('th', {scope: 'col', class: numeric[i] && 'number'}, button);
    button.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending';
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const lines = [...body.rows];
      lines.sort(
          (a, b) => (down ? -1 : 1) *
              compare(rows[a.dataset.row][i].sortBy, rows[b.dataset.row][i].sortBy));
      body.append(...lines);
    });
    return head;
  });
  return element(
      'div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': options.caption},
      element(
          'table', {}, options.caption && element('caption', {}, options.caption),
          element('thead', {}, element('tr', {}, heads)), body));
}

/// The resource that bound something, with its colour.
function boundTag(resource) {
  return resource ?
      element('span', {class: 'tag', style: `--tag: ${boundColour(resource)}`}, resource) :
      '';
}
