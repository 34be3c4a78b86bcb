// Where every input is from.

function sourcesSection(runs) {
  const rows = new Map();
  for (const run of runs) {
    for (const input of list(run.inputs))
      rows.set(JSON.stringify([run.chip, input]), {chip: run.chip, ...input});
  }
  const estimates = new Set(runs.flatMap((run) => list(run.estimates).map(asText)));
  if (rows.size + estimates.size === 0) return undefined;
  const source = (ref) =>
      (/^https?:\/\//.test(ref) ? element('a', {href: ref, rel: 'noreferrer'}, ref) : ref);
  const table = sortableTable(
      ['chip', 'field', 'value', 'confidence', 'source', 'where'],
      [...rows.values()].map(
          (row) =>
              [cell(asText(row.chip)),
               cell(element('code', {}, asText(row.field)), asText(row.field)),
               cell(asText(row.value)),
               cell(
                   row.confidence ?
                       element('span', {class: `confidence ${row.confidence}`}, row.confidence) :
                       '',
                   row.confidence),
               cell(source(asText(row.ref)), asText(row.ref)),
               cell(row.file ? `${row.file}:${row.line ?? ''}` : '')]));
  const filter = element('input', {type: 'search', id: 'filter', placeholder: 'dram, estimate, …'});
  filter.addEventListener('input', () => {
    const wanted = filter.value.toLowerCase();
    for (const row of table.querySelectorAll('tbody tr'))
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  return [
    element(
        'p', {},
        'Found: read in the source named. Recalled: known, the source not at hand. Derived: ' +
            'computed from others. Estimate: ours.'),
    rows.size > 0 &&
        element('div', {class: 'tools'}, element('label', {'for': 'filter'}, 'Show only '), filter),
    rows.size > 0 && table,
    estimates.size > 0 &&
        element(
            'details', {},
            element('summary', {}, `${estimates.size} estimates behind these results`),
            element('ul', {class: 'plain'}, [...estimates].map((text) => element('li', {}, text)))),
  ].filter(Boolean);
}
