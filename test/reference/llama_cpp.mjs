// The reference: llama.cpp itself, from npm, continues prompts greedily.
//
//   node llama_cpp.mjs MODEL.gguf PROMPTS.json [TOKENS]
//
// PROMPTS.json: {"prompts": [{"name", "text"}]}; special tokens in a text are recognised. Prints
// the prompts with their tokens and, for each step, the chosen token, its probability, and the gap
// to the second. KV cache in F32 and flash attention off: what `numerics: ggml` describes.
// One context per process, then exit: several create and dispose cycles in one process hang.
import {createHash} from "node:crypto";
import {readFileSync} from "node:fs";
import {getLlama} from "node-llama-cpp";

const [modelPath, promptsPath, steps = "16"] = process.argv.slice(2);
const {prompts} = JSON.parse(readFileSync(promptsPath, "utf8"));

const llama = await getLlama({gpu: false, build: "never", skipDownload: true, logLevel: "error"});
const model = await llama.loadModel({modelPath});
const context = await model.createContext({
  contextSize: 1024,
  batchSize: 1024,
  sequences: 1,
  threads: 2,
  flashAttention: false,
  experimentalKvCacheKeyType: "F32",
  experimentalKvCacheValueType: "F32",
});
const sequence = context.getSequence();

/// The most likely next token after `tokens` (appended to the sequence), its probability and its
/// lead over the runner-up.
async function next(tokens) {
  const last = tokens.length - 1;
  const wish = {generateNext: {logits: {filter: {tokens: [], includeTop: 2}}, totalLogitWeight: true}};
  const input = tokens.map((token, i) => (i === last ? [token, wish] : token));
  const result = (await sequence.controlledEvaluate(input))[last].next;
  const [[token, first], [, second]] = [...result.logits.entries()];
  const probability = 1 / result.totalLogitWeight;
  return {token, probability, gap: probability - Math.exp(second - first) * probability};
}

const answers = [];
for (const {name, text} of prompts) {
  await sequence.clearHistory();
  const promptTokens = [...model.tokenize(text, true)];
  const answer = {name, text, prompt_tokens: promptTokens, tokens: [], probabilities: [], gaps: []};
  for (let tokens = promptTokens, i = 0; i < Number(steps); ++i) {
    const {token, probability, gap} = await next(tokens);
    answer.tokens.push(token);
    answer.probabilities.push(Number(probability.toFixed(6)));
    answer.gaps.push(Number(gap.toFixed(6)));
    tokens = [token];
  }
  answer.continuation = model.detokenize(answer.tokens, true);
  answers.push(answer);
}
const {dependencies} = JSON.parse(readFileSync("package.json", "utf8"));
const made = {
  by: "test/reference/run.sh --update",
  with: dependencies,
  llama_cpp: `${llama.llamaCppRelease.repo} ${llama.llamaCppRelease.release}`,
  settings: "CPU, F32 KV cache, flash attention off, prompt in one batch",
  model_sha256: createHash("sha256").update(readFileSync(modelPath)).digest("hex"),
};
// Arrays of numbers on one line, so that a change of one token is one line of a diff.
const text = JSON.stringify({made, prompts: answers}, null, 1);
console.log(text.replace(/\[[^\]"{}]*\]/g, (list) => list.replace(/\s+/g, " ")));
process.exit(0);
