#include "base/lines.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/testing/scratch.h"

namespace presil {
namespace {

std::filesystem::path plain(const std::string& text) {
  const auto file = testing::scratch_folder() / "lines.txt";
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

std::filesystem::path gzipped(const std::string& text) {
  const auto file = testing::scratch_folder() / "lines.gz";
  gzFile out = gzopen(file.c_str(), "wb");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  gzclose(out);
  return file;
}

std::vector<std::string> all_of(Lines lines) {
  std::vector<std::string> all;
  while (const auto line = lines.next()) all.emplace_back(*line);
  return all;
}

std::string complaint_about(const std::filesystem::path& file, std::int64_t most_text = 1 << 30) {
  try {
    all_of(Lines(file, "f", most_text));
  } catch (const InputError& e) {
    return e.what();
  }
  return "none";
}

TEST(Lines, EndWithLfOrCrLfAndTheLastNeedNot) {
  const std::vector<std::string> expected = {"a", "", "b\rc", "d"};
  EXPECT_EQ(all_of(Lines(plain("a\n\nb\rc\r\nd"))), expected);
  EXPECT_EQ(all_of(Lines(plain("a\n\nb\rc\r\nd\n"))), expected);
  EXPECT_EQ(all_of(Lines(plain(""))), std::vector<std::string>{});
  EXPECT_EQ(all_of(Lines(plain("\n"))), std::vector<std::string>{""});
}

TEST(Lines, AByteOrderMarkIsNoText) {
  EXPECT_EQ(all_of(Lines(plain("\xef\xbb\xbfh\n\xef\xbb\xbf\n"))),
            (std::vector<std::string>{"h", "\xef\xbb\xbf"}));
}

TEST(Lines, ReadTheSameWhenGzipped) {
  // Lines of all lengths up to some pieces of the buffer, so that they end everywhere in it.
  std::string text;
  std::vector<std::string> expected;
  for (std::size_t length = 0; length < 300'000; length = length * 3 / 2 + 1) {
    expected.emplace_back(length, static_cast<char>('a' + length % 26));
    text += expected.back() + "\n";
  }
  EXPECT_EQ(all_of(Lines(plain(text))), expected);
  EXPECT_EQ(all_of(Lines(gzipped(text))), expected);
}

TEST(Lines, AreNumberedFromOne) {
  Lines lines(plain("a\nb\n"), "name");
  lines.next();
  lines.next();
  EXPECT_EQ(lines.number(), 2);
  EXPECT_EQ(render(lines.complaint(1, "is no number")),
            "name:2:1: error: is no number\n  2 | b\n    | ^\n");
}

TEST(Lines, OfAnyLengthAreNotTaken) {
  const std::string longest(Lines::kLongestLine, 'x');
  EXPECT_EQ(complaint_about(plain("a\n" + longest + "\n")), "none");
  EXPECT_NE(complaint_about(plain("a\n" + longest + "x\n")).find("f:2:1"), std::string::npos);
  EXPECT_NE(complaint_about(gzipped(longest + longest)).find("more than 1048576 bytes"),
            std::string::npos);
  EXPECT_NE(complaint_about(plain("a\nb\n"), 3).find("over 3 bytes"), std::string::npos);
}

TEST(Lines, OfABrokenFileAreRefused) {
  const auto file = gzipped(std::string(100'000, 'x') + "\n");
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  EXPECT_NE(complaint_about(file).find("broken gzip data"), std::string::npos);
  EXPECT_THROW(Lines("/nowhere"), MissingInput);
  EXPECT_THROW(Lines(testing::scratch_folder()), MissingInput);
}

}  // namespace
}  // namespace presil
