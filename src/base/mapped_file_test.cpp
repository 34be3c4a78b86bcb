#include "base/mapped_file.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/scratch.h"

namespace presil {
namespace {

std::filesystem::path file_with(const std::string& name, const std::string& text) {
  const auto path = testing::scratch_folder() / name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST(MappedFile, HoldsTheBytesOfTheFile) {
  EXPECT_EQ(text_of(MappedFile(file_with("mapped.bin", "GGUF\n1"))), "GGUF\n1");
}

TEST(MappedFile, AnEmptyFileIsAnEmptySpan) {
  EXPECT_TRUE(MappedFile(file_with("empty.bin", "")).bytes().empty());
}

TEST(MappedFile, MovingDoesNotMoveTheBytes) {
  MappedFile first(file_with("moved.bin", "weights"));
  const std::byte* before = first.bytes().data();

  MappedFile second(std::move(first));

  EXPECT_EQ(second.bytes().data(), before);
  EXPECT_TRUE(first.bytes().empty());
}

TEST(MappedFile, RefusesWhatIsNotAReadableFile) {
  EXPECT_THROW(MappedFile("/no/such/file.gguf"), MissingInput);
  EXPECT_THROW(MappedFile(testing::scratch_folder()), MissingInput);
}

}  // namespace
}  // namespace presil
