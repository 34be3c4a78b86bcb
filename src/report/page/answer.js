// A scenario as a page: its question, its answers, then whatever was simulated for them.

/// An answer with a value: the number large, what it says beneath.
function answerCard({text, value, unit}) {
  const band = bandOf(value);
  const format = formatOf(asText(unit));
  const between = band && spread(band, format);
  return element(
      'div', {class: 'answer'},
      element('div', {class: 'value'}, band ? format(band.typical) : asText(value)),
      between && element('div', {class: 'low-high'}, between),
      element('div', {class: 'text'}, asText(text)));
}

const NUMBER = /(\$?(?<![\w.-])\d[\d,. \u202f]*\d(?![\w-])|\$?(?<![\w.-])\d(?![\w.-]))/;

/// An answer in words: its numbers stand out.
const answerSentence = (text) => element(
    'li', {}, text.split(NUMBER).map((part, i) => (i % 2 === 1 ? element('b', {}, part) : part)));

function questionSection(serve) {
  const answers = list(serve.answers)
                      .map((answer) => (typeof answer === 'string' ? {text: answer} : answer))
                      .filter(isObject);
  const valued = answers.filter(({value}) => value !== undefined && value !== null);
  const told = answers.filter((answer) => !valued.includes(answer) && answer.text);
  const question = asText(serve.question);
  if (!question && answers.length === 0) return undefined;
  return [
    question && element('p', {class: 'question'}, question),
    valued.length > 0 && element('div', {class: 'answers'}, valued.map(answerCard)),
    told.length > 0 &&
        element('ul', {class: 'told'}, told.map(({text}) => answerSentence(asText(text))))
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
