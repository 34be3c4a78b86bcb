// The page: the header, one section for each part that the data has, and the footer.

const report = JSON.parse(document.getElementById('data').textContent);
const results = list(report.runs).filter(isObject);
const runs = results.filter((result) => !isMemory(result)).map(asShown);
const memories = results.filter(isMemory);
const scenarios = list(report.serve).filter(isObject);
const bills = list(report.cost).filter(isObject);

function fact(name, value) {
  return value ? element('div', {}, element('dt', {}, name), element('dd', {}, value)) : null;
}

function fillHead() {
  const distinct = (key) => [...new Set(runs.map((run) => run[key]).filter(Boolean))].join(', ');
  const hashes = [
    ...new Set(
        runs.map((run) => run.weights?.sha256).filter(Boolean).map((hash) => hash.slice(0, 12)))
  ].join(', ');
  const numerics = [...new Set(runs.map((run) => run.numerics?.name).filter(Boolean))].join(', ');
  const weights = [...new Set(runs.map((run) => run.weights?.formats).filter(Boolean))].join(', ');
  const warnings = [report, ...results, ...scenarios, ...bills]
                       .flatMap((part) => list(part.warnings))
                       .map(asText);
  if (!hasCharts()) {
    warnings.push(
        'The charts are missing: the chart library was not there when this page was made ' +
        '(./presil doctor says why). The tables hold every number.');
  }
  document.getElementById('head').append(
      element(
          'p', {class: 'brand'}, element('b', {}, 'Presilicon'),
          ' · run Llama on chips that do not exist yet'),
      element('h1', {}, report.title || 'Report'),
      report.command ? element('pre', {class: 'command', tabindex: 0}, report.command) : '',
      element(
          'dl', {class: 'facts'}, fact('chip', distinct('chip') || asText(report.numerics?.chip)),
          fact('scenario', scenarios.map(({scenario}) => asText(scenario)).join(', ')),
          fact('memory', [...new Set(memories.map(({part}) => asText(part)))].join(', ')),
          fact('model', distinct('model') || asText(report.numerics?.model)),
          fact('weights', weights), fact('arithmetic', numerics),
          fact('version', asText(report.tool_version)),
          fact('sha256', hashes && element('code', {}, hashes))),
      ...[...new Set(warnings)].map((text) => element('p', {class: 'notice'}, text)));
}

/// Where the numbers of a scenario are from, its services' chips included.
const inputsOf = (serve) => ({
  chip: asText(serve.scenario),
  inputs: serve.inputs,
  estimates: [serve, ...servicesOf(serve).flatMap(({pools}) => list(pools))].flatMap(
      (part) => list(part?.estimates))
});

function fillMain() {
  const sections = [
    ...scenarioSections(scenarios),
    ['bills', 'What a chip costs', billsSection(bills)],
    ['summary', 'Summary', summarySection(runs)],
    ['tokens', 'Tokens', tokensSection(runs)],
    ['time', 'Where the time goes', timeSection(runs)],
    ['roofline', 'Roofline', rooflineSection(runs)],
    ['dram', 'DRAM', dramSection(runs)],
    ['memory', 'Memory by itself', memorySection(memories)],
    ['energy', 'Energy', energySection(runs)],
    ['cost', 'Cost', costSection(runs)],
    ['sweep', 'Sweep', sweepSection(report.sweep)],
    ['numerics', 'Numerics', numericsSection(report.numerics)],
    [
      'sources', 'Inputs and their sources', sourcesSection([
        ...runs, ...memories.map((memory) => ({...memory, chip: memory.part})),
        ...scenarios.map(inputsOf), ...bills
      ])
    ],
  ].filter(([, , content]) => content);
  const main = document.getElementById('main');
  if (sections.length === 0)
    main.append(element('p', {class: 'notice'}, 'This report holds no runs.'));
  for (const [id, title, content] of sections) {
    main.append(element(
        'section', {id, 'aria-labelledby': `${id}-title`},
        element('h2', {id: `${id}-title`}, title), ...content));
  }
  document.getElementById('contents')
      .append(element(
          'ul', {},
          sections.map(([id, title]) => element('li', {}, element('a', {href: `#${id}`}, title)))));
}

function fillFoot() {
  const computed = [...results, ...scenarios, ...bills];
  const cpu = sum(computed.map((part) => part.host?.cpu_s));
  const peak = Math.max(0, ...computed.map((part) => part.host?.peak_rss_bytes ?? 0));
  document.getElementById('foot').append(
      cpu > 0 ? element(
                    'p', {},
                    `Computed in ${seconds(cpu)} of CPU time` +
                        (peak > 0 ? ` and ${bytes(peak)} of memory.` : '.')) :
                                    '',
      element('p', {}, 'The data of this page is the JSON in its source, in the element #data.'));
}

fillHead();
fillMain();
fillFoot();
drawAll();
