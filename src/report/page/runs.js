// What was run: the phases, the tokens, the summary.

/// A run as the sections read it: how many chips, prices as ranges, names also where the answer was
/// "no".
function asShown(run) {
  const {chip = asText(run.request?.chip), model = asText(run.request?.model), cost} = run;
  const chips = run.request?.tp ?? 1;
  const price = cost?.usd_per_mtoken_band ?? cost?.usd_per_mtoken;
  return {
    ...run,
    model,
    chip: chips > 1 ? `${chips} × ${chip}` : chip,
    cost: cost && { ...cost, usd_per_mtoken: price }
  };
}

/// Every (run, phase) of the report, with a label that tells them apart.
function phasesOf(runs) {
  const chips = new Set(runs.map((run) => run.chip));
  return runs.flatMap(
      (run) => Object.entries(members(run.phases))
                   .filter(([, values]) => isObject(values))
                   .map(([phase, values]) => ({
                          run,
                          phase,
                          values,
                          ops: list(run.ops).filter((op) => op.phase === phase),
                          label: `${run.model ?? 'run'} · ${phase}` +
                              (chips.size > 1 ? `\n${run.chip}` : ''),
                        })));
}

const flat = (label) => label.replace('\n', ' on ');

/// The operators of a phase summed over the layers, one entry for each (name, what bound it).
function operatorClasses(ops) {
  const classes = new Map();
  for (const op of ops) {
    const key = JSON.stringify([op.name, op.bound_by]);
    const entry = classes.get(key) ?? {
      name: asText(op.name),
      bound_by: asText(op.bound_by),
      time: 0,
      flops: 0,
      bytes: 0,
      times: 0
    };
    entry.time += (op.end_s ?? 0) - (op.start_s ?? 0);
    entry.flops += op.flops ?? 0;
    entry.bytes += op.dram_bytes ?? 0;
    entry.times += 1;
    classes.set(key, entry);
  }
  return [...classes.values()];
}

/// The prompt and what followed, token by token where the tokens are known.
function saidText(run) {
  const said = list(run.tokens)
                   .map(
                       (token, i) => element(
                           'span', {class: 'token', title: `token ${i + 1}: id ${token.id}`},
                           asText(token.text)));
  const prompt = asText(run.prompt);
  const gap = prompt && !/^\s/.test(run.text) ? '\n' : '';
  return element(
      'div', {class: 'text'}, element('span', {class: 'prompt'}, prompt), gap,
      said.length > 0 ? said : run.text);
}

function tokensSection(runs) {
  const said = runs.filter((run) => typeof run.text === 'string' && run.text !== '');
  if (said.length === 0) return undefined;
  return [
    element(
        'p', {},
        'What the model wrote, in the arithmetic named above. Each shade is one ' +
            'token; point at it for its number.'),
    ...said.map(
        (run) => element(
            'div', {class: 'said'}, element('div', {class: 'who'}, `${run.model} on ${run.chip}`),
            saidText(run)))
  ];
}

/// How long a phase takes, and what it may take.
function timeOf({time_s: typical, time_low_s: low, time_high_s: high}) {
  return range({typical, low, high});
}

function timeCell(values) {
  const time = timeOf(values);
  return cell(
      time &&
          element(
              'span', {}, seconds(time.typical),
              element('span', {class: 'low-high'}, spread(time, seconds))),
      time?.typical);
}

function summarySection(runs) {
  const phases = phasesOf(runs);
  const refusals =
      runs.filter((run) => run.status === 'infeasible')
          .map(
              (run) => element(
                  'p', {class: 'notice'}, element('b', {}, `${run.model} on ${run.chip}: no, `), [
                    asText(run.reason), run.remedy && `What would do: ${asText(run.remedy)}`
                  ].filter(Boolean).join('. ')));
  if (phases.length + refusals.length === 0) return undefined;
  const rows = phases.map(({run, phase, values}) => {
    const price = range(run.cost?.usd_per_mtoken);
    const tokens = values.tokens ?? values.tokens_per_s * values.time_s;
    return [
      cell(run.model), cell(run.chip), cell(phase), numberCell(values.tokens_per_s, count),
      timeCell(values), cell(boundTag(values.bound_by), values.bound_by),
      numberCell(values.dram_bandwidth_gbs * 1e9, (value) => quantity(value, 'B/s')),
      numberCell(values.dram_efficiency, percent), numberCell(values.energy_j / tokens, joules),
      numberCell(values.power_w, (v) => quantity(v, 'W')),
      cell(
          price && phase === 'decode' ?
              element(
                  'span', {}, dollars(price.typical),
                  element('span', {class: 'low-high'}, spread(price, dollars))) :
              '',
          price?.typical)
    ];
  });
  const table = sortableTable(
      [
        'model', 'chip', 'phase', 'tokens/s', 'time', 'bound by', 'DRAM rate', 'of peak',
        'energy/token', 'power', '$/Mtoken'
      ],
      rows);
  return [rows.length > 0 && table, ...refusals].filter(Boolean);
}
