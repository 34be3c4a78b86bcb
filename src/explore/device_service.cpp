#include "explore/device_service.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "chip/library.h"
#include "cost/price.h"
#include "cost/prices.h"
#include "cost/tokens.h"
#include "explore/deployment.h"
#include "explore/padded_costs.h"

namespace presil {
namespace {

using serving::Place;

/// Of the one step that a run of the encoder is, whatever is asked.
class OneStep : public serving::StepCosts {
 public:
  explicit OneStep(const serving::StepCost& cost) : cost_(cost) {}
  serving::StepCost cost(const serving::StepFeatures&) const override { return cost_; }

 private:
  serving::StepCost cost_;
};

struct Deployed {
  std::unique_ptr<Deployment> deployment;
  std::unique_ptr<PaddedCosts> costs;
};

RunRequest design_of(const serving::ModelOnChip& m, const std::string& model) {
  RunRequest design;
  design.chip = m.chip;
  design.model = model;
  design.overrides = m.set;
  design.numerics = m.numerics;
  design.tensor_parallel = m.tensor_parallel;
  return design;
}

/// The device's chip with what the rest of the device leaves of its memory's bandwidth.
serving::ModelOnChip shared_with_the_rest(const serving::DeviceSpec& spec, const Places& places) {
  serving::ModelOnChip local = spec.local;
  if (spec.memory_taken == 0) return local;
  const Chip chip = load_chip(local.chip, local.set, places.home).chip;
  const double rate = chip.dram.rate.count() * (1 - spec.memory_taken);
  local.set.push_back(fmt::format("dram.rate={:.6f} Gb/s", rate / 1e9));
  return local;
}

Feasible<Deployed> deployed(const RunRequest& design, const serving::EngineOptions& engine,
                            const Places& places) {
  DeploymentRequest request;
  request.design = design;
  request.engine = engine;
  auto deployment = deploy(request, places);
  if (!deployment) {
    return tl::unexpected(Infeasible{
        fmt::format("{} on {}: {}", design.model, design.chip, deployment.error().reason),
        deployment.error().remedy});
  }
  require_decoder(*deployment);
  Deployed result{std::make_unique<Deployment>(std::move(*deployment)), nullptr};
  result.costs = std::make_unique<PaddedCosts>(*result.deployment);
  return result;
}

Feasible<std::unique_ptr<OneStep>> encoder_on(const serving::ModelOnChip& m,
                                              const serving::SpeechSpec& speech,
                                              const Places& places) {
  DeploymentRequest request;
  request.design = design_of(m, speech.encoder);
  request.engine.max_num_seqs = 1;
  request.engine.max_num_batched_tokens = speech.frames;
  request.engine.max_model_len = speech.frames;
  const auto deployment = deploy(request, places);
  if (!deployment) return tl::unexpected(deployment.error());
  const auto cost = time_step_of(*deployment, Step{{{speech.frames, 0}}});
  if (!cost) return tl::unexpected(cost.error());
  return std::make_unique<OneStep>(cost->cost);
}

/// A million tokens at what the chips cost that work them off as `step` does.
Usd price_of(const Deployment& deployment, const serving::StepCost& step, std::int64_t tokens,
             const Prices& prices) {
  const double time_s = to_seconds(step.time).count();
  const auto chips = static_cast<double>(deployment.chips);
  const TokenRate rate{static_cast<double>(tokens) / time_s, deployment.chips,
                       Watts(step.energy_j / time_s / chips)};
  const ChipFiles& files = deployment.prepared.chip;
  return Usd(
      usd_per_mtoken(rate, files.chip, price_chip(files, prices), prices).usd_per_mtoken.typical);
}

/// Everything that a run points to.
class Stand {
 public:
  Stand(const serving::DeviceSpec& spec, std::span<const serving::Request> requests,
        const Places& places)
      : spec_(spec), places_(places), longest_(spec.max_context) {
    for (const serving::Request& r : requests) {
      longest_ = std::max(longest_, r.prompt_tokens + r.output_tokens);
    }
  }

  std::optional<Infeasible> build();
  const serving::DeviceParts& parts() const { return parts_; }
  std::size_t points() const;

 private:
  std::optional<Infeasible> build_device();
  std::optional<Infeasible> build_cloud();

  const serving::DeviceSpec& spec_;
  const Places& places_;
  std::int64_t longest_;
  std::optional<Deployed> local_, cloud_, cloud_local_;
  std::unique_ptr<OneStep> encoder_, cloud_encoder_;
  serving::DeviceParts parts_;
};

std::optional<Infeasible> Stand::build() {
  parts_.radios = serving::load_radios(spec_, places_.home);
  if (auto no = build_device()) return no;
  return spec_.cloud ? build_cloud() : std::nullopt;
}

std::optional<Infeasible> Stand::build_device() {
  const serving::ModelOnChip device = shared_with_the_rest(spec_, places_);
  serving::EngineOptions engine;
  engine.max_num_seqs = 1;
  engine.max_num_batched_tokens = spec_.prefill_chunk;
  engine.max_model_len = spec_.max_context;
  auto local = deployed(design_of(device, device.model), engine, places_);
  if (!local) return local.error();
  local_ = std::move(*local);
  parts_.local = local_->costs.get();
  parts_.local_idle = local_->deployment->idle;
  parts_.kv_per_token = Bytes(static_cast<std::int64_t>(local_->deployment->cache_bytes_per_token));
  if (!spec_.speech) return std::nullopt;
  auto encoder = encoder_on(device, *spec_.speech, places_);
  if (!encoder) return encoder.error();
  encoder_ = std::move(*encoder);
  parts_.encoder = encoder_.get();
  return std::nullopt;
}

std::optional<Infeasible> Stand::build_cloud() {
  const serving::CloudSpec& cloud = *spec_.cloud;
  serving::EngineOptions engine;
  engine.max_num_seqs = cloud.batch;
  engine.max_num_batched_tokens = cloud.prefill_chunk + cloud.batch;
  engine.max_model_len = std::max(longest_, cloud.context + 1);
  auto service = deployed(design_of(cloud.service, cloud.service.model), engine, places_);
  if (!service) return service.error();
  cloud_ = std::move(*service);
  parts_.cloud = cloud_->costs.get();
  if (spec_.uses(Place::split_prefill)) {
    auto small = deployed(design_of(cloud.service, spec_.local.model), engine, places_);
    if (!small) return small.error();
    cloud_local_ = std::move(*small);
    parts_.cloud_local = cloud_local_->costs.get();
  }
  if (spec_.speech) {
    auto encoder = encoder_on(cloud.service, *spec_.speech, places_);
    if (!encoder) return encoder.error();
    cloud_encoder_ = std::move(*encoder);
    parts_.cloud_encoder = cloud_encoder_.get();
  }
  if (cloud.prompt_price) {
    parts_.prompt_price = *cloud.prompt_price;
    parts_.output_price = *cloud.output_price;
    return std::nullopt;
  }
  const Prices prices = load_prices(places_.home);
  serving::StepFeatures read, write;
  read.add_prefill(cloud.prefill_chunk, 0);
  for (std::int64_t i = 0; i < cloud.batch; ++i) write.add_decode(1, cloud.context);
  parts_.prompt_price =
      price_of(*cloud_->deployment, cloud_->costs->cost(read), cloud.prefill_chunk, prices);
  parts_.output_price =
      price_of(*cloud_->deployment, cloud_->costs->cost(write), cloud.batch, prices);
  return std::nullopt;
}

std::size_t Stand::points() const {
  std::size_t sum = (encoder_ ? 1 : 0) + (cloud_encoder_ ? 1 : 0);
  for (const auto* d : {&local_, &cloud_, &cloud_local_}) sum += *d ? (*d)->costs->points() : 0;
  return sum;
}

}  // namespace

DeviceAnswer answer_device(const serving::DeviceSpec& spec,
                           std::span<const serving::Request> requests, const Places& places,
                           std::uint64_t seed) {
  DeviceAnswer answer;
  answer.spec = spec;
  Stand stand(spec, requests, places);
  answer.no = stand.build();
  if (answer.no) return answer;
  const serving::DeviceParts& parts = stand.parts();
  answer.kv_bytes_per_token = static_cast<double>(parts.kv_per_token.count());
  answer.prompt_price = parts.prompt_price;
  answer.output_price = parts.output_price;
  answer.own_prices = spec.cloud && !spec.cloud->prompt_price;
  answer.result = simulate_device(spec, parts, requests, seed);
  answer.steps_timed = stand.points();
  return answer;
}

}  // namespace presil
