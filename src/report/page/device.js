// Device and cloud: what each policy takes from the battery, the radio and the purse, and what the
// owner waits for.

const JOULES =
    new Map([['compute', 'dram'], ['radio', 'matrix'], ['idle', 'launch'], ['other', 'other']]);

/// The policies that were simulated, each with its name.
function policiesOf(device) {
  const given = list(device?.policies).filter(isObject);
  return given.map((policy, i) => ({
                     ...policy,
                     ...members(policy.speech),
                     name: asText(policy.name ?? policy.policy ?? `policy ${i + 1}`)
                   }));
}

function policyTable(policies) {
  const rows = [
    ['requests', 'requests', whole],
    ['on the device', 'requests_on_device', whole],
    ['in the cloud', 'in_cloud', whole],
    ['split between them', 'split', whole],
    ['turned away', 'turned_away', whole],
    ['real-time factor', 'real_time_factor', count],
    ['energy a second of speech', 'mj_per_speech_s', (mj) => joules(mj / 1e3)],
    ['battery an hour', 'battery_share_per_h', percent],
    ['hottest', 'temperature_c.max', celsius],
    ['hottest, skin', 'skin_max_c', celsius],
    ['hottest, die', 'die_max_c', celsius],
    ['time throttled', 'throttled_share', percent],
    ['sent', 'mb_up', (mb) => bytes(mb * 1e6)],
    ['received', 'mb_down', (mb) => bytes(mb * 1e6)],
    ['paid to the cloud', 'cloud_usd', money],
  ];
  return comparisonTable(
      policies.map(({name}) => name),
      rows.map(
          ([name, key, format]) =>
              ({name, format, values: policies.map((policy) => numberAt(policy, key))})));
}

function energyFigure(policies) {
  const shown = policies.filter(({energy_j: energy}) => isObject(energy));
  if (shown.length === 0) return undefined;
  const met = [...new Set(shown.flatMap(({energy_j: energy}) => Object.keys(energy)))].filter(
      (name) => name !== 'total' && shown.some(({energy_j: energy}) => energy[name] > 0));
  const rows = shown.map(({name, energy_j: energy}) => ({
                           label: name,
                           parts: met.map((part) => ({name: part, value: energy[part]}))
                                      .filter(({value}) => isNumber(value))
                         }));
  return stackedAmounts({
    title: 'Energy taken from the battery',
    note: 'Compute: the chip and its memory. Radio: sending, receiving and the tail after each.',
    colours: new Map(met.map((name, i) => [name, JOULES.get(name) ?? seriesInk(i + 2)])),
    rows,
    format: joules,
    axisFormat: (v) => roundQuantity(v, 'J'),
    table: sortableTable(
        ['policy', ...met, 'in all'],
        rows.map(
            ({label, parts}) =>
                [cell(label),
                 ...met.map(
                     (name) => numberCell(parts.find((part) => part.name === name)?.value, joules)),
                 numberCell(sum(parts.map(({value}) => value)), joules)]))
  });
}

/// Bars of one number a policy, with a line that it must not cross.
function policyBars(policies, {title, note, valueOf, format, limit, limitText}) {
  const rows = policies.map((policy) => ({name: policy.name, value: valueOf(policy)}))
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
  ['battery_share', 'Battery left', percent], ['temperature_c', 'Temperature', celsius],
  ['skin_c', 'Temperature of the skin', celsius], ['die_c', 'Temperature of the die', celsius],
  ['clock_share', 'Clock, of its highest', percent], ['power_w', 'Power', watts]
];

function deviceParts(serve) {
  const {device} = serve;
  const policies = policiesOf(device);
  if (policies.length === 0) return [];
  const limit = device.temperature_limit_c;
  const panels = [
    energyFigure(policies), policyBars(policies, {
      title: 'Real-time factor',
      note: 'Time to interpret a second of speech, in seconds. Above 1 it falls behind.',
      valueOf: (policy) => policy.real_time_factor,
      format: count,
      limit: 1,
      limitText: 'as fast as speech'
    }),
    policyBars(policies, {
      title: 'Battery an hour',
      valueOf: (policy) => policy.battery_share_per_h,
      format: percent
    })
  ].filter(Boolean);
  const spreads = latencyFigures(policies, objectivesOf(serve));
  return [
    element(
        'dl', {class: 'facts'}, fact('device', asText(device.chip ?? device.name)),
        fact('network', asText(device.radio ?? device.network)),
        fact('battery', isNumber(device.battery_wh) ? `${digits(device.battery_wh)} Wh` : '')),
    policyTable(policies),
    element('div', {class: 'panels filled'}, panels),
    hasCharts() && spreads.length > 0 && element('div', {class: 'panels'}, spreads),
    latencyTable(policies),
    ...timeFigures({
      title: 'Over time',
      note: 'A colour for each policy.',
      entries: policies.filter(({series}) => isObject(series)),
      followed: DEVICE_FOLLOWED,
      levels: {
        temperature_c: isNumber(limit) ? [{value: limit, text: `throttles at ${celsius(limit)}`}] :
                                         []
      },
      size: 'tiny'
    }),
  ].filter(Boolean);
}
