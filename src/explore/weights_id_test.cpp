#include "explore/weights_id.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/sha256.h"
#include "base/testing/scratch.h"

namespace presil {
namespace {

namespace fs = std::filesystem;

TEST(WeightsId, ASmallFileIsKnownByItsWholeContents) {
  const fs::path file = testing::scratch_folder() / "weights_id_small";
  std::ofstream(file) << "weights";
  const WeightsId id = identify_weights(file);
  EXPECT_EQ(id.sha256, sha256("weights"));
  EXPECT_FALSE(id.sampled);
}

TEST(WeightsId, OfALargeFileTheEndsAndTheLengthCount) {
  const fs::path file = testing::scratch_folder() / "weights_id_large";
  const auto id_of = [&](std::uint64_t size, std::int64_t changed) {
    std::ofstream(file) << "";
    fs::resize_file(file, size);  // of zeros that no disk holds
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    if (changed >= 0) stream.seekp(changed).put('x');
    stream.close();
    return identify_weights(file);
  };
  constexpr std::uint64_t kSize = 300 << 20;
  const WeightsId zeros = id_of(kSize, -1);
  EXPECT_TRUE(zeros.sampled);
  EXPECT_EQ(id_of(kSize, -1).sha256, zeros.sha256);
  EXPECT_NE(id_of(kSize, 0).sha256, zeros.sha256);
  EXPECT_NE(id_of(kSize, kSize - 1).sha256, zeros.sha256);
  EXPECT_NE(id_of(kSize + 1, -1).sha256, zeros.sha256);
  fs::remove(file);
}

TEST(WeightsId, AFolderIsItsShardsInTheOrderOfTheirNames) {
  const fs::path folder = testing::scratch_folder() / "weights_id_folder";
  fs::create_directories(folder);
  std::ofstream(folder / "b.safetensors") << "two";
  std::ofstream(folder / "a.safetensors") << "one";
  const WeightsId id = identify_weights(folder);
  EXPECT_TRUE(id.sampled);
  std::ofstream(folder / "config.json") << "{}";
  EXPECT_EQ(identify_weights(folder).sha256, id.sha256);
  std::ofstream(folder / "a.safetensors") << "on3";
  EXPECT_NE(identify_weights(folder).sha256, id.sha256);
}

TEST(WeightsId, AFileThatIsNotThereIsMissing) {
  EXPECT_THROW(identify_weights("/nowhere/weights.gguf"), MissingInput);
}

}  // namespace
}  // namespace presil
