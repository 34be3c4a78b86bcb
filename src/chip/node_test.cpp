#include "chip/node.h"

#include <gtest/gtest.h>

#include "chip/library.h"
#include "chip/package.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

Node shipped(const std::string& file) {
  return read_document(kHome / file, Syntax::yaml);
}

/// Everything that reading `root` with `key` set to `value` complains about.
template <class Read>
std::string complaints(Node root, const std::string& key, const std::string& value, Read read) {
  const auto argument = std::make_shared<const Source>(Source{"test", key + "=" + value});
  apply_override(root, key, value, argument);
  try {
    read(root);
  } catch (const InputError& e) {
    return e.diagnostics().front().message;
  }
  return "";
}

TEST(ProcessNode, NewerNodesCostMoreAWaferAndLessAnOperation) {
  const ProcessNode n7 = read_process_node(shipped("nodes/tsmc-n7.yaml"));
  const ProcessNode n5 = read_process_node(shipped("nodes/tsmc-n5.yaml"));
  const ProcessNode n3 = read_process_node(shipped("nodes/tsmc-n3e.yaml"));

  EXPECT_LT(n7.wafer_price.typical, n5.wafer_price.typical);
  EXPECT_LT(n5.wafer_price.typical, n3.wafer_price.typical);
  for (const auto& [format, joules] : n7.energy.mac) {
    EXPECT_GT(joules.typical, n5.energy.mac.at(format).typical) << to_string(format);
    EXPECT_GT(n5.energy.mac.at(format).typical, n3.energy.mac.at(format).typical);
  }
}

TEST(ProcessNode, RefusesWhatCannotBe) {
  const Node n7 = shipped("nodes/tsmc-n7.yaml");
  const auto complaint = [&](const std::string& key, const std::string& value) {
    return complaints(n7, key, value, read_process_node);
  };
  EXPECT_EQ(complaint("cluster_alpha", "0.5"),
            "cluster_alpha: expected a number without a unit from 1 to 50, found 0.5");
  EXPECT_EQ(complaint("edge_exclusion", "100 mm"),
            "edge_exclusion: expected less than a quarter of the wafer");
  EXPECT_NE(complaint("energy.mac.bf16.low", "9 pJ").find("expected low <= typical <= high"),
            std::string::npos);
  EXPECT_NE(complaint("wafer_prise", "1 USD").find("did you mean 'wafer_price'?"),
            std::string::npos);
}

TEST(PackageKind, RefusesWhatCannotBe) {
  const Node cowos = shipped("packages/cowos-s.yaml");
  const auto complaint = [&](const std::string& key, const std::string& value) {
    return complaints(cowos, key, value, read_package_kind);
  };
  EXPECT_EQ(complaint("attach_yield", "1.5"),
            "attach_yield: expected a number without a unit from 0.5 to 1, found 1.5");
  EXPECT_NE(complaint("substrate", "75").find("expected a value with its unit"), std::string::npos);
}

TEST(PackageKind, OnlyPackagesForHbmHaveAnInterposer) {
  EXPECT_TRUE(read_package_kind(shipped("packages/icube-s.yaml")).interposer.has_value());
  EXPECT_FALSE(read_package_kind(shipped("packages/fcbga.yaml")).interposer.has_value());
}

}  // namespace
}  // namespace presil
