#include "train/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "tests/support/markup.h"
#include "tests/support/temporary_folder.h"
#include "train/scoring.h"

namespace ernn {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kConfig = R"(name: "demo <one> & 'two'"
seed: 5
features: {preset: mfcc39}
model: {layers: [{type: lstm, size: 64, projection: 32}, {type: lstm, size: 64, projection: 32}]}
context: {criterion: frame, label_delay: 2}
decoder: {type: viterbi}
scoring: {protocol: kaldi}
stages: [{name: dense, type: dense, epochs: 2}, {name: admm-k8, type: admm, epochs: 1},
  {name: circulant-k8, type: circulant, epochs: 1}]
)";

constexpr const char* kMetrics =
    R"({"stage":"dense","type":"dense","epoch":1,"step":10,"train_loss":3.25,"dev_loss":3.5,"dev_per":70.5,"seconds":2.5}
{"stage":"dense","type":"dense","epoch":2,"step":20,"train_loss":null,"dev_loss":2.5,"dev_per":40.25,"seconds":2.5}
{"stage":"admm-k8","type":"admm","epoch":1,"step":30,"train_loss":1.5,"dev_loss":1.75,"dev_per":30.5,"projected_dev_per":44.5,"admm":[{"matrix":"layers.0.input","rho":0.001,"primal":0.5,"dual":0,"distance":0.25},{"matrix":"layers.0.recurrent","rho":0.002,"primal":0.4,"dual":null,"distance":0.125}]}
{"stage":"circulant-k8","type":"circulant","epoch":1,"step":40,"train_loss":1.25,"dev_loss":1.5,"dev_per":28.75}
)";

SummaryRow row(const std::string& stage, const std::string& name, int block, int bits, double per) {
  SummaryRow r;
  r.stage = stage;
  r.name = name;
  r.cell = "lstm";
  r.block_size = block;
  r.bits = bits;
  r.per = per;
  r.tokens = 2437;
  r.parameters = 400000 / block;
  r.stored_bits = r.parameters * bits;
  r.protocol = "kaldi";
  r.seed = 5;
  return r;
}

void put_scores(const std::filesystem::path& folder) {
  ScoreSheet sheet;
  const auto phones = [](const std::vector<std::string>& symbols) {
    std::vector<int> classes;
    classes.reserve(symbols.size());
    for (const auto& symbol : symbols)
      classes.push_back(phone_index(PhoneInventory::timit39, symbol));
    return classes;
  };
  sheet.add(score_utterance("u_1", phones({"sil", "ih", "ih", "n", "sil"}),
                            phones({"sil", "ah", "ah", "n", "s"}), PhoneInventory::timit39,
                            ScoringProtocol::kaldi));
  write_scores(sheet, folder);
}

void put_whole_run(const std::filesystem::path& folder) {
  write_file(folder / "config.yaml", kConfig);
  write_file(folder / "metrics.jsonl", kMetrics);
  put_summary_row(folder, row("dense", "dense", 1, 32, 12.31));
  put_summary_row(folder, row("admm", "admm-k8", 8, 32, 13.42));
  put_summary_row(folder, row("circulant", "circulant-k8", 8, 32, 12.97));
  put_summary_row(folder, row("emulator", "circulant-k8", 8, 12, 13.08));
  SummaryRow kernel = row("kernel", "circulant-k8", 8, 12, 13.09);
  kernel.mismatches = 17;
  put_summary_row(folder, kernel);
  put_scores(folder / "circulant-k8" / "test");
  put_scores(folder / "circulant-k8" / "artefact-test" / "kernel");
  write_file(folder / "circulant-k8" / "artefact-test" / "simulation.json",
             R"({"signals":[{"name":"layers.0.cell","format":"<16, 4>","saturations":12,)"
             R"("values":120000}],"mismatches":17,"runtime_mismatches":23})");
}

std::string report_of(const std::filesystem::path& folder) {
  return read_file(write_report(folder));
}

TEST(Report, IsOneWellFormedPageWithoutOutsideReferences) {
  const TemporaryFolder folder;
  put_whole_run(folder.path());
  const std::string page = report_of(folder.path());
  expect_well_formed(page);
  expect_finite(page);
  for (const char* outside : {"http:", "https:", "src=", "href=", "url(", "@import", "<script"})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
}

TEST(Report, ShowsEveryStagesNumbers) {
  const TemporaryFolder folder;
  put_whole_run(folder.path());
  const std::string page = report_of(folder.path());
  for (const char* number :
       {">12.31<", ">13.42<", ">12.97<", ">13.08<", ">13.09<", "2&#8239;437", "400&#8239;000",
        ">1600.0<", ">75.0<", ">21.3×<", "+0.66", "class=\"n bad\">17<"}) {
    EXPECT_THAT(page, HasSubstr(number));
  }
  EXPECT_THAT(page, Not(HasSubstr("Not in this run")));
  // Curves: 4 + 3 loss points, 4 + 1 PER points; ADMM: 2 rho, 2 primal, 0 dual, 2 distance.
  EXPECT_EQ(count(page, "<circle"), 7 + 5 + 6);
  EXPECT_THAT(page, HasSubstr("admm-k8, epoch 1, step 30: dev PER 30.5 %"));
  // Confusions, and their numbers.
  EXPECT_THAT(page, HasSubstr("ih → ah: 2 of 2 ih (100.0 %)"));
  EXPECT_EQ(count(page, "Most frequent errors"), 2);
  EXPECT_THAT(page, HasSubstr("layers.0.cell"));
  EXPECT_THAT(page, HasSubstr("100.0 ppm"));
  EXPECT_THAT(page, HasSubstr("Streaming runtime against emulator: <span class=\"bad\">23"));
  EXPECT_THAT(page, HasSubstr("2 × LSTM 64 (projection 32)"));
}

TEST(Report, SaysWhatRowsOfOtherMethodsAreOf) {
  const TemporaryFolder folder;
  put_summary_row(folder.path(), row("balanced-sparse", "sparse", 1, 12, 14));
  put_summary_row(folder.path(), row("qat", "narrow", 8, 6, 13));
  put_scores(folder.path() / "narrow" / "test");
  write_file(
      folder.path() / "config.yaml",
      "name: x\nstages: [{name: sparse, type: balanced-sparse}, {name: narrow, type: qat}]\n");
  const std::string page = report_of(folder.path());
  EXPECT_THAT(page, HasSubstr("<h3>narrow, network in the arithmetic that is deployed</h3>"));
  EXPECT_EQ(count(page, ">float model<"), 1);  // how the sparse row was made
  EXPECT_EQ(count(page, ">dense<"), 0);        // a sparse row has no block size
}

TEST(Report, NamesAreTextNotMarkup) {
  const TemporaryFolder folder;
  write_file(folder.path() / "config.yaml", kConfig);
  put_summary_row(folder.path(), row("dense", "<script>alert(1)</script>", 1, 32, 10));
  const std::string page = report_of(folder.path());
  expect_well_formed(page);
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, HasSubstr("<h1>demo &lt;one&gt; &amp; &#39;two&#39;</h1>"));
}

TEST(Report, SaysWhatIsNotThere) {
  const TemporaryFolder folder;
  write_file(folder.path() / "config.yaml", "name: bare\n");
  write_file(folder.path() / "metrics.jsonl", "");
  const std::string page = report_of(folder.path());
  expect_well_formed(page);
  for (const char* text :
       {"No results yet", "No curves", "no ADMM stage", "No confusions", "Not simulated yet"}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
  put_summary_row(folder.path(), row("dense", "dense", 1, 32, 10));
  EXPECT_THAT(report_of(folder.path()),
              HasSubstr("Not in this run: admm, circulant, emulator, kernel."));
}

TEST(Report, ShowsTheBestCirculantStagesConfusions) {
  const TemporaryFolder folder;
  put_summary_row(folder.path(), row("circulant", "circulant-k16", 16, 32, 14));
  put_summary_row(folder.path(), row("circulant", "circulant-k8", 8, 32, 13));
  for (const char* stage : {"circulant-k16", "circulant-k8", "dense"})
    put_scores(folder.path() / stage / "test");
  const std::string page = report_of(folder.path());
  EXPECT_THAT(page, HasSubstr("<h3>circulant-k8, float model</h3>"));
  EXPECT_THAT(page, Not(HasSubstr("<h3>circulant-k16, float model</h3>")));
  EXPECT_THAT(page, Not(HasSubstr("<h3>dense, float model</h3>")));
}

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Report, BrokenFilesAreNamed) {
  const TemporaryFolder folder;
  put_whole_run(folder.path());
  const auto write = [&] { write_report(folder.path()); };
  write_file(folder.path() / "metrics.jsonl", std::string(kMetrics) + "{\"stage\": \n");
  EXPECT_THAT(message_of(write), HasSubstr("metrics.jsonl:5:"));
  write_file(folder.path() / "metrics.jsonl", kMetrics);
  write_file(folder.path() / "circulant-k8" / "test" / "scores.json", "{}");
  EXPECT_THAT(message_of(write), HasSubstr("scores.json"));
  put_scores(folder.path() / "circulant-k8" / "test");
  write_file(folder.path() / "circulant-k8" / "artefact-test" / "simulation.json", "[]");
  EXPECT_THAT(message_of(write), HasSubstr("simulation.json"));
}

TEST(Report, RefusesAFolderThatIsNoRun) {
  const TemporaryFolder folder;
  EXPECT_THROW(read_run(folder.path()), UsageError);
  EXPECT_THROW(read_run(folder.path() / "none"), UsageError);
}

}  // namespace
}  // namespace ernn
