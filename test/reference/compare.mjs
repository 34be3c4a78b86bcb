// Do two runs of llama_cpp.mjs agree?  node compare.mjs STORED.json LIVE.json
//
// llama.cpp picks a build for the CPU it finds, and on quantised weights its builds were seen 0.14
// apart in probability. So tokens are compared up to the first step in which the stored lead over
// the second choice is below 0.05.
import {readFileSync} from "node:fs";

const [stored, live] = process.argv.slice(2).map((f) => JSON.parse(readFileSync(f, "utf8")).prompts);
let failures = 0;
for (const [i, {name, text, tokens, gaps}] of stored.entries()) {
  const undecided = gaps.findIndex((gap) => gap <= 0.05);
  const steps = undecided < 0 ? tokens.length : undecided;
  const differs = live[i].text !== text ? 0 : tokens.findIndex((t, s) => t !== live[i].tokens[s]);
  const equal = differs < 0 || differs >= steps;
  if (!equal) ++failures;
  console.log(`${name}: ${equal ? `equal for ${steps} steps` : `differs at step ${differs}`}`);
}
process.exit(failures > 0 ? 1 : 0);
