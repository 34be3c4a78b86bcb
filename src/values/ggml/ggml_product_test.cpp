#include "values/ggml/ggml_product.h"

#include <bit>
#include <random>

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "base/testing/numerics.h"
#include "values/ggml/block_dot.h"
#include "values/ggml/block_formats.h"
#include "values/number/rounding.h"

namespace presil {
namespace {

constexpr Format kBlockFormats[] = {Format::q8_0, Format::q4_0, Format::q4_1, Format::q5_0,
                                    Format::q5_1, Format::q4_K, Format::q5_K, Format::q6_K};

/// Random blocks with scales of ordinary size: any bytes, then small halves where d and m are.
std::vector<std::byte> random_blocks(Format format, std::int64_t count, std::mt19937& random) {
  const FormatInfo& layout = info(format);
  std::vector<std::byte> bytes(static_cast<std::size_t>(count * layout.block_bytes));
  for (std::byte& b : bytes) b = static_cast<std::byte>(random() & 255);
  for (std::int64_t b = 0; b < count; ++b) {
    const auto put_half = [&](std::int64_t at) {  // between 2^-14 and 2
      const auto bits = (random() & 0x83FFu) | (1 + random() % 15) << 10;
      std::byte* to = &bytes[static_cast<std::size_t>(b * layout.block_bytes + at)];
      to[0] = static_cast<std::byte>(bits & 255);
      to[1] = static_cast<std::byte>(bits >> 8);
    };
    put_half(format == Format::q6_K ? 208 : 0);
    const bool has_m = format == Format::q4_1 || format == Format::q5_1 || format == Format::q4_K ||
                       format == Format::q5_K;
    if (has_m) put_half(2);
  }
  return bytes;
}

std::vector<float> random_floats(std::int64_t count, std::mt19937& random) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<float>(static_cast<std::int32_t>(random())) * 0x1p-28f);
  }
  return values;
}

struct Case {
  WeightTensor tensor;
  std::vector<std::byte> bytes;
  std::vector<float> input;
  std::int64_t m, n, k;

  Case(Format format, std::int64_t m_, std::int64_t n_, std::int64_t k_, unsigned seed)
      : m(m_), n(n_), k(k_) {
    std::mt19937 random(seed);
    bytes = random_blocks(format, n * k / info(format).block_elements, random);
    input = random_floats(m * k, random);
    tensor.format = format;
    tensor.shape = {n, k};
    tensor.data = bytes;
  }

  std::vector<float> product(KTiling tiling) const {
    std::vector<float> out(static_cast<std::size_t>(m * n));
    const PreparedWeight weight(WeightView(tensor), testing::ggml_numerics().products);
    ggml_product(weight, tiling, input, out, n);
    return out;
  }

  /// By block_dot, in the order that the header states.
  std::vector<float> plain(KTiling tiling) const {
    const WeightView view(tensor);
    const FormatInfo& layout = info(tensor.format);
    const QuantisedRows activations(activation_format(tensor.format), input, k);
    const std::int64_t tile = tiling.tile > 0 ? tiling.tile : k;
    const std::int64_t tiles = (k + tile - 1) / tile;
    const std::int64_t run = (tiles + tiling.split - 1) / tiling.split * tile;
    std::vector<float> out;
    for (std::int64_t row = 0; row < m; ++row) {
      for (std::int64_t r = 0; r < n; ++r) {
        float total = 0, of_run = 0;
        for (std::int64_t at = 0; at < k; at += tile) {
          const std::int64_t count = std::min(tile, k - at);
          const auto part = view.row(r).subspan(
              static_cast<std::size_t>(at / layout.block_elements * layout.block_bytes),
              static_cast<std::size_t>(count / layout.block_elements * layout.block_bytes));
          of_run += block_dot(tensor.format, part, activations.at(row, at));
          if ((at + count) % run == 0 || at + count == k) {
            total += of_run;
            of_run = 0;
          }
        }
        out.push_back(total);
      }
    }
    return out;
  }
};

/// Calls body() for every kind of vectors that this machine has.
template <class Body>
void on_every_target(const Body& body) {
  for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1) {
    const std::int64_t target = left & -left;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    SCOPED_TRACE(hwy::TargetName(target));
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST(GgmlProduct, EqualsTheDefinitionToTheLastBitOnEveryTarget) {
  on_every_target([] {
    for (const Format format : kBlockFormats) {
      SCOPED_TRACE(to_string(format));
      // 37 rows: the last panel is short. 1280 columns: more than a panel holds, five large blocks.
      const Case many(format, 3, 37, 1280, 1);
      EXPECT_EQ(many.product({}), many.plain({}));
      EXPECT_EQ(many.product({.tile = 512}), many.plain({.tile = 512}));
      EXPECT_EQ(many.product({.tile = 256, .split = 2}), many.plain({.tile = 256, .split = 2}));
      EXPECT_EQ(many.product({.tile = 256, .split = 16}), many.plain({.tile = 256, .split = 16}));
    }
  });
}

TEST(GgmlProduct, TilesOfSmallBlocksNeedNotDivideARow) {
  const Case odd(Format::q4_1, 2, 16, 224, 2);
  EXPECT_EQ(odd.product({.tile = 96}), odd.plain({.tile = 96}));
  EXPECT_EQ(odd.product({.tile = 64, .split = 3}), odd.plain({.tile = 64, .split = 3}));
}

TEST(GgmlProduct, ExtremesDoNotOverflow) {
  // Each code -128 of q8_0 against -127: 32 x 128 x 127 in a block.
  std::vector<std::byte> bytes(34, std::byte{0x80});
  bytes[0] = std::byte{0x00};
  bytes[1] = std::byte{0x3C};  // d = 1
  WeightTensor tensor;
  tensor.format = Format::q8_0;
  tensor.shape = {1, 32};
  tensor.data = bytes;
  on_every_target([&] {
    std::vector<float> out(1);
    ggml_product(PreparedWeight(WeightView(tensor), testing::ggml_numerics().products), {},
                 std::vector<float>(32, -127.0f), out, 1);
    EXPECT_EQ(out[0], 32 * 128 * 127);
  });
}

TEST(GgmlProduct, LeavesTheRestOfTheRowsAlone) {
  const Case one(Format::q4_0, 2, 3, 32, 3);
  const PreparedWeight weight(WeightView(one.tensor), testing::ggml_numerics().products);
  std::vector<float> out(2 * 5, -1.0f);

  ggml_product(weight, {}, one.input, std::span(out).subspan(1), 5);

  const std::vector<float> expected = one.plain({});
  EXPECT_EQ(out, (std::vector<float>{-1, expected[0], expected[1], expected[2], -1, -1, expected[3],
                                     expected[4], expected[5], -1}));
}

TEST(GgmlProduct, HalvesMeetHalves) {
  const std::vector<std::uint16_t> halves = {to_half(1.5f), to_half(-2)};
  WeightTensor tensor;
  tensor.format = Format::fp16;
  tensor.shape = {1, 2};
  tensor.data = std::as_bytes(std::span(halves));
  std::vector<float> out(1);

  // 1 + 2^-11 is a tie between halves: it goes to 1.
  ggml_product(PreparedWeight(WeightView(tensor), testing::ggml_numerics().products), {},
               std::vector<float>{1 + 0x1p-11f, 3}, out, 1);

  EXPECT_EQ(out[0], 1.5f - 6);
}

}  // namespace
}  // namespace presil
