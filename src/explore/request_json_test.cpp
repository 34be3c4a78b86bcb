#include "explore/request_json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace presil {
namespace {

TEST(RequestJson, ARequestComesBackAsItWas) {
  RunRequest q;
  q.chip = "h100-sxm";
  q.model = "llama-3-8b";
  q.overrides = {"dram.stacks=6", "power.limit=500 W"};
  q.mode = Mode::both;
  q.phase = PhaseChoice::decode;
  q.batch = 8;
  q.prompt_tokens = 100;
  q.context = 2048;
  q.tensor_parallel = 2;
  q.pipeline_parallel = 4;
  q.microbatches = 2;
  q.data_parallel = 3;
  q.expert_parallel = 6;
  q.expert_imbalance = 1.5;
  q.sequence_parallel = true;
  q.contexts = {1024, 4096};
  q.prompt = "Hello";
  q.max_tokens = 3;
  q.dtype = "fp8_e4m3";
  q.numerics = "bf16";
  q.mapping = "mine.yaml";
  q.software = "vllm";
  q.launch = LaunchMode::stream;
  q.burst = true;
  q.sampling.temperature = 0.5;

  const Json json = request_json(q);

  EXPECT_EQ(request_json(request_from_json(json)), json);
  EXPECT_EQ(request_from_json(json).launch, LaunchMode::stream);
}

TEST(RequestJson, ADocumentThatIsNoneIsRefused) {
  EXPECT_THROW(request_from_json(Json::object()), InputError);
  Json json = request_json({});
  json["phase"] = "midfill";
  EXPECT_THROW(request_from_json(json), InputError);
}

}  // namespace
}  // namespace presil
