#include "silicon/rows.h"

#include <fstream>

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/error.h"

namespace presil::silicon {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHeader = "chip,backend,dtype,m,n,k,latency_us\n";

class RowsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  std::string complaint() const {
    try {
      read_rows(folder_);
    } catch (const InputError& e) {
      return render(e.diagnostics().front());
    }
    return "none";
  }

  fs::path folder_;
};

TEST_F(RowsTest, ColumnsAreFoundByName) {
  write("gemm.csv", "latency_us,k,colour,n,m,dtype,chip\n12.5,3,red,2,1,bf16,\"A, B\"\r\n");
  const Dataset data = read_rows(folder_);
  ASSERT_EQ(data.rows.size(), 1U);
  const Row& row = data.rows.front();
  EXPECT_EQ(row.op, MeasuredOp::gemm);
  EXPECT_EQ(row.m, 1);
  EXPECT_EQ(row.n, 2);
  EXPECT_EQ(row.k, 3);
  EXPECT_EQ(row.latency_us, 12.5);
  EXPECT_EQ(row.chip, "A, B");
  EXPECT_EQ(row.kind, "gemm");
  EXPECT_EQ(row.kv_dtype, "bf16");
  EXPECT_EQ(data.notes, std::vector<std::string>{"gemm.csv: ignored columns: colour"});
}

TEST_F(RowsTest, GzippedFilesReadTheSame) {
  const std::string text = std::string(kHeader) + "H,vllm,fp8,1,2,3,4\n";
  gzFile out = gzopen((folder_ / "gemm.csv.gz").c_str(), "wb");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  gzclose(out);
  ASSERT_EQ(read_rows(folder_).rows.size(), 1U);
  EXPECT_EQ(read_rows(folder_).rows.front().backend, "vllm");
}

TEST_F(RowsTest, ACutGzipFileIsRefused) {
  std::string text = kHeader;
  for (int i = 1; i < 20000; ++i)
    text += "H,vllm,fp8," + std::to_string(i * 7919 % 99991) + ",2,3,4\n";
  const fs::path file = folder_ / "gemm.csv.gz";
  gzFile out = gzopen(file.c_str(), "wb");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  gzclose(out);
  fs::resize_file(file, fs::file_size(file) / 2);
  EXPECT_NE(complaint().find("broken gzip data"), std::string::npos);
}

TEST_F(RowsTest, UnknownFilesAreReported) {
  write("gemm.csv", std::string(kHeader) + "H,vllm,fp8,1,2,3,4\n");
  write("conv.csv", "a\n1\n");
  write("README.md", "words");
  EXPECT_EQ(read_rows(folder_).notes,
            std::vector<std::string>{"conv.csv: not an operator's table, left out"});
}

TEST_F(RowsTest, WhatIsWrongIsNamedWithItsPlace) {
  const std::string file = (folder_ / "gemm.csv").string();
  write("gemm.csv", std::string(kHeader) + "H,vllm,fp8,1,2,3,4\nH,vllm,fp8,1,x,3,4\n");
  EXPECT_NE(complaint().find(file + ":3:14"), std::string::npos) << complaint();
  EXPECT_NE(complaint().find("n: expected a whole number from 1"), std::string::npos);
  write("gemm.csv", std::string(kHeader) + "H,vllm,fp8,1,2,3,-4\n");
  EXPECT_NE(complaint().find("latency_us: expected a positive number"), std::string::npos);
  write("gemm.csv", std::string(kHeader) + "H,vllm,fp8,1,2,3,nan\n");
  EXPECT_NE(complaint().find("latency_us: expected a positive number"), std::string::npos);
  write("gemm.csv", std::string(kHeader) + "H,vllm,fp8,1,2\n");
  EXPECT_NE(complaint().find("expected 7 fields, found 5"), std::string::npos);
  write("gemm.csv", "chip,dtype,m,n\nH,fp8,1,2\n");
  EXPECT_NE(complaint().find("column k is missing"), std::string::npos);
  write("gemm.csv", "");
  EXPECT_NE(complaint().find("expected a line of column names"), std::string::npos);
}

TEST_F(RowsTest, AFolderWithoutRowsIsMissing) {
  EXPECT_THROW(read_rows(folder_), MissingInput);
  EXPECT_THROW(read_rows(folder_ / "none"), MissingInput);
}

TEST(Rows, TheShippedRowsAreRead) {
  const Dataset data = read_rows(fs::path(PRESIL_SOURCE_DIR) / "data/silicon");
  EXPECT_EQ(data.rows.size(), 337788U);
  EXPECT_TRUE(data.notes.empty());
}

}  // namespace
}  // namespace presil::silicon
