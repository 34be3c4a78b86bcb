#include "base/sha256.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/scratch.h"

namespace presil {
namespace {

// Digests from FIPS 180-4's examples.
constexpr std::string_view kOfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Sha256, AgreesWithThePublishedExamples) {
  EXPECT_EQ(sha256("abc"), kOfAbc);
  EXPECT_EQ(sha256(""), kOfNothing);
}

TEST(Sha256, DoesNotDependOnHowTheBytesAreFed) {
  Sha256 digest;
  digest.update("a");
  digest.update("");
  digest.update("bc");

  EXPECT_EQ(digest.finish(), kOfAbc);
}

TEST(Sha256, OfAFileIsThatOfItsContents) {
  const auto path = testing::scratch_folder() / "contents";
  const std::string contents(3'000'000, 'x');  // more than one block
  std::ofstream(path, std::ios::binary) << contents;

  EXPECT_EQ(sha256_of_file(path), sha256(contents));
}

TEST(Sha256, OfAFileThatIsNotThereIsAMissingInput) {
  EXPECT_THROW(sha256_of_file("no/such/file"), MissingInput);
}

}  // namespace
}  // namespace presil
