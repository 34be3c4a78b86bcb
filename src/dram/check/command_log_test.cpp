#include "dram/check/command_log.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "base/testing/scratch.h"

namespace presil::dram {
namespace {

const std::string kHeader = "# presil-dram-log/1 part=hbm3-6400 rate=6.4 Gb/s channels=2\n";

std::filesystem::path file_with(const std::string& text) {
  const std::filesystem::path path = presil::testing::scratch_folder() / "log.txt";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::vector<LogEntry> read_all(LogReader& reader) {
  std::vector<LogEntry> entries;
  for (LogEntry entry; reader.next(entry);) entries.push_back(entry);
  return entries;
}

/// What reading `text` to its end complains about: "line:column: message".
std::string complaint(const std::string& text) {
  try {
    LogReader reader(file_with(text));
    read_all(reader);
  } catch (const InputError& e) {
    const Diagnostic& d = e.diagnostics().front();
    return fmt::format("{}:{}: {}", d.line, d.column, d.message);
  }
  return "";
}

TEST(CommandLog, ReadsBackWhatItWrote) {
  const std::vector<LogEntry> entries = {
      {0, {1, 0, Command::ACT, 4, 17}},        {0, {65, 0, Command::RD, 4, 17}},
      {0, {99, 1, Command::WR, 5, 16383}},     {0, {120, 0, Command::PREpb, 4, 0}},
      {1, {5, 1, Command::PREab, 0, 0}},       {1, {201, 1, Command::REFab, 0, 0}},
      {1, {kNever, 0, Command::REFpb, 31, 0}}, {1, {kNever, 0, Command::RFM, 0, 0}}};
  MemoryPart part;
  part.name = "my = part";
  part.pseudo_channels = 2;
  part.stack_ids = 3;
  part.bank_groups = part.banks = 4;
  part.rows = 24576;
  const double rate = 5.23e9;
  std::ostringstream out;
  LogWriter writer(out, log_header(part, BitsPerSecond(rate), 7));
  for (const LogEntry& e : entries) writer.write(e.channel, e.command);
  writer.flush();

  LogReader reader(file_with(out.str()));
  EXPECT_EQ(reader.header().part, "my___part");
  EXPECT_EQ(reader.header().rate, BitsPerSecond(rate));
  EXPECT_EQ(reader.header().channels, 7);
  EXPECT_EQ(reader.header().pseudo_channels, 2);
  EXPECT_EQ(reader.header().banks, 3 * 4 * 4);
  EXPECT_EQ(reader.header().rows, 24576);
  const std::vector<LogEntry> read = read_all(reader);
  ASSERT_EQ(read.size(), entries.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].channel, entries[i].channel);
    EXPECT_EQ(read[i].command, entries[i].command);
  }
}

TEST(CommandLog, LooksAsItsPageSays) {
  std::ostringstream out;
  LogHeader header;
  header.part = "hbm3-6400";
  header.rate = BitsPerSecond(6.4e9);
  header.channels = 2;
  LogWriter writer(out, header);
  writer.write(0, {41, 0, Command::ACT, 4, 17});
  writer.write(0, {150, 0, Command::PREpb, 4, 0});
  writer.write(1, {250, 1, Command::REFab, 0, 0});
  writer.flush();
  EXPECT_EQ(out.str(), kHeader + "41 0 0 ACT 4 17\n150 0 0 PREpb 4 -\n250 1 1 REFab - -\n");
}

TEST(CommandLog, IsReadInPiecesOfAnySize) {
  // Longer than any buffer, with lines that stand across its edges.
  std::string text = kHeader;
  constexpr int kLines = 100'000;
  for (int i = 0; i < kLines; ++i) text += fmt::format("{} 0 0 ACT {} {}\n", i * 7, i % 32, i);
  LogReader reader(file_with(text));
  LogEntry entry;
  for (int i = 0; i < kLines; ++i) {
    ASSERT_TRUE(reader.next(entry));
    ASSERT_EQ(entry.command, (LoggedCommand{i * 7, 0, Command::ACT, i % 32, i}));
    ASSERT_EQ(reader.line(), i + 2);
  }
  EXPECT_FALSE(reader.next(entry));
}

TEST(CommandLog, TakesCommentsBlankLinesTabsAndForeignLineEnds) {
  LogReader reader(
      file_with("# presil-dram-log/1\r\n\n# a note\n\t41\t0 0  PREab - -\r\n"
                "42 0 0 PREab 0 0\n43 0 1 PREpb 9 12"));
  EXPECT_FALSE(reader.header().rate.has_value());
  const std::vector<LogEntry> read = read_all(reader);
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0].command, (LoggedCommand{41, 0, Command::PREab, 0, 0}));
  EXPECT_EQ(read[1].command, (LoggedCommand{42, 0, Command::PREab, 0, 0}));
  EXPECT_EQ(read[2].command, (LoggedCommand{43, 1, Command::PREpb, 9, 0}));
  EXPECT_EQ(reader.line(), 6);
}

TEST(CommandLog, PointsAtABadWord) {
  EXPECT_EQ(complaint(kHeader + "x 0 0 ACT 4 17\n"),
            "2:1: expected a tick from 0 to 2305843009213693951, found 'x'");
  EXPECT_EQ(complaint(kHeader + "1 0 0 ACT 4 17\n-5 0 0 ACT 4 17\n"),
            "3:1: expected a tick from 0 to 2305843009213693951, found '-5'");
  EXPECT_EQ(complaint(kHeader + "1 5000 0 ACT 4 17\n"),
            "2:3: expected a channel from 0 to 4095, found '5000'");
  EXPECT_EQ(complaint(kHeader + "1 0 0 PRE 4 -\n"),
            "2:7: expected a command (ACT, PREpb, PREab, RD, WR, REFab, REFpb, RFM), found 'PRE'");
  EXPECT_EQ(complaint(kHeader + "1 0 0 ACT 4 -\n"),
            "2:13: expected a row from 0 to 2147483647, found '-'");
  EXPECT_EQ(complaint(kHeader + "1 0 0 PREpb\n"),
            "2:12: expected a bank from 0 to 2147483647, found the end of the line");
  EXPECT_EQ(complaint(kHeader + "1 0 0 RD 4 9999999999\n"),
            "2:12: expected a row from 0 to 2147483647, found '9999999999'");
  EXPECT_EQ(complaint(kHeader + "1 0 0 RD 4 17 18\n"),
            "2:15: expected the end of the line, found '18'");
}

TEST(CommandLog, PointsAtABadHeader) {
  EXPECT_EQ(complaint("1 0 0 ACT 4 17\n"),
            "1:1: expected a log that begins with \"# presil-dram-log/1\"");
  EXPECT_EQ(complaint("# presil-dram-log/12\n"),
            "1:1: expected a log that begins with \"# presil-dram-log/1\"");
  EXPECT_EQ(
      complaint("# presil-dram-log/1 rate=6.4\n"),
      "1:26: rate: expected a value with its unit such as \"9.8 Gb/s\", found 6.4 without a unit");
  EXPECT_EQ(complaint("# presil-dram-log/1 banks=0\n"), "1:27: banks: expected a count, found '0'");
  EXPECT_EQ(complaint("# presil-dram-log/1 speed=1\n"),
            "1:21: expected key=value with a key out of part, rate, channels, pseudo_channels, "
            "banks, rows; found 'speed=1'");
}

TEST(CommandLog, RefusesWhatIsNoLog) {
  EXPECT_THROW(LogReader(presil::testing::scratch_folder() / "none"), MissingInput);
  EXPECT_THROW(LogReader(presil::testing::scratch_folder()), MissingInput);  // a folder
  EXPECT_THROW(LogReader(file_with("")), InputError);
  EXPECT_EQ(complaint(kHeader + std::string(2000, '1') + "\n"),
            "2:1001: expected lines of at most 1000 characters");
  EXPECT_EQ(complaint(std::string(1 << 20, 'x')),
            "1:1001: expected lines of at most 1000 characters");
}

TEST(CommandLog, SaysWhenItCannotBeWritten) {
  std::ostringstream out;
  LogWriter writer(out, LogHeader{});
  out.setstate(std::ios::badbit);
  EXPECT_THROW(writer.flush(), std::system_error);
}

}  // namespace
}  // namespace presil::dram
