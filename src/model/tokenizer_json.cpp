#include "model/tokenizer_json.h"

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/error.h"
#include "model/gguf_cursor.h"
#include "model/sentence_pieces.h"

namespace presil {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
constexpr int kMaxDepth = 64;
constexpr std::int64_t kMaxTokens = 1 << 24;

// The splits as the families' tokenizer.json spell them: meta-llama/Meta-Llama-3-8B and
// Qwen/Qwen2.5-7B. SmolLM2 has Digits and GPT-2's expression instead, which ByteLevel implies.
constexpr std::string_view kLlama3Split =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Split =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// Stops before a document nests so deep that walking it could use up the stack.
bool within_depth(int depth, json::parse_event_t, json&) {
  if (depth > kMaxDepth) throw InputError(fmt::format("nested over {} levels", kMaxDepth));
  return true;
}

/// One file, and how to complain about it.
class JsonFile {
 public:
  explicit JsonFile(const std::filesystem::path& path) : name_(path.string()) {
    const std::string text = read_text(path, kMaxBytes);
    try {
      root_ = json::parse(text, within_depth);
    } catch (const json::exception& e) {
      throw error(e.what());
    } catch (const InputError& e) {
      throw error(e.diagnostics().front().message);
    }
    if (!root_.is_object()) throw error("expected an object");
  }

  const json& root() const { return root_; }
  InputError error(const std::string& message) const { return file_error(name_, message); }

 private:
  std::string name_;
  json root_;
};

/// The member `key` of `object`, or null for none.
const json& member(const json& object, const char* key) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

std::string text_or(const json& value, std::string fallback) {
  return value.is_string() ? value.get<std::string>() : std::move(fallback);
}

bool is_true(const json& value) {
  return value.is_boolean() && value.get<bool>();
}

/// The steps of a pipeline: those of a Sequence, or the one step; none for null.
std::vector<json> steps(const json& pipeline, const char* list) {
  if (pipeline.is_null()) return {};
  if (member(pipeline, "type") != "Sequence") return {pipeline};
  const json& inner = member(pipeline, list);
  return inner.is_array() ? inner.get<std::vector<json>>() : std::vector<json>{};
}

bool has_type(const json& step, std::string_view type) {
  return member(step, "type") == json(type);
}

/// The step Split(Regex, isolated) with one of the two expressions, as the name of our split.
std::optional<std::string> known_split(const json& step) {
  if (!has_type(step, "Split") || member(step, "behavior") != "Isolated") return std::nullopt;
  if (is_true(member(step, "invert"))) return std::nullopt;
  const std::string expression = text_or(member(member(step, "pattern"), "Regex"), "");
  if (expression == kLlama3Split) return "llama-bpe";
  if (expression == kQwen2Split) return "qwen2";
  return std::nullopt;
}

/// The split of a byte-level pipeline: [Split, ByteLevel without expression], or SmolLM2's
/// [Digits, ByteLevel with GPT-2's].
std::optional<std::string> byte_level_split(const json& tokenizer) {
  const std::vector<json> parts = steps(member(tokenizer, "pre_tokenizer"), "pretokenizers");
  if (parts.size() != 2 || !has_type(parts[1], "ByteLevel")) return std::nullopt;
  if (is_true(member(parts[1], "add_prefix_space"))) return std::nullopt;
  const json& use_regex = member(parts[1], "use_regex");  // true where it is not said
  if (has_type(parts[0], "Digits") && is_true(member(parts[0], "individual_digits"))) {
    return use_regex == false ? std::nullopt : std::optional<std::string>("smollm");
  }
  return use_regex == false ? known_split(parts[0]) : std::nullopt;
}

bool is_space_mark(const json& text) {
  return text == json(kSpaceMark);
}

/// How a pipeline of characters writes spaces: normalisers [Prepend]? [Replace], or Metaspace.
std::optional<SpacePrefix> space_marks(const json& tokenizer) {
  std::vector<json> normalisers = steps(member(tokenizer, "normalizer"), "normalizers");
  const std::vector<json> words = steps(member(tokenizer, "pre_tokenizer"), "pretokenizers");
  SpacePrefix prefix = SpacePrefix::never;
  if (normalisers.empty() && words.size() == 1 && has_type(words[0], "Metaspace")) {
    const json& split = member(words[0], "split");
    if (!is_space_mark(member(words[0], "replacement")) || split != false) return std::nullopt;
    const std::string scheme = text_or(member(words[0], "prepend_scheme"), "");
    if (scheme == "first") return SpacePrefix::at_start;
    return scheme == "never" ? std::optional(prefix) : std::nullopt;
  }
  if (!normalisers.empty() && has_type(normalisers[0], "Prepend") &&
      is_space_mark(member(normalisers[0], "prepend"))) {
    prefix = SpacePrefix::after_specials;
    normalisers.erase(normalisers.begin());
  }
  const bool replaces = normalisers.size() == 1 && has_type(normalisers[0], "Replace") &&
                        is_space_mark(member(normalisers[0], "content")) &&
                        member(member(normalisers[0], "pattern"), "String") == " ";
  return replaces && words.empty() ? std::optional(prefix) : std::nullopt;
}

/// Sets kind, split and space prefix from the pipeline.
void read_pipeline(const JsonFile& file, Vocabulary& v) {
  const json& root = file.root();
  const json& model = member(root, "model");
  const std::string type = text_or(member(model, "type"), model.contains("merges") ? "BPE" : "");
  if (type != "BPE") {
    throw file.error(
        fmt::format("model.type: expected BPE, found \"{}\", which is not supported yet", type));
  }
  const bool ignores_merges = is_true(member(model, "ignore_merges"));
  const auto normalisers = steps(member(root, "normalizer"), "normalizers");
  const bool plain =
      normalisers.empty() || (normalisers.size() == 1 && has_type(normalisers[0], "NFC"));
  if (const auto split = byte_level_split(root); split && plain) {
    if (ignores_merges != (*split == "llama-bpe")) {
      throw file.error(fmt::format("model.ignore_merges: expected {} with the split {}",
                                   !ignores_merges, *split));
    }
    v.model = "gpt2";
    v.pre = *split;
    return;
  }
  const auto prefix = space_marks(root);
  if (prefix && is_true(member(model, "byte_fallback")) && !ignores_merges) {
    v.model = "llama";
    v.space_prefix = *prefix;
    return;
  }
  throw file.error(
      "pre_tokenizer: expected the byte-level split of Llama 3, Qwen 2 or SmolLM2, or "
      "SentencePiece's spaces with byte_fallback, found another, which is not supported yet");
}

struct AddedToken {
  std::string text;
  TokenType type;
};

AddedToken read_added_token(const JsonFile& file, const json& added) {
  const std::string text = text_or(member(added, "content"), "");
  for (const char* flag : {"single_word", "lstrip", "rstrip"}) {
    if (is_true(member(added, flag))) {
      throw file.error(fmt::format("added_tokens: \"{}\": {} is not supported yet", text, flag));
    }
  }
  return {text, is_true(member(added, "special")) ? TokenType::control : TokenType::user_defined};
}

/// Sets tokens and types from model.vocab and added_tokens.
void read_tokens(const JsonFile& file, Vocabulary& v) {
  std::map<std::int64_t, AddedToken> by_id;
  const auto id_of = [&](const json& value, const std::string& text) {
    const std::int64_t id = value.is_number_integer() ? value.get<std::int64_t>() : -1;
    if (id >= 0 && id < kMaxTokens) return id;
    throw file.error(fmt::format("the id of token \"{}\": expected 0 to {}", text, kMaxTokens - 1));
  };
  const json& vocab = member(member(file.root(), "model"), "vocab");
  if (!vocab.is_object()) throw file.error("model.vocab: expected an object");
  for (const auto& [text, value] : vocab.items()) {
    const bool byte = v.model == "llama" && byte_of_token(text) >= 0;
    const auto [place, is_new] = by_id.try_emplace(
        id_of(value, text), AddedToken{text, byte ? TokenType::byte : TokenType::normal});
    if (!is_new) {
      throw file.error(
          fmt::format("model.vocab: \"{}\" and \"{}\" have the same id", place->second.text, text));
    }
  }
  const json& added = member(file.root(), "added_tokens");
  for (const json& token : added.is_array() ? added : json::array()) {
    AddedToken read = read_added_token(file, token);
    by_id.insert_or_assign(id_of(member(token, "id"), read.text), std::move(read));
  }
  for (auto& [id, token] : by_id) {
    if (id != static_cast<std::int64_t>(v.tokens.size())) {
      throw file.error(fmt::format("model.vocab: no token has the id {}", v.tokens.size()));
    }
    v.tokens.push_back(std::move(token.text));
    v.types.push_back(token.type);
  }
}

/// Merges are "left right", or in newer files ["left", "right"].
void read_merges(const JsonFile& file, Vocabulary& v) {
  const json& merges = member(member(file.root(), "model"), "merges");
  if (!merges.is_array()) throw file.error("model.merges: expected an array");
  for (const json& merge : merges) {
    const bool pair =
        merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
    if (!merge.is_string() && !pair) {
      throw file.error(fmt::format(
          "model.merges[{}]: expected \"left right\" or [\"left\", \"right\"]", v.merges.size()));
    }
    v.merges.push_back(pair ? merge[0].get<std::string>() + " " + merge[1].get<std::string>()
                            : merge.get<std::string>());
  }
}

/// The text of "<s>" or {"content": "<s>"}.
std::string token_text(const json& value) {
  return text_or(value.is_object() ? member(value, "content") : value, "");
}

std::int64_t find_token(const Vocabulary& v, const std::string& text) {
  for (std::size_t i = 0; i < v.tokens.size() && !text.empty(); ++i) {
    if (v.tokens[i] == text) return static_cast<std::int64_t>(i);
  }
  return -1;
}

/// Whether the post-processor puts the BOS before the text: TemplateProcessing's "single" starts
/// with it.
bool template_adds_bos(const json& tokenizer, const std::string& bos) {
  for (const json& step : steps(member(tokenizer, "post_processor"), "processors")) {
    const json& single = member(step, "single");
    if (!has_type(step, "TemplateProcessing") || !single.is_array() || single.empty()) continue;
    if (text_or(member(member(single[0], "SpecialToken"), "id"), "") == bos) return true;
  }
  return false;
}

/// A chat template is one text, or a list of {name, template}, of which "default" is for chats.
std::string chat_template(const json& value) {
  if (!value.is_array()) return text_or(value, "");
  for (const json& entry : value) {
    if (member(entry, "name") == "default") return text_or(member(entry, "template"), "");
  }
  return {};
}

void read_config(const JsonFile& config, const JsonFile& tokenizer, Vocabulary& v) {
  const json& root = config.root();
  const std::string bos = token_text(member(root, "bos_token"));
  v.bos = find_token(v, bos);
  v.eos = find_token(v, token_text(member(root, "eos_token")));
  const json& add_bos = member(root, "add_bos_token");
  // Llama 3 was trained with a BOS, but its first tokenizer.json leaves it to the chat template.
  const bool usual = v.pre == "llama-bpe" || template_adds_bos(tokenizer.root(), bos);
  v.add_bos = v.bos >= 0 && (add_bos.is_boolean() ? add_bos.get<bool>() : usual);
  v.add_eos = v.eos >= 0 && is_true(member(root, "add_eos_token"));
  v.chat_template = chat_template(member(root, "chat_template"));
}

}  // namespace

Vocabulary read_tokenizer_json(const std::filesystem::path& path) {
  const JsonFile file(path);
  Vocabulary v;
  read_pipeline(file, v);
  read_tokens(file, v);
  read_merges(file, v);
  v.unk = find_token(v, text_or(member(member(file.root(), "model"), "unk_token"), ""));

  const std::filesystem::path config = path.parent_path() / "tokenizer_config.json";
  if (std::filesystem::exists(config)) read_config(JsonFile(config), file, v);
  const std::filesystem::path jinja = path.parent_path() / "chat_template.jinja";
  if (v.chat_template.empty() && std::filesystem::exists(jinja)) {
    v.chat_template = read_text(jinja, kMaxBytes);
  }
  return v;
}

}  // namespace presil
