// Device and cloud: what each policy takes from the battery, the radio and the purse, and what the
// owner waits for.

const policiesOf = (device) =>
    list(device?.policies)
        .filter(isObject)
        .map((policy, i) => ({...policy, name: asText(policy.name ?? `policy ${i + 1}`)}));

/// What became of the requests of each policy, and what that took.
function policyTables(policies) {
  const table = (caption, rows) => comparisonTable(
      policies.map(({name}) => name),
      rows.map(
          ([name, key, format]) =>
              ({name, format, values: policies.map((policy) => numberAt(policy, key))})),
      caption);
  return [
    table(
        'What became of the requests',
        [
          ['requests', 'requests', whole],
          ['completed', 'completed', whole],
          ['within the budget of time', 'in_budget', whole],
          ['on the device', 'requests_on_device', whole],
          ['in the cloud', 'in_cloud', whole],
          ['on both', 'split', whole],
          ['escalated to the cloud', 'escalated', whole],
          ['not where the policy said', 'elsewhere', whole],
          ['private ones that left the device', 'private_in_cloud', whole],
          ['too long', 'too_long', whole],
          ['lost to an empty battery', 'battery_empty', whole],
          ['real-time factor', 'real_time_factor', count],
          ['of the worst minute', 'real_time_factor_worst_minute', count],
          ['first sound after a chunk, p50', 'lag_s.p50', seconds],
          ['first sound after a chunk, p99', 'lag_s.p99', seconds],
        ]),
    table(
        'What it took',
        [
          ['battery an hour', 'battery_share_per_h', percent],
          ['battery left', 'battery_left_share', percent],
          ['energy a second of speech', 'mj_per_speech_s', (mj) => joules(mj / 1e3)],
          ['energy in the cloud', 'cloud_energy_j', joules],
          ['paid to the cloud', 'cloud_usd', money],
          ['sent', 'bytes_up', bytes],
          ['received', 'bytes_down', bytes],
          ['hottest', 'temperature_c.max', celsius],
          ['hottest, skin', 'skin_max_c', celsius],
          ['hottest, die', 'die_max_c', celsius],
          ['time at work', 'busy_share', percent],
          ['of it at a lower clock', 'throttled_share', percent],
          ['length of the run', 'duration_s', duration],
        ])
  ].filter(hasRows);
}

/// Amounts by part, a bar for each policy. `colours` of the parts that are met.
function partsFigure(policies, key, colours, {format, axisFormat, ...rest}) {
  const shown = policies.filter(
      (policy) => [...colours.keys()].some((part) => members(policy[key])[part] > 0));
  if (shown.length === 0) return undefined;
  const rows = shown.map(
      (policy) => ({
        label: policy.name,
        parts: [...colours.keys()].map((name) => ({name, value: members(policy[key])[name] ?? 0}))
      }));
  return stackedAmounts({
    ...rest,
    colours,
    rows,
    format,
    axisFormat,
    table: sortableTable(
        ['policy', ...colours.keys(), 'in all'],
        rows.map(
            ({label, parts}) =>
                [cell(label), ...parts.map(({value}) => numberCell(value, format)),
                 numberCell(sum(parts.map(({value}) => value)), format)]))
  });
}

const DRAWN_BY = new Map([['compute', 'dram'], ['radio', 'matrix'], ['idle', 'launch']]);
const SPEECH_WORK =
    new Map([['encode', 'vector'], ['read', 'matrix'], ['write', 'dram'], ['speak', 'sram']]);

/// Bars of one number a policy, with a line that it should not cross.
function policyBars(policies, {title, note, key, format, limit, limitText}) {
  const rows = policies.map((policy) => ({name: policy.name, value: policy[key]}))
                   .filter(({value}) => isNumber(value));
  if (rows.length === 0) return undefined;
  return figure({
    title,
    note,
    height: 44 + 26 * rows.length,
    table: sortableTable(
        ['policy', title.toLowerCase()],
        rows.map((row) => [cell(row.name), numberCell(row.value, format)])),
    option: (ink) => ({
      ...baseOption(ink),
      grid: {left: 8, right: 66, top: limitText ? 22 : 8, bottom: 8, containLabel: true},
      xAxis: numericAxis(
          ink, {format, min: 0, max: limit && (({max}) => (max < limit ? limit : undefined))}),
      yAxis: categoryAxis(ink, rows.map(({name}) => name)),
      series: [{
        type: 'bar',
        barWidth: 14,
        data: rows.map(
            ({value}) =>
                ({value, itemStyle: {color: limit && value > limit ? ink.power : ink.accent}})),
        label:
            {show: true, position: 'right', color: ink.ink, formatter: ({value}) => format(value)},
        markLine: limit && {
          silent: true,
          symbol: 'none',
          data: markLines(ink, [{value: limit, text: limitText}], () => 1, {position: 'start'})
        },
        tooltip: {formatter: ({name, value}) => tooltip(name, format(value))}
      }],
    }),
  });
}

const DEVICE_FOLLOWED = [
  ['battery_share', 'Battery left', percent], ['temperature_c', 'Temperature of the skin', celsius],
  ['die_c', 'Temperature of the die', celsius], ['clock_share', 'Clock, of its highest', percent],
  ['power_w', 'Power', watts]
];

function deviceParts(serve) {
  const {device} = serve;
  const policies = policiesOf(device);
  if (policies.length === 0) return [];
  const {temperature_limit_c: hot, budget_s: budget} = device;
  const figures = [
    partsFigure(policies, 'energy_j', DRAWN_BY, {
      title: 'Energy taken from the battery',
      note:
          'Compute: steps on the chip. Radio: sending, receiving and the tail after each. Idle: ' +
          'the chip between steps and all else in the device.',
      format: joules,
      axisFormat: (v) => roundQuantity(v, 'J'),
    }),
    policyBars(policies, {
      title: 'Real-time factor',
      note: 'Seconds of work for a second of speech. Above 1 it falls behind.',
      key: 'real_time_factor',
      format: count,
      limit: 1,
      limitText: 'as fast as speech'
    }),
    partsFigure(policies, 'work_s_per_speech_s', SPEECH_WORK, {
      title: 'Work for a second of speech',
      format: seconds,
      axisFormat: (v) => roundQuantity(v, 's'),
    }),
    partsFigure(policies, 'mj_per_speech_s_by_work', SPEECH_WORK, {
      title: 'Energy for a second of speech',
      note: 'Of the device\'s steps.',
      format: (mj) => joules(mj / 1e3),
      axisFormat: (mj) => roundQuantity(mj / 1e3, 'J'),
    }),
    policyBars(policies, {title: 'Battery an hour', key: 'battery_share_per_h', format: percent})
  ].filter(Boolean);
  const limits = isNumber(budget) ? [{metric: 'ttft_s', of: 'p99', limit: budget}] : [];
  const spreads = latencyFigures(policies, [...limits, ...objectivesOf(serve.slo)]);
  return [
    element(
        'dl', {class: 'facts'}, fact('device', asText(device.chip)),
        fact('model', asText(device.model)),
        fact('network', [device.radio].flat().map(asText).join(', ')),
        fact('budget to the first token', isNumber(budget) && seconds(budget))),
    isObject(device.infeasible) && element('p', {class: 'notice'}, noteOf(device.infeasible)),
    element('div', {class: policies.length > 5 ? 'panels one' : 'panels'}, policyTables(policies)),
    element('div', {class: 'panels filled'}, figures),
    hasCharts() && spreads.length > 0 && element('div', {class: 'panels'}, spreads),
    latencyTable(policies),
    ...timeFigures({
      title: 'Over time',
      note: 'A colour for each policy.',
      entries: policies.filter(({series}) => isObject(series)),
      followed: DEVICE_FOLLOWED,
      levels: {temperature_c: isNumber(hot) ? [{value: hot, text: `limit ${celsius(hot)}`}] : []}
    }),
  ].filter(Boolean);
}
