#include "explore/synthesis_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

using testing::HasSubstr;

class SynthesisResults : public testing::Test {
 protected:
  std::vector<SynthesisResult> read(const std::string& json) const {
    write_file(file(), json);
    return read_synthesis_results(file());
  }
  /// The error's text; it should be one line.
  std::string error_of(const std::string& json) const {
    try {
      read(json);
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
      return error.what();
    }
    return "no error";
  }
  std::filesystem::path file() const { return folder.path() / "rtl.json"; }

  TemporaryFolder folder;
};

TEST_F(SynthesisResults, ReadsAnArrayOrOneObject) {
  const auto results = read(R"([{"name": "lstm tiny", "mismatches": 0, "cycles_per_frame": 310.5,
      "bram": 1.5, "interval": null, "tool": "some tool", "source": "measured"},
     {"name": "fft8", "function": "forward_fft", "k": 8, "widths": {"input": 12},
      "source": "vendor report"}])");
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].name, "lstm tiny");
  EXPECT_EQ(results[0].function, "");
  EXPECT_EQ(results[0].mismatches, 0);
  EXPECT_EQ(results[0].cycles_per_frame, 310.5);
  EXPECT_EQ(results[0].bram, 1.5);
  EXPECT_FALSE(results[0].interval);
  EXPECT_FALSE(results[0].lut);
  EXPECT_EQ(results[1].widths.at("input"), 12);
  EXPECT_EQ(results[1].source, ResultSource::vendor_report);
  EXPECT_EQ(read(R"({"name": "alone", "lut": 7})").at(0).lut, 7);
}

TEST_F(SynthesisResults, MistakesAreNamed) {
  EXPECT_THAT(error_of(R"([{"name": "a"}, {"name": "b", "luts": 2}])"),
              testing::AllOf(HasSubstr("rtl.json"), HasSubstr("'1.luts'; did you mean 'lut'")));
  EXPECT_THAT(error_of(R"([{"name": "a", "depth": 1.5}])"), HasSubstr("0.depth: found '1.5'"));
  EXPECT_THAT(error_of(R"([{"name": "a", "source": "guessed"}])"), HasSubstr("0.source"));
  EXPECT_THAT(error_of(R"([{"lut": 1}])"), HasSubstr("entry 0: found no name"));
  EXPECT_THAT(error_of(R"([{"name": "a", "ff": -1}])"), HasSubstr("entry 0: ff: found -1"));
  EXPECT_THAT(error_of(R"([{"name": "a", "mismatches": -2}])"), HasSubstr("mismatches: found -2"));
  EXPECT_THAT(error_of(R"([{"name": "a", "k": 0}])"), HasSubstr("k: found 0"));
  EXPECT_THAT(error_of(R"([{"name": "a"}, {"name": "a"}])"),
              HasSubstr("two results are named 'a'"));
  EXPECT_THAT(error_of(R"([3])"), HasSubstr("entry 0: expected an object"));
  EXPECT_THAT(error_of("3"), HasSubstr("found number, expected an array"));
  EXPECT_THAT(error_of(R"([{"name": "a")"), HasSubstr("no JSON"));
}

TEST_F(SynthesisResults, WrittenResultsReadBackTheSame) {
  SynthesisResult full;
  full.name = "a";
  full.function = "narrowing";
  full.k = 16;
  full.widths = {{"from", 30}, {"to", 16}};
  full.mismatches = 3;
  full.vectors = 1000000;
  full.cycles_per_frame = 1.0 / 3;
  full.interval = 1;
  full.depth = 4;
  full.lut = 10;
  full.ff = 11;
  full.dsp = 12;
  full.bram = 0.5;
  full.uram = 2;
  full.period_ns = 5;
  full.reached_ns = 4.25;
  full.available = {{"lut", 100}};
  full.tool = "a tool";
  full.source = ResultSource::vendor_report;
  SynthesisResult empty;
  empty.name = "b";
  write_synthesis_results(file(), {full, empty});
  const auto back = read_synthesis_results(file());
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[0].name, "a");
  EXPECT_EQ(back[0].function, "narrowing");
  EXPECT_EQ(back[0].k, 16);
  EXPECT_EQ(back[0].widths, full.widths);
  EXPECT_EQ(back[0].mismatches, 3);
  EXPECT_EQ(back[0].vectors, 1000000);
  EXPECT_EQ(back[0].cycles_per_frame, 1.0 / 3);
  EXPECT_EQ(back[0].interval, 1);
  EXPECT_EQ(back[0].depth, 4);
  EXPECT_EQ(back[0].lut, 10);
  EXPECT_EQ(back[0].ff, 11);
  EXPECT_EQ(back[0].dsp, 12);
  EXPECT_EQ(back[0].bram, 0.5);
  EXPECT_EQ(back[0].uram, 2);
  EXPECT_EQ(back[0].period_ns, 5);
  EXPECT_EQ(back[0].reached_ns, 4.25);
  EXPECT_EQ(back[0].available, full.available);
  EXPECT_EQ(back[0].tool, "a tool");
  EXPECT_EQ(back[0].source, ResultSource::vendor_report);
  EXPECT_FALSE(back[1].mismatches);
  EXPECT_FALSE(back[1].lut);
  // Absent numbers are written out, so that every object has every key.
  EXPECT_THAT(read_file(file()), HasSubstr(R"("mismatches":null)"));
}

TEST_F(SynthesisResults, TableKeepsTheOrderAndSaysWhatIsAbsent) {
  const auto results = read(R"([{"name": "zeta", "mismatches": 2, "cycles_per_frame": 310.25,
      "lut": 250, "bram": 2.5, "available": {"lut": 1000, "bram": 10, "dsp": 0}, "dsp": 3},
     {"name": "alpha", "function": "output", "depth": 4}])");
  const std::string table = synthesis_table(results);
  const auto zeta = table.find("zeta"), alpha = table.find("alpha");
  ASSERT_NE(alpha, std::string::npos);
  EXPECT_LT(zeta, alpha);
  EXPECT_THAT(
      table.substr(zeta, alpha - zeta),
      testing::ContainsRegex("- +2 +- +310.25 +- +- +250 +- +3 +2.5 +- +- +- +- +measured"));
  EXPECT_THAT(table.substr(alpha), testing::ContainsRegex("output +- +- +- +- +4 +- +-"));
  EXPECT_THAT(table, HasSubstr("zeta: 25.0 % of 1000 LUT, 25.0 % of 10 BRAM36\n"));
  EXPECT_THAT(table, HasSubstr("1 of 2 differ from the emulator\n"));
}

}  // namespace
}  // namespace ernn
