#include "train/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SummaryRow row(const std::string& stage, const std::string& name, int bits, double per) {
  SummaryRow r;
  r.stage = stage;
  r.name = name;
  r.cell = "lstm";
  r.bits = bits;
  r.per = per;
  r.tokens = 1257;
  r.parameters = 100000;
  r.stored_bits = r.parameters * bits;
  r.protocol = "kaldi";
  r.seed = 7;
  return r;
}

TEST(Summary, HoldsExactlyTheAgreedFields) {
  const TemporaryFolder folder;
  put_summary_row(folder.path(), row("dense", "dense", 32, 12.5));
  const auto json = nlohmann::ordered_json::parse(read_file(folder.path() / "summary.json"));
  ASSERT_TRUE(json.is_array());
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.at(0).items()) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("stage", "name", "cell", "block_size", "bits", "per", "tokens",
                                "parameters", "stored_bits", "multiplications", "mismatches",
                                "protocol", "seed"));
  EXPECT_EQ(json.at(0).at("per"), 12.5);
  EXPECT_EQ(json.at(0).at("stored_bits"), 3200000);
}

TEST(Summary, ReplacesARowInItsPlaceAndAppendsOthers) {
  const TemporaryFolder folder;
  EXPECT_TRUE(read_summary(folder.path()).empty());
  put_summary_row(folder.path(), row("dense", "dense", 32, 10));
  put_summary_row(folder.path(), row("emulator", "circulant-k8", 12, 11));
  put_summary_row(folder.path(), row("emulator", "circulant-k8", 10, 12));
  put_summary_row(folder.path(), row("emulator", "circulant-k8", 12, 13));
  const auto rows = read_summary(folder.path());
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].per, 10);
  EXPECT_EQ(rows[1].per, 13);
  EXPECT_EQ(rows[2].per, 12);
  EXPECT_EQ(rows[2].bits, 10);
  EXPECT_EQ(rows[1].name, "circulant-k8");
  EXPECT_EQ(rows[1].seed, 7);
  EXPECT_EQ(rows[1].protocol, "kaldi");
}

TEST(Summary, RowsOfAModelThatIsNoMoreGo) {
  const TemporaryFolder folder;
  put_summary_row(folder.path(), row("dense", "dense", 32, 10));
  put_summary_row(folder.path(), row("qat", "q", 8, 12));
  put_summary_row(folder.path(), row("emulator", "q", 8, 12.5));
  put_summary_row(folder.path(), row("dense", "last", 32, 11));
  put_trained_row(folder.path(), row("qat", "q", 6, 14));
  const auto rows = read_summary(folder.path());
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].name, "dense");
  EXPECT_EQ(rows[1].bits, 6);
  EXPECT_EQ(rows[1].per, 14);
  EXPECT_EQ(rows[2].name, "last");
}

TEST(Summary, BrokenFilesAreRefusedAndKept) {
  const TemporaryFolder folder;
  for (const std::string text :
       {"[{\"stage\": \"dense\"}]", "{}", "[1]", "[{", R"([{"stage": 3}])"}) {
    write_file(folder.path() / "summary.json", text);
    EXPECT_THROW(read_summary(folder.path()), DataError) << text;
    EXPECT_THROW(put_summary_row(folder.path(), row("dense", "dense", 32, 1)), DataError);
    EXPECT_EQ(read_file(folder.path() / "summary.json"), text);
  }
}

TEST(Summary, RefusesARateThatIsNoNumber) {
  const TemporaryFolder folder;
  EXPECT_THROW(put_summary_row(folder.path(),
                               row("dense", "dense", 32, std::numeric_limits<double>::quiet_NaN())),
               DataError);
  EXPECT_TRUE(read_summary(folder.path()).empty());
}

TEST(Summary, TableNamesProtocolTokensAndMismatches) {
  SummaryRow kernel = row("kernel", "circulant-k16", 12, 11.25);
  kernel.mismatches = 3;
  const std::string text = summary_table({row("dense", "dense", 32, 10.5), kernel});
  EXPECT_THAT(text, HasSubstr("10.50"));
  EXPECT_THAT(text, HasSubstr("11.25"));
  EXPECT_THAT(text, HasSubstr("1257"));
  EXPECT_THAT(text, HasSubstr("protocol kaldi, seed 7"));
  EXPECT_THAT(text, HasSubstr("400.0"));  // 3.2 Mbit
  EXPECT_THAT(text, HasSubstr(" 3 |\n"));
  EXPECT_EQ(summary_table({}).find("protocol"), std::string::npos);
}

}  // namespace
}  // namespace ernn
