#include "serving/load/trace.h"

#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "base/testing/scratch.h"

namespace presil::serving {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;
constexpr std::int64_t kAll = std::int64_t{1} << 40;

Trace shipped(const std::string& name) {
  const TraceFile file = find_trace(name, kHome);
  return {file.path, file.name};
}

Trace written(const std::string& text) {
  const auto file = presil::testing::scratch_folder() / "trace";
  std::ofstream(file, std::ios::binary) << text;
  return {file, "t"};
}

std::vector<TraceRow> rows_of(Trace trace) {
  std::vector<TraceRow> rows;
  TraceRow row;
  while (trace.next(row)) rows.push_back(row);
  return rows;
}

std::string complaint_about(const std::string& text) {
  try {
    rows_of(written(text));
  } catch (const InputError& e) {
    const Diagnostic& d = e.diagnostics().front();
    return d.file + ":" + std::to_string(d.line) + ":" + std::to_string(d.column) + ": " +
           d.message;
  }
  return "none";
}

constexpr const char* kAzure = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

std::string azure(const std::string& rows) {
  return kAzure + ("2023-11-16 18:17:03.9799600,4808,10\n" + rows);
}

TEST(Trace, OfAzureCountsNanosecondsFromItsFirstRequest) {
  const auto rows = rows_of(written(azure("2023-11-16 18:17:04.0319601,3180,8\r\n")));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].arrival, Nanoseconds(0));
  EXPECT_EQ(rows[0].prompt_tokens, 4808);
  EXPECT_EQ(rows[0].output_tokens, 10);
  EXPECT_EQ(rows[1].arrival, Nanoseconds(52'000'100));
  EXPECT_TRUE(rows[1].prefix.empty());
}

TEST(Trace, OfMooncakeNamesTheBlocksOfPrompts) {
  Trace trace = written(
      "{\"timestamp\": 3, \"input_length\": 1024, \"output_length\": 5, \"hash_ids\": [7, 8]}\n"
      "{\"hash_ids\":[7,18446744073709551615,9],\"note\":{\"a\":[1,\"}\\\"\"]},\"output_length\":1,"
      "\"input_length\":1025,\"timestamp\":4.5}\n");
  EXPECT_EQ(trace.prefix_block(), 512);
  const auto rows = rows_of(std::move(trace));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].prefix, (std::vector<std::uint64_t>{7, 8}));
  EXPECT_EQ(rows[1].prefix, (std::vector<std::uint64_t>{7, 18446744073709551615U, 9}));
  EXPECT_EQ(rows[1].arrival, Nanoseconds(1'500'000));
  EXPECT_EQ(rows[1].prompt_tokens, 1025);
}

TEST(Trace, ColumnsAreFoundByNameAndOthersIgnored) {
  const auto rows = rows_of(
      written("colour,output_tokens,arrival_ns,input_tokens\nred,3,100,4\n\n\"b,\",5,107,6\n"));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].arrival, Nanoseconds(7));
  EXPECT_EQ(rows[1].prompt_tokens, 6);
  EXPECT_EQ(rows[1].output_tokens, 5);
}

TEST(Trace, OfLengthsAloneHasNoArrivals) {
  Trace trace = written("num_prefill_tokens,num_decode_tokens\n3772,54\n");
  EXPECT_FALSE(trace.has_arrivals());
  EXPECT_EQ(rows_of(std::move(trace)).front().prompt_tokens, 3772);
}

TEST(Trace, BadLinesAreNamed) {
  EXPECT_EQ(complaint_about(azure("2023-11-16 18:17:04,31x,8\n")),
            "t:3:21: ContextTokens: expected a whole number, found \"31x\"");
  EXPECT_EQ(complaint_about(azure("2023-11-16 18:17:04,31\n")),
            "t:3:1: expected 3 fields, found 2");
  EXPECT_EQ(complaint_about(azure("2023-11-16 18:17:04,0,8\n")),
            "t:3:21: ContextTokens: expected 1 to 10000000 tokens, found 0");
  EXPECT_EQ(complaint_about(azure("2023-11-16 18:17:04,5,0\n")),
            "t:3:23: GeneratedTokens: expected 1 to 10000000 tokens, found 0");
  EXPECT_EQ(complaint_about(azure("2023-11-16 18:17:04,5,-8\n")),
            "t:3:23: GeneratedTokens: expected a whole number, found \"-8\"");
  EXPECT_EQ(complaint_about(azure("2023-11-16 18:17:04,5,10000001\n")),
            "t:3:23: GeneratedTokens: expected 1 to 10000000 tokens, found 10000001");
  EXPECT_EQ(complaint_about(azure("2023-11-16 18:17:04,5,99999999999999999999\n")),
            "t:3:23: GeneratedTokens: expected a whole number, found \"99999999999999999999\"");
  EXPECT_EQ(complaint_about(azure("yesterday,5,8\n")),
            "t:3:1: TIMESTAMP: expected a UTC time such as 2023-11-16 18:17:03.9799600, found "
            "\"yesterday\"");
  EXPECT_EQ(complaint_about("arrival_ns,input_tokens,output_tokens\n-1,1,1\n"),
            "t:2:1: arrival_ns: expected nanoseconds, not below zero and under 146 years, found "
            "\"-1\"");
}

TEST(Trace, TimesThatGoBackwardsAreBothNamed) {
  EXPECT_EQ(complaint_about(azure("2023-11-16 18:17:03.97,3180,8\n")),
            "t:3:1: TIMESTAMP: 2023-11-16 18:17:03.97 is before 2023-11-16 18:17:03.9799600, when "
            "the request above it came");
  EXPECT_EQ(
      complaint_about(
          "{\"timestamp\": 30, \"input_length\": 1, \"output_length\": 1, \"hash_ids\": []}\n"
          "{\"timestamp\": 29, \"input_length\": 1, \"output_length\": 1, \"hash_ids\": []}\n"),
      "t:2:15: timestamp: 29 is before 30, when the request above it came");
}

TEST(Trace, QuotedTimesAreNamedAsTheyAre) {
  EXPECT_EQ(complaint_about("arrival_ns,input_tokens,output_tokens\n\"8\",1,1\n\"7\",1,1\n"),
            "t:3:1: arrival_ns: 7 is before 8, when the request above it came");
}

TEST(Trace, MissingColumnsAndKeysAreNamed) {
  EXPECT_EQ(complaint_about("TIMESTAMP,ContextTokens\n"),
            "t:1:1: column GeneratedTokens is missing");
  EXPECT_EQ(complaint_about("arrival_ns,input_tokens,output_tokens,input_tokens\n"),
            "t:1:1: column input_tokens stands there twice");
  EXPECT_EQ(complaint_about("{\"timestamp\": 1, \"output_length\": 1}\n"),
            "t:1:1: input_length is missing");
  EXPECT_EQ(complaint_about("{\"input_length\": 1, \"output_length\": 1}\n"),
            "t:1:1: timestamp is missing");
}

TEST(Trace, WhatIsNoTraceIsRefused) {
  EXPECT_EQ(complaint_about(""), "t:1:1: a trace without requests");
  EXPECT_EQ(complaint_about(kAzure), "t:2:1: a trace without requests");
  EXPECT_NE(complaint_about("a,b,c\n1,2,3\n").find("no trace: expected a first line"),
            std::string::npos);
  const std::string whole = "\"timestamp\": 1, \"output_length\": 1, \"input_length\": ";
  EXPECT_EQ(complaint_about("{" + whole + "1\n"),
            "t:1:55: expected '}' of a JSON object on one line");
  EXPECT_EQ(complaint_about("{" + whole + "1} 2\n"), "t:1:57: expected the end of the line");
  EXPECT_EQ(complaint_about("{" + whole + "1.5}\n"),
            "t:1:54: input_length: expected a whole number");
  EXPECT_EQ(complaint_about("{" + whole + "\"1\"}\n"),
            "t:1:54: input_length: expected a whole number");
  EXPECT_EQ(complaint_about("{" + whole + "1, \"timestamp\": 2}\n"),
            "t:1:57: timestamp stands there twice");
  EXPECT_EQ(complaint_about("{" + whole + "1, \"hash_ids\": [1, 2]}\n"),
            "t:1:69: hash_ids: 2 blocks of 512 tokens for a prompt of 1");
  EXPECT_EQ(complaint_about("{" + whole + "1, \"x\": " + std::string(100, '[') + "\n"),
            "t:1:95: nested too deep");
  EXPECT_EQ(complaint_about("{\"timestamp\": nan}\n"),
            "t:1:15: timestamp: expected milliseconds, not below zero and under 139 years");
}

/// A row of the table in data/traces/README.md.
struct Shipped {
  std::string name;
  std::int64_t requests;
  double span_s, rate;
  struct Tokens {
    double mean, p50, p90, p99, max;
  } input, output;
};

void expect_tokens(std::vector<double> tokens, const Shipped::Tokens& expected) {
  std::sort(tokens.begin(), tokens.end());
  const auto quantile = [&](double q) {  // the lower of the two nearest
    return tokens[static_cast<std::size_t>(q * static_cast<double>(tokens.size() - 1))];
  };
  double sum = 0;
  for (const double t : tokens) sum += t;
  EXPECT_NEAR(sum / static_cast<double>(tokens.size()), expected.mean, 0.5);
  EXPECT_EQ(quantile(0.5), expected.p50);
  EXPECT_EQ(quantile(0.9), expected.p90);
  EXPECT_EQ(quantile(0.99), expected.p99);
  EXPECT_EQ(tokens.back(), expected.max);
}

TEST(Trace, ShippedOnesAreAsTheirReadmeSays) {
  const Shipped table[] = {
      {"azure2023_code", 8819, 3436, 2.57, {2048, 1469, 5186, 7436, 7437}, {28, 13, 55, 249, 1899}},
      {"azure2023_conv",
       19366,
       3502,
       5.53,
       {1155, 1020, 2734, 4142, 14050},
       {211, 129, 424, 601, 1000}},
      {"mooncake_conversation",
       12031,
       3537,
       3.40,
       {12035, 6909, 27367, 85399, 126195},
       {343, 350, 597, 1115, 2000}},
      {"mooncake_synthetic",
       3993,
       1022,
       3.91,
       {15325, 11587, 38596, 66456, 191378},
       {149, 69, 389, 768, 893}},
      {"arxiv_summarization_lengths",
       28257,
       0,
       0,
       {2588, 2730, 3702, 3933, 4054},
       {291, 167, 372, 3270, 4056}},
      {"sharegpt_llama31_300_lengths",
       300,
       29,
       10.3,
       {857, 730, 1458, 2764, 3998},
       {653, 631, 770, 784, 1021}}};
  for (const Shipped& expected : table) {
    SCOPED_TRACE(expected.name);
    const TraceSummary sum = summarize(shipped(expected.name), kAll);
    EXPECT_EQ(sum.requests, expected.requests);
    EXPECT_NEAR(to_seconds(sum.span).count(), expected.span_s, 0.5);
    EXPECT_NEAR(sum.rate().count(), expected.rate, 0.05);
    std::vector<double> input;
    std::vector<double> output;
    for (const TraceRow& row : rows_of(shipped(expected.name))) {
      input.push_back(static_cast<double>(row.prompt_tokens));
      output.push_back(static_cast<double>(row.output_tokens));
    }
    expect_tokens(input, expected.input);
    expect_tokens(output, expected.output);
  }
}

TEST(Trace, IsFoundByItsBareNameOrPath) {
  EXPECT_EQ(find_trace("azure2023_conv", kHome).name, "data/traces/azure2023_conv.csv.gz");
  EXPECT_EQ(find_trace("azure2023_conv.csv.gz", kHome).path,
            kHome / "data/traces/azure2023_conv.csv.gz");
  EXPECT_EQ(find_trace("data/traces/azure2023_conv.csv.gz", kHome).name,
            "data/traces/azure2023_conv.csv.gz");
  try {
    find_trace("azure2023_con", kHome);
    FAIL();
  } catch (const MissingInput& e) {
    EXPECT_NE(std::string(e.what()).find("did you mean 'azure2023_conv'?"), std::string::npos);
  }
}

}  // namespace
}  // namespace presil::serving
