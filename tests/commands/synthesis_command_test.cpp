// ernn synthesis: files of results and Vitis' reports (written by hand) in one table and one file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/commands/program.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class SynthesisCommand : public testing::Test {
 protected:
  SynthesisCommand() {
    write_file(file("b.json"), R"({"name": "b", "mismatches": 0, "lut": 12})");
    write_file(file("a.json"), R"([{"name": "a", "depth": 3}, {"name": "c"}])");
  }
  std::string file(const std::string& name) const { return (folder.path() / name).string(); }
  Program run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "synthesis");
    return Program(arguments, folder.path() / "printed");
  }

  const std::string vitis =
      (fs::path(ERNN_SOURCE_DIR) / "tests/explore/data/handmade_vitis").string();
  TemporaryFolder folder;
};

TEST_F(SynthesisCommand, MergesInTheOrderGiven) {
  Program program =
      run({file("b.json"), "large=" + vitis, file("a.json"), vitis, "--json", file("all.json")});
  ASSERT_EQ(program.status(), 0) << program.errors();
  std::vector<std::string> names;
  const auto all = nlohmann::json::parse(read_file(file("all.json")));
  for (const auto& result : all) names.push_back(result.at("name"));
  EXPECT_THAT(names, testing::ElementsAre("b", "large", "large/transform_stage_Layer0Input_s",
                                          "large/multiply_stage_Layer0Input_s", "a", "c",
                                          "ernn_top", "ernn_top/transform_stage_Layer0Input_s",
                                          "ernn_top/multiply_stage_Layer0Input_s"));
  EXPECT_EQ(all[0]["lut"], 12);
  EXPECT_EQ(all[1]["source"], "vendor report");
  const std::string printed = program.output();
  std::size_t at = 0;
  for (const std::string& name : names) {
    at = printed.find("\n" + name + " ", at);
    ASSERT_NE(at, std::string::npos) << name;
  }
  // What it writes it reads.
  Program again = run({file("all.json")});
  ASSERT_EQ(again.status(), 0) << again.errors();
  EXPECT_EQ(again.output(), printed);
}

TEST_F(SynthesisCommand, MistakesAreOneLine) {
  const auto refused = [&](const std::vector<std::string>& arguments, int status,
                           const std::string& says) {
    Program program = run(arguments);
    EXPECT_EQ(program.status(), status);
    EXPECT_THAT(program.errors(), testing::AllOf(testing::StartsWith("ernn: "), HasSubstr(says)));
    EXPECT_EQ(program.errors().find('\n'), program.errors().size() - 1);
  };
  refused({}, 2, "expected a file of results");
  refused({file("none.json")}, 1, "none.json");
  refused({folder.path().string()}, 1, "found no syn/report/csynth.xml");
  refused({"x=" + file("a.json")}, 2, "behind 'x='");
  refused({vitis, vitis}, 1, "two results are named 'ernn_top'");
  refused({file("a.json"), "--jsn", "x"}, 2, "did you mean '--json'");
}

}  // namespace
}  // namespace ernn
