// Values as a user meets them: sampling, comparison, the table of numerics, conversations. On a
// tiny model of the test's own, whose words mean nothing.
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cli.h"
#include "model/testing/tiny_checkpoint.h"

namespace {

using presil::testing::Answer;
using presil::testing::Cli;
using presil::testing::Json;
using presil::testing::operator+;
using Arguments = std::vector<std::string>;

/// The tokenizer of add_tiny_vocabulary, without its unused tokens.
std::string tiny_tokenizer_json() {
  Json vocab, merges, added;
  int id = 0;
  for (int b = 0; b < 256; ++b)
    vocab[presil::to_byte_level(std::string(1, static_cast<char>(b)))] = id++;
  for (const std::string& merge : presil::testing::tiny_merges()) {
    const std::size_t space = merge.find(' ');
    vocab[merge.substr(0, space) + merge.substr(space + 1)] = id++;
    merges.push_back(merge);
  }
  for (const char* special : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}) {
    added.push_back({{"id", id++}, {"content", special}, {"special", true}});
  }
  const Json digits = {{"type", "Digits"}, {"individual_digits", true}};
  const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
  const Json words = {{"type", "Sequence"}, {"pretokenizers", {digits, bytes}}};
  return Json{{"normalizer", nullptr},
              {"pre_tokenizer", words},
              {"added_tokens", added},
              {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", merges}}}}
      .dump();
}

class CliValues : public Cli {
 protected:
  CliValues() {
    std::ofstream(folder_ / "tiny.gguf", std::ios::binary) << presil::testing::tiny_llama();
    std::ofstream(folder_ / "text.txt") << "A short text, read twice: hello world, hello again.\n";
  }

  Answer say(const Arguments& options) const {
    return presil(Arguments{"run", "h100-sxm", "tiny.gguf", "--mode", "values", "--prompt", "hello",
                            "-n", "12", "--json", "--no-host"} +
                  options);
  }

  Answer chat(const std::string& turns, const Arguments& options = {}) const {
    std::ofstream(folder_ / "stdin") << turns;
    return presil(Arguments{"chat", "h100-sxm", "tiny.gguf", "-n", "6"} + options);
  }
};

TEST_F(CliValues, ASeedGivesTheSameTokensOnAnyNumberOfThreads) {
  const Arguments warm = {"--temperature", "1.5", "--top-k", "40", "--seed", "7"};
  const Answer one = say(warm + Arguments{"-j", "1"});
  const Answer two = say(warm + Arguments{"-j", "2"});
  ASSERT_EQ(one.status, 0) << one.err;
  EXPECT_EQ(one.out, two.out);
  const Answer other = say({"--temperature", "1.5", "--top-k", "40", "--seed", "8"});
  EXPECT_NE(one.json()["token_ids"], other.json()["token_ids"]);
}

TEST_F(CliValues, SamplingThatMakesNoSenseIsRefused) {
  const std::pair<Arguments, const char*> slips[] = {
      {{"--temperature", "-1"}, "--temperature: expected 0"},
      {{"--temperature", "nan"}, "--temperature"},
      {{"--top-k", "5"}, "--top-k: needs a --temperature"},
      {{"--temperature", "1", "--top-p", "2"}, "--top-p: expected above 0"},
      {{"-n", "99999999999999999999"}, "-n: expected a whole number below 2^63"},
      {{"--numerics", "/"}, "/: not a file"},
      {{"--layers"}, "--compare"},
      {{"--compare", "fp33"}, "fp32"},
      {{"--compare", "fp32", "--tokens", "5"}, "--text"},
  };
  for (const auto& [options, said] : slips) {
    const Answer a = say(options);
    EXPECT_NE(a.status, 0) << said;
    EXPECT_LE(a.status, 3) << said;
    EXPECT_NE(a.err.find(said), std::string::npos) << a.err;
  }
  EXPECT_EQ(say({"--compare", "fp32", "--text", "none.txt"}).status, 3);
}

TEST_F(CliValues, AnArithmeticComparedWithItselfDiffersInNothing) {
  const Answer a = say({"--numerics", "fp32", "--compare", "fp32", "--layers"});
  ASSERT_EQ(a.status, 0) << a.err;
  const Json n = a.json()["numerics"];
  EXPECT_EQ(n["compared_with"], "fp32");
  EXPECT_EQ(n["mean_kl"], 0.0);
  EXPECT_EQ(n["max_kl"], 0.0);
  EXPECT_EQ(n["top1_agreement"], 1.0);
  EXPECT_EQ(n["perplexity"], n["reference_perplexity"]);
  EXPECT_TRUE(n["first_difference"].is_null());
  ASSERT_EQ(n["layers"].size(), 2u);
  EXPECT_EQ(n["layers"][1]["relative_error"], 0.0);
}

TEST_F(CliValues, ALowerPrecisionDiffersByALittleOnATextWithoutAPrompt) {
  const Answer a = presil({"run", "h100-sxm", "tiny.gguf", "--mode", "values", "--numerics", "bf16",
                           "--compare", "fp32", "--text", "text.txt", "--tokens", "40", "--json"});
  ASSERT_EQ(a.status, 0) << a.err;
  const Json n = a.json()["numerics"];
  EXPECT_EQ(n["tokens"], 40);
  EXPECT_GT(n["mean_kl"].get<double>(), 0);
  EXPECT_LE(n["mean_kl"].get<double>(), n["max_kl"].get<double>());
  EXPECT_LT(n["max_kl"].get<double>(), 0.1);

  const Answer shown = presil({"run", "h100-sxm", "tiny.gguf", "--mode", "values", "--numerics",
                               "bf16", "--compare", "fp32", "--text", "text.txt", "--layers"});
  EXPECT_NE(shown.out.find("against fp32: mean KL"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("relative error"), std::string::npos) << shown.out;
}

TEST_F(CliValues, TheTableHoldsEveryNamedSetAndFp32DiffersInNothing) {
  const Answer a = presil({"numerics", "h100-sxm", "tiny.gguf", "--text", "text.txt", "--tokens",
                           "16", "--context", "16", "--prompt-tokens", "16", "--json"});
  ASSERT_EQ(a.status, 0) << a.err;
  const Json json = a.json();
  EXPECT_EQ(json["schema"], "presil/numerics/1");
  EXPECT_EQ(json["text"]["tokens"], 16);
  EXPECT_GE(json["rows"].size(), 11u);
  EXPECT_EQ(json["rows"][0]["name"], "fp32");
  EXPECT_EQ(json["rows"][0]["mean_kl"], 0.0);
  EXPECT_EQ(json["rows"][0]["no_speed"], "h100-sxm does not multiply fp32");
  for (const Json& row : json["rows"]) {
    const bool timed = row.contains("decode_tokens_per_s");
    EXPECT_NE(timed, row.contains("no_speed") || row.contains("reason")) << row;
  }
  EXPECT_FALSE(json["pareto"].empty());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out/numerics.html"));
}

TEST_F(CliValues, AConversationIsReadFromStdinAndEndsWithItsSpeeds) {
  const Answer text = chat("hi\n\nand then?\n/exit\nnot read\n");
  ASSERT_EQ(text.status, 0) << text.err;
  EXPECT_NE(text.out.find("tokens/s on this machine"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("tokens/s on h100-sxm"), std::string::npos) << text.out;

  const Answer a = chat("hi\n\nand then?\n/exit\nnot read\n", {"--json"});
  ASSERT_EQ(a.status, 0) << a.err;
  const Json json = a.json();
  EXPECT_EQ(json["schema"], "presil/chat/1");
  ASSERT_EQ(json["turns"].size(), 2u);
  EXPECT_EQ(json["turns"][1]["prompt"], "and then?");
  EXPECT_GT(json["simulated"]["decode_tokens_per_s"].get<double>(), 0);
  EXPECT_GT(json["host"]["decode_tokens_per_s"].get<double>(), 0);
}

TEST_F(CliValues, AConversationThatFillsTheContextSaysSo) {
  const Answer a = chat(std::string(400, 'x') + "\nhi\n", {"--json"});
  ASSERT_EQ(a.status, 0) << a.err;
  EXPECT_EQ(a.json()["turns"].size(), 1u);
  EXPECT_EQ(a.json()["turns"][0]["ended_by"], "context");
  EXPECT_NE(a.err.find("128 tokens is full"), std::string::npos) << a.err;
}

TEST_F(CliValues, AConversationWithNothingSaidIsNoFailure) {
  const Answer a = chat("", {"--json"});
  ASSERT_EQ(a.status, 0) << a.err;
  EXPECT_TRUE(a.json()["turns"].empty());
  EXPECT_EQ(chat("\xff\xfe\n").status, 2);
}

TEST_F(CliValues, FilesThatDoNotGoTogetherAreRefused) {
  const auto bare = presil::testing::write_tiny_checkpoint("cli_without_tokenizer", {});
  const Answer words = presil({"run", "h100-sxm", bare.string(), "--prompt", "hi"});
  EXPECT_EQ(words.status, 3);
  EXPECT_NE(words.err.find("cli_without_tokenizer: no tokenizer"), std::string::npos) << words.err;

  std::string unknown = presil::testing::tiny_llama();
  unknown.replace(unknown.find("smollm"), 6, "smallm");
  std::ofstream(folder_ / "unknown.gguf", std::ios::binary) << unknown;
  const Answer kind = presil({"run", "h100-sxm", "unknown.gguf", "--prompt", "hi"});
  EXPECT_EQ(kind.status, 2);
  EXPECT_NE(kind.err.find("unknown.gguf: error: tokenizer.ggml.pre: expected one of"),
            std::string::npos)
      << kind.err;

  std::ofstream(folder_ / "wide.gguf", std::ios::binary)
      << presil::testing::tiny_llama({.d_model = 128});
  const Answer other =
      presil({"run", "h100-sxm", "tiny.gguf", "--weights", "wide.gguf", "--prompt", "hi"});
  EXPECT_EQ(other.status, 2);
  EXPECT_NE(other.err.find("expected the weights of tiny"), std::string::npos) << other.err;
}

/// Numbers and tokenizer of tiny.gguf, in a folder as Hugging Face has them.
TEST_F(CliValues, ACheckpointsFolderRunsAsItsGgufFileDoes) {
  const auto folder = presil::testing::write_tiny_checkpoint("cli_checkpoint", {});
  presil::testing::write_file("cli_checkpoint/tokenizer.json", tiny_tokenizer_json());
  const auto both = [&](const std::string& model) {
    const Answer a = presil({"run", "h100-sxm", model, "--mode", "both", "--prompt", "hello world",
                             "-n", "6", "--json", "--no-host"});
    EXPECT_EQ(a.status, 0) << a.err;
    return a.json();
  };
  const Json file = both("tiny.gguf");
  for (const std::string& model : {folder.string(), (folder / "model.safetensors").string()}) {
    const Json checkpoint = both(model);
    EXPECT_EQ(checkpoint["token_ids"], file["token_ids"]);
    EXPECT_EQ(checkpoint["text"], file["text"]);
    EXPECT_EQ(checkpoint["phases"]["decode"]["weight_bytes"],
              file["phases"]["decode"]["weight_bytes"]);
    const Answer shown = presil({"show", model, "--json"});
    ASSERT_EQ(shown.status, 0) << shown.err;
    EXPECT_EQ(shown.json()["d_model"], 64);
  }

  const Answer compared =
      presil({"run", "h100-sxm", folder.string(), "--mode", "values", "--numerics", "bf16",
              "--compare", "fp32", "--text", "text.txt", "--json"});
  ASSERT_EQ(compared.status, 0) << compared.err;
  EXPECT_LT(compared.json()["numerics"]["max_kl"].get<double>(), 0.1);
  std::ofstream(folder_ / "stdin") << "hi\n";
  const Answer said = presil({"chat", "h100-sxm", folder.string(), "-n", "4", "--json"});
  ASSERT_EQ(said.status, 0) << said.err;
  EXPECT_EQ(said.json()["turns"].size(), 1u);
}

TEST_F(CliValues, SmolLM2StaysNearItselfInBf16) {
  if (!has_weights()) GTEST_SKIP() << "no weights in PRESIL_MODEL_CACHE";
  const Answer a =
      presil({"run", "h100-sxm", "smollm2-135m", "--mode", "values", "--numerics", "bf16",
              "--compare", "fp32", "--text", (presil::testing::kHome / "data/quality.txt").string(),
              "--tokens", "64", "--json"});
  ASSERT_EQ(a.status, 0) << a.err;
  const Json n = a.json()["numerics"];
  EXPECT_LT(n["mean_kl"].get<double>(), 0.005);
  EXPECT_GE(n["top1_agreement"].get<double>(), 0.95);
}

}  // namespace
