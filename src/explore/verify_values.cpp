#include "explore/verify_values.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "base/document.h"
#include "base/fields.h"
#include "base/progress.h"
#include "explore/prepare.h"
#include "explore/reference.h"
#include "model/tokenizer.h"
#include "model/weights.h"
#include "program/bind.h"
#include "values/session.h"

namespace presil {
namespace {

struct Prompt {
  std::string name;
  std::string text;
};

std::vector<Prompt> read_prompts(const std::filesystem::path& file) {
  const Node root = read_document(file, Syntax::json);
  Diagnostics log;
  Fields fields(root, "", log);
  auto prompts = fields.maps_or_none("prompts", "what is continued", [](Fields& f) {
    return Prompt{f.text("name", "of the prompt"), f.text("text", "special tokens are parsed")};
  });
  fields.require(!prompts.empty(), "prompts", "expected at least one prompt");
  fields.finish();
  log.throw_if_any();
  return prompts;
}

using Vector = std::vector<float>;

/// The largest over the steps of two runs.
double largest_over_steps(const std::vector<Vector>& a, const std::vector<Vector>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, largest_difference(a[i], b[i]));
  }
  return largest;
}

/// Our own model: a program for the chip, and the weights that it runs on.
struct Ours {
  RunResult run;
  Weights weights;
  Tokenizer tokenizer;

  /// Steps after a prompt, as many as are wanted and fit the model's context.
  std::int64_t steps(const Prompt& prompt, std::int64_t prompt_tokens, std::int64_t wanted) const {
    const std::int64_t room = run.program.max_context - prompt_tokens + 1;
    if (prompt_tokens == 0 || room < 1) {
      throw InputError(fmt::format("prompt {}: expected 1 to {} tokens, found {}", prompt.name,
                                   run.program.max_context, prompt_tokens));
    }
    return std::min(wanted, room);
  }
};

Feasible<std::unique_ptr<Ours>> open(const VerifyRequest& request,
                                     const std::filesystem::path& file, const Places& places) {
  RunRequest r;
  r.chip = request.chip;
  r.model = file.string();
  r.numerics = request.reference == Reference::numpy ? "fp32" : "ggml";
  auto prepared = prepare(r, places);
  if (!prepared) return tl::unexpected(prepared.error());
  Weights weights = Weights::open_gguf(file);
  Tokenizer tokenizer = tokenizer_of(weights);
  return std::make_unique<Ours>(
      Ours{std::move(*prepared), std::move(weights), std::move(tokenizer)});
}

/// One sequence of ours, step by step.
class Walk {
 public:
  explicit Walk(const Ours& ours) : ours_(ours), session_(ours.run.program, ours.weights) {}

  /// The logits after `tokens`, which continue the sequence.
  Feasible<Vector> next(std::span<const int> tokens) {
    const std::vector<std::vector<int>> inputs = {{tokens.begin(), tokens.end()}};
    const auto bound =
        bind(ours_.run.program, Step{{Sequence{std::ssize(inputs.front()), session_.context(0)}}});
    if (!bound) return tl::unexpected(bound.error());
    return session_.run(*bound, inputs);
  }
  int chosen() const { return session_.chosen().front(); }

 private:
  const Ours& ours_;
  Session session_;
};

// --- llama.cpp --------------------------------------------------------------------------------

/// The builds whose differences are the spread: the one that llama.cpp picks here, and those for
/// CPUs with AVX2 and with AVX only, which add in other orders. (Its builds for AVX-512 agree to
/// the last bit.)
std::vector<std::string> builds_of_spread(const Places& places) {
  const std::vector<std::string> found = LlamaCpp::builds(places);
  std::vector<std::string> chosen = {found.front()};
  for (const char* name : {"haswell", "sandybridge", "x64"}) {
    const bool runs = std::find(found.begin() + 1, found.end(), name) != found.end();
    if (runs && chosen.size() < 3) chosen.emplace_back(name);
  }
  return chosen;
}

/// What one build says on `tokens`; steps are given what `chosen` holds, which this fills when it
/// is empty.
std::vector<Vector> follow(LlamaCpp& build, std::span<const int> tokens, std::int64_t steps,
                           std::vector<int>& chosen) {
  const bool leads = chosen.empty();
  build.start(tokens, steps, chosen);
  std::vector<Vector> p;
  for (std::int64_t i = 0; i < steps; ++i) {
    const ReferenceStep step = build.next();
    p.push_back(probabilities(step.logits));
    if (leads) chosen.push_back(step.chosen);
  }
  return p;
}

Feasible<VerifiedPrompt> verify_prompt(const Ours& ours, const Prompt& prompt,
                                       std::span<const std::unique_ptr<LlamaCpp>> builds,
                                       std::int64_t wanted) {
  const std::vector<int> tokens = builds.front()->tokens_of(prompt.text);
  const std::int64_t steps = ours.steps(prompt, std::ssize(tokens), wanted);
  VerifiedPrompt v;
  v.name = prompt.name;
  v.weights = ours.run.weight_formats;
  v.prompt_tokens = std::ssize(tokens);
  v.prompt_tokens_equal = tokens == ours.tokenizer.encode_prompt(prompt.text, true);

  std::vector<int> chosen;
  std::vector<std::vector<Vector>> said;  // by build
  for (const auto& build : builds) said.push_back(follow(*build, tokens, steps, chosen));
  for (std::size_t a = 0; a < said.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      v.reference_spread = std::max(v.reference_spread, largest_over_steps(said[a], said[b]));
    }
  }

  Walk walk(ours);
  std::vector<int> input = tokens;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const auto logits = walk.next(input);
    if (!logits) return tl::unexpected(logits.error());
    v.max_probability_difference = std::max(
        v.max_probability_difference, largest_difference(probabilities(*logits), said.front()[i]));
    v.equal.push_back(walk.chosen() == chosen[i]);
    v.gaps.push_back(lead(said.front()[i], chosen[i]));
    input = {chosen[i]};
  }
  return v;
}

Feasible<std::vector<VerifiedPrompt>> follow_llama_cpp(const Ours& ours,
                                                       const std::filesystem::path& file,
                                                       const std::vector<Prompt>& prompts,
                                                       const Verification& v,
                                                       const Places& places) {
  std::int64_t context = 0;
  for (const Prompt& p : prompts) {
    const auto tokens = ours.tokenizer.encode_prompt(p.text, true);
    context = std::max(context, std::ssize(tokens) + v.request.tokens);
  }
  constexpr std::int64_t kSlack = 64;  // should llama.cpp cut the text into more tokens than we do
  std::vector<std::unique_ptr<LlamaCpp>> builds;
  for (const std::string& name : v.builds) {
    builds.push_back(std::make_unique<LlamaCpp>(places, file, name, context + kSlack));
  }
  Progress progress("following llama.cpp on " + ours.run.weight_formats, std::ssize(prompts));
  std::vector<VerifiedPrompt> verified;
  for (const Prompt& prompt : prompts) {
    auto p = verify_prompt(ours, prompt, builds, v.request.tokens);
    if (!p) return tl::unexpected(p.error());
    verified.push_back(std::move(*p));
    progress.advance();
  }
  return verified;
}

// --- NumPy ------------------------------------------------------------------------------------

Feasible<VerifiedPrompt> verify_prompt(const Ours& ours, const Prompt& prompt, NumpyForward& numpy,
                                       std::int64_t wanted) {
  std::vector<int> tokens = ours.tokenizer.encode_prompt(prompt.text, true);
  const std::int64_t steps = ours.steps(prompt, std::ssize(tokens), wanted);
  VerifiedPrompt v;
  v.name = prompt.name;
  v.weights = ours.run.weight_formats;
  v.prompt_tokens = std::ssize(tokens);
  v.prompt_tokens_equal = true;

  Walk walk(ours);
  std::vector<Vector> found;
  std::vector<int> input = tokens;
  for (std::int64_t i = 0; i < steps; ++i) {
    auto logits = walk.next(input);
    if (!logits) return tl::unexpected(logits.error());
    found.push_back(std::move(*logits));
    input = {walk.chosen()};
    if (i + 1 < steps) tokens.push_back(walk.chosen());
  }
  const std::vector<double> expected = numpy.logits(tokens, steps);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::span<const double> row(expected.data() + i * found[i].size(), found[i].size());
    v.logits_error = std::max(v.logits_error, relative_error(found[i], row));
    const std::vector<float> rounded(row.begin(), row.end());
    const Vector p = probabilities(rounded);
    const int chosen = static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin());
    const int ours_chose =
        static_cast<int>(std::max_element(found[i].begin(), found[i].end()) - found[i].begin());
    v.max_probability_difference =
        std::max(v.max_probability_difference, largest_difference(probabilities(found[i]), p));
    v.equal.push_back(chosen == ours_chose);
    v.gaps.push_back(lead(p, chosen));
  }
  return v;
}

Feasible<std::vector<VerifiedPrompt>> follow_numpy(const Ours& ours,
                                                   const std::filesystem::path& file,
                                                   const std::vector<Prompt>& prompts,
                                                   const Verification& v, const Places& places) {
  NumpyForward numpy(places, file);
  Progress progress("following NumPy on " + ours.run.weight_formats, std::ssize(prompts));
  std::vector<VerifiedPrompt> verified;
  for (const Prompt& prompt : prompts) {
    auto p = verify_prompt(ours, prompt, numpy, v.request.tokens);
    if (!p) return tl::unexpected(p.error());
    verified.push_back(std::move(*p));
    progress.advance();
  }
  return verified;
}

}  // namespace

bool Verification::holds() const {
  return std::all_of(claims.begin(), claims.end(), [](const Claim& c) { return c.holds; });
}

Feasible<Verification> verify_values(const VerifyRequest& request, const Places& places) {
  Verification v;
  v.request = request;
  const std::vector<Prompt> prompts = read_prompts(request.prompts);
  const bool by_llama_cpp = request.reference == Reference::llama_cpp;
  if (by_llama_cpp) v.builds = builds_of_spread(places);
  for (const std::filesystem::path& file : request.weights) {
    const auto ours = open(request, file, places);
    if (!ours) return tl::unexpected(ours.error());
    auto verified = by_llama_cpp ? follow_llama_cpp(**ours, file, prompts, v, places)
                                 : follow_numpy(**ours, file, prompts, v, places);
    if (!verified) return tl::unexpected(verified.error());
    const auto claims =
        by_llama_cpp ? judge_against_llama_cpp(*verified) : judge_against_numpy(*verified);
    v.claims.insert(v.claims.end(), claims.begin(), claims.end());
    v.prompts.insert(v.prompts.end(), verified->begin(), verified->end());
  }
  return v;
}

}  // namespace presil
