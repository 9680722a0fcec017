// Reports written by hand (tests/explore/data/README.md): no vendor tool was at hand.
#include "explore/vitis_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class VitisReport : public testing::Test {
 protected:
  VitisReport() {
    fs::copy(fs::path(ERNN_SOURCE_DIR) / "tests/explore/data/handmade_vitis", project(),
             fs::copy_options::recursive);
  }
  fs::path project() const { return folder.path() / "vitis"; }
  fs::path solution() const { return project() / "solution"; }
  fs::path synthesis() const { return solution() / "syn/report/csynth.xml"; }
  fs::path simulation() const { return solution() / "sim/report/ernn_top_cosim.rpt"; }

  /// Replaces the first `old` behind `after` in a report.
  static void edit(const fs::path& file, const std::string& old, const std::string& now,
                   const std::string& after = "") {
    std::string text = read_file(file);
    const auto at = text.find(old, text.find(after));
    ASSERT_NE(at, std::string::npos) << old;
    write_file(file, text.replace(at, old.size(), now));
  }
  std::string error() const {
    try {
      read_vitis_reports(project());
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
      return error.what();
    }
    return "no error";
  }

  TemporaryFolder folder;
};

TEST_F(VitisReport, TopAndProcessesAreRows) {
  fs::remove_all(solution() / "sim");
  const auto results = read_vitis_reports(solution());
  ASSERT_EQ(results.size(), 3U);  // neither the loop's part nor the top once more
  const SynthesisResult& top = results[0];
  EXPECT_EQ(top.name, "ernn_top");
  EXPECT_EQ(top.function, "");
  EXPECT_EQ(top.tool, "Vitis HLS 0000.0");
  EXPECT_EQ(top.source, ResultSource::vendor_report);
  EXPECT_FALSE(top.mismatches);
  EXPECT_FALSE(top.depth);  // "undef"
  EXPECT_FALSE(top.interval);
  EXPECT_FALSE(top.cycles_per_frame);
  EXPECT_EQ(top.lut, 33000);
  EXPECT_EQ(top.ff, 20480);
  EXPECT_EQ(top.dsp, 276);
  EXPECT_EQ(top.bram, 15.5);
  EXPECT_EQ(top.uram, 2);
  EXPECT_EQ(top.period_ns, 5);
  EXPECT_EQ(top.reached_ns, 3.61);
  EXPECT_EQ(top.available,
            (std::map<std::string, double>{
                {"lut", 330000}, {"ff", 663360}, {"dsp", 2760}, {"bram", 1080}, {"uram", 0}}));
  const SynthesisResult& transform = results[1];
  EXPECT_EQ(transform.name, "ernn_top/transform_stage_Layer0Input_s");
  EXPECT_EQ(transform.depth, 26);
  EXPECT_EQ(transform.interval, 26);
  EXPECT_EQ(transform.lut, 1700);
  EXPECT_EQ(transform.ff, 512);
  EXPECT_EQ(transform.dsp, 2);
  EXPECT_EQ(transform.bram, 0.5);
  EXPECT_EQ(transform.period_ns, 5);
  EXPECT_EQ(transform.reached_ns, 3.1);
  const SynthesisResult& multiply = results[2];
  EXPECT_EQ(multiply.name, "ernn_top/multiply_stage_Layer0Input_s");
  EXPECT_FALSE(multiply.depth);  // "?"
  EXPECT_FALSE(multiply.interval);
  EXPECT_EQ(multiply.dsp, 184);
  EXPECT_FALSE(multiply.uram);
}

TEST_F(VitisReport, CoSimulationSaysWhatACallTakes) {
  const auto results = read_vitis_reports(project(), "small");
  EXPECT_EQ(results[0].name, "small");
  EXPECT_EQ(results[0].mismatches, 0);
  EXPECT_EQ(results[0].depth, 905);
  EXPECT_EQ(results[0].interval, 906);
  EXPECT_EQ(results[0].tool, "Vitis HLS 0000.0, co-simulated");
  EXPECT_EQ(results[1].name, "small/transform_stage_Layer0Input_s");
  EXPECT_FALSE(results[1].mismatches);
}

TEST_F(VitisReport, TheUnifiedFlowsFolderIsASolutionToo) {
  fs::rename(solution(), project() / "hls");
  EXPECT_EQ(read_vitis_reports(project()).size(), 3U);
  EXPECT_EQ(read_vitis_reports(project() / "hls").size(), 3U);
}

TEST_F(VitisReport, OneCallHasNoInterval) {
  edit(simulation(), "611", "NA");
  edit(simulation(), "906", "NA");
  const auto results = read_vitis_reports(project());
  EXPECT_EQ(results[0].depth, 905);
  EXPECT_FALSE(results[0].interval);
}

TEST_F(VitisReport, AFailedCoSimulationIsRefused) {
  edit(simulation(), "      Pass|", "      Fail|");
  EXPECT_THAT(error(),
              testing::AllOf(HasSubstr("ernn_top_cosim.rpt: Verilog"), HasSubstr("'Fail'")));
}

TEST_F(VitisReport, ABrokenCoSimulationIsRefused) {
  edit(simulation(), "|            611|            701|            906|                  2811|",
       "|");
  EXPECT_THAT(error(), HasSubstr("found 5 columns, expected 8"));
  edit(simulation(), "Verilog", "SystemC");
  EXPECT_THAT(error(), HasSubstr("no line says"));
}

TEST_F(VitisReport, ATruncatedReportIsRefused) {
  const std::string text = read_file(synthesis());
  write_file(synthesis(), text.substr(0, text.find("<FF>512")));
  EXPECT_THAT(error(), testing::ContainsRegex("csynth.xml:[0-9]+: no whole XML file"));
  write_file(synthesis(), "");
  EXPECT_THAT(error(), HasSubstr("no whole XML file"));
  write_file(synthesis(), "<html/>");
  EXPECT_THAT(error(), HasSubstr("TopModelName is missing"));
}

TEST_F(VitisReport, MissingAndWrongFieldsAreNamed) {
  edit(synthesis(), "<LUT>33000</LUT>", "");
  EXPECT_THAT(error(), HasSubstr("csynth.xml: AreaEstimates/Resources/LUT is missing"));
  edit(synthesis(), "<FF>20480</FF>", "<FF>20480</FF><LUT>many</LUT>");
  EXPECT_THAT(error(), HasSubstr("AreaEstimates/Resources/LUT: found 'many', expected a number"));
  edit(synthesis(), "<LUT>many</LUT>", "<LUT>1</LUT>");
  edit(synthesis(), "<FF>512</FF>", "<FF>-512</FF>");
  EXPECT_THAT(error(), HasSubstr("module transform_stage_Layer0Input_s: "
                                 "AreaEstimates/Resources/FF: found '-512'"));
}

TEST_F(VitisReport, FoldersWithoutOneReportAreRefused) {
  fs::copy(solution(), project() / "other", fs::copy_options::recursive);
  EXPECT_THAT(error(), testing::AllOf(HasSubstr("several solutions"), HasSubstr("vitis/other")));
  fs::remove_all(project() / "other");
  fs::remove(synthesis());
  EXPECT_THAT(error(), HasSubstr("found no syn/report/csynth.xml"));
  fs::remove_all(project());
  EXPECT_THAT(error(), HasSubstr("no such folder"));
}

}  // namespace
}  // namespace ernn
