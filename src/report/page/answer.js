// A scenario as a page: its question, its answers, then whatever was simulated for them.

/// An answer: the number large, what it says beneath.
function answerCard({text, value, unit}) {
  const band = range(value);
  const format = formatOf(asText(unit));
  const between = band && spread(band, format);
  return element(
      'div', {class: 'answer'},
      element('div', {class: 'value'}, band ? format(band.typical) : asText(value)),
      between && element('div', {class: 'low-high'}, between),
      element('div', {class: 'text'}, asText(text)));
}

function questionSection(serve) {
  const answers = list(serve.answers).filter(isObject);
  const question = asText(serve.question);
  if (!question && answers.length === 0) return undefined;
  return [
    question && element('p', {class: 'question'}, question),
    answers.length > 0 && element('div', {class: 'answers'}, answers.map(answerCard))
  ].filter(Boolean);
}

/// The sections of every scenario: [id, title, content]. With several, the title names the
/// scenario.
function scenarioSections(scenarios) {
  return scenarios.flatMap((serve, i) => {
    const last = scenarios.length > 1 ? `-${i + 1}` : '';
    const name = asText(serve.scenario ?? serve.name);
    const filled = (parts) => (parts?.length > 0 ? parts : undefined);
    return [
      ['answer', (last && name) || 'The question', questionSection(serve)],
      ['service', 'Service', filled(serviceParts(serve))],
      ['bill', 'Money', filled(billParts(serve))],
      ['device', 'Device and cloud', filled(deviceParts(serve))],
      ['fleet', 'Fleet', filled(fleetParts(serve))]
    ].map(([id, title, content]) => [id + last, title, content]);
  });
}
