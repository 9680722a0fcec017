// Processes on the loopback interface that train one model together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/tensor_file.h"
#include "base/text.h"
#include "tests/support/child_process.h"
#include "tests/support/free_port.h"
#include "tests/support/temporary_folder.h"
#include "train/process_group.h"

namespace ernn {
namespace {

using testing::HasSubstr;

constexpr double kPatience = 300;  // seconds; nothing is measured

/// Three stages of 3, 2 and 2 epochs of 6 steps each.
constexpr const char* kStages = R"(
stages:
  - {name: dense, epochs: 3}
  - {name: admm, type: admm, epochs: 2, block: {input: 4, recurrent: 4, projection: 4},
     schedule: {type: constant}, admm: {rho: 1, rho_final: 300, update_interval: 3}}
  - {name: circulant, type: circulant, epochs: 2}
)";
const std::vector<std::string> kStageNames = {"dense", "admm", "circulant"};

/// How a process ended.
struct Ending {
  int status = 0;
  std::string errors;
};

using Arguments = std::vector<std::string>;

Arguments with_sets(Arguments arguments, const std::vector<std::string>& sets) {
  for (const auto& set : sets) arguments.insert(arguments.end(), {"--set", set});
  return arguments;
}

/// Starts the worker once for each list of further arguments and waits for all of them. When a
/// process hangs on purpose, it is killed once the others have ended.
std::vector<Ending> train(const std::filesystem::path& out, const std::vector<Arguments>& further,
                          int hanging = -1) {
  std::vector<std::unique_ptr<ChildProcess>> processes;
  const std::string port = std::to_string(free_port());
  const auto errors = [&](std::size_t rank) {
    return out.string() + ".errors." + std::to_string(rank);
  };
  for (std::size_t rank = 0; rank < further.size(); ++rank) {
    Arguments arguments = {ERNN_WORKER, "--out", out.string(), "--stages", kStages};
    arguments.insert(arguments.end(), further[rank].begin(), further[rank].end());
    processes.push_back(std::make_unique<ChildProcess>(
        arguments,
        std::map<std::string, std::string>{{"RANK", std::to_string(rank)},
                                           {"WORLD_SIZE", std::to_string(further.size())},
                                           {"MASTER_ADDR", "127.0.0.1"},
                                           {"MASTER_PORT", port},
                                           {"TORCHELASTIC_USE_AGENT_STORE", "False"}},
        errors(rank)));
  }
  std::vector<Ending> endings(further.size());
  for (std::size_t rank = 0; rank < further.size(); ++rank) {
    if (static_cast<int>(rank) != hanging) endings[rank].status = processes[rank]->wait(kPatience);
    endings[rank].errors = read_file(errors(rank));
  }
  return endings;
}

void expect_success(const std::vector<Ending>& endings) {
  for (const auto& ending : endings) EXPECT_EQ(ending.status, 0) << ending.errors;
}

/// ||a - b|| / ||a||, the largest over the tensors of two model files.
double largest_difference(const std::filesystem::path& a, const std::filesystem::path& b) {
  const TensorFile first = TensorFile::load(a);
  const TensorFile second = TensorFile::load(b);
  EXPECT_EQ(first.tensors.size(), second.tensors.size());
  double largest = 0;
  for (const auto& [name, tensor] : first.tensors) {
    const auto x = tensor.as_doubles();
    const auto y = second.get(name, tensor.shape, b.string()).as_doubles();
    double difference = 0;
    double norm = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      difference += (x[i] - y[i]) * (x[i] - y[i]);
      norm += x[i] * x[i];
    }
    EXPECT_TRUE(std::isfinite(difference)) << name;  // std::max() would drop a nan
    largest = std::max(largest, std::sqrt(difference / std::max(norm, 1e-30)));
  }
  return largest;
}

std::vector<nlohmann::json> metrics(const std::filesystem::path& out) {
  std::vector<nlohmann::json> lines;
  for (const auto& line : split(read_file(out / "metrics.jsonl"), '\n')) {
    if (!line.empty()) lines.push_back(nlohmann::json::parse(line));
  }
  return lines;
}

/// The same up to float rounding: parameters, losses, error rates, decoded phones.
void expect_close_runs(const std::filesystem::path& one, const std::filesystem::path& many) {
  for (const auto& stage : kStageNames) {
    EXPECT_LT(
        largest_difference(one / stage / "model.safetensors", many / stage / "model.safetensors"),
        1e-5)
        << stage;
    EXPECT_EQ(read_file(one / stage / "test/hyp.trn"), read_file(many / stage / "test/hyp.trn"));
    EXPECT_EQ(read_file(one / stage / "test/scores.json"),
              read_file(many / stage / "test/scores.json"));
  }
  const auto first = metrics(one);
  const auto second = metrics(many);
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i]["step"], second[i]["step"]);
    EXPECT_EQ(first[i]["dev_per"], second[i]["dev_per"]);
    EXPECT_EQ(first[i].value("dev_frame_error", -1.0), second[i].value("dev_frame_error", -1.0));
    EXPECT_NEAR(first[i]["dev_loss"], second[i]["dev_loss"], 1e-5);
    EXPECT_NEAR(first[i]["train_loss"], second[i]["train_loss"], 1e-5);
  }
}

void expect_same_models(const std::filesystem::path& a, const std::filesystem::path& b) {
  for (const auto& stage : kStageNames) {
    EXPECT_EQ(read_file(a / stage / "model.safetensors"),
              read_file(b / stage / "model.safetensors"))
        << stage;
  }
}

struct SizeCase {
  std::string name;
  int processes;
  std::vector<std::string> sets;
};

class DataParallel : public testing::TestWithParam<SizeCase> {};

TEST_P(DataParallel, GivesTheOneProcessResult) {
  const TemporaryFolder folder;
  auto sets = GetParam().sets;
  sets.emplace_back("model.dropout=0");
  const Arguments arguments = with_sets({}, sets);
  expect_success(train(folder.path() / "one", {arguments}));
  expect_success(
      train(folder.path() / "many",
            std::vector<Arguments>(static_cast<std::size_t>(GetParam().processes), arguments)));
  expect_close_runs(folder.path() / "one", folder.path() / "many");
}

// 24 utterances in batches of 4, or of 5 with 4 left over, so that a process may have no share.
INSTANTIATE_TEST_SUITE_P(
    , DataParallel,
    testing::Values(SizeCase{"Two", 2, {"training.optimiser.type=sgd"}}, SizeCase{"Adam", 2, {}},
                    SizeCase{"ThreeOfFive", 3, {"training.optimiser.type=sgd", "training.batch=5"}},
                    SizeCase{"EmptyShares",
                             3,
                             {"training.optimiser.type=sgd", "training.batch=2",
                              "training.max_steps=20"}},
                    SizeCase{"LabelDelay",
                             2,
                             {"training.optimiser.type=sgd", "context.label_delay=2",
                              "training.label_smoothing=0.1"}},
                    // Of two utterances a process has one, which may end pieces before the other.
                    SizeCase{"Truncated",
                             3,
                             {"training.optimiser.type=sgd", "training.batch=2",
                              "training.truncate=5", "training.max_steps=60"}},
                    SizeCase{"Ctc",
                             2,
                             {"training.optimiser.type=sgd", "context.criterion=ctc",
                              "decoder.type=ctc_greedy"}}),
    [](const auto& info) { return info.param.name; });

TEST(DataParallelRun, OneLostProcessEndsTheOthersAndCanBeResumed) {
  // Dropout and noise: the processes' random states must come back too.
  const Arguments arguments =
      with_sets({}, {"training.feature_noise=0.2", "distributed.timeout_seconds=20"});
  const TemporaryFolder folder;
  expect_success(train(folder.path() / "straight", {arguments, arguments}));
  for (const std::size_t lost : {0U, 1U}) {
    const auto out = folder.path() / ("lost" + std::to_string(lost));
    std::vector<Arguments> all(2, arguments);
    all[lost].insert(all[lost].end(), {"--kill", "9"});
    const auto endings = train(out, all);
    EXPECT_EQ(endings[lost].status, -SIGKILL);
    const Ending& left = endings[1 - lost];
    EXPECT_EQ(left.status, 1);
    EXPECT_THAT(left.errors, HasSubstr("stage dense, epoch 2, step 8"));
    EXPECT_THAT(left.errors, HasSubstr("lost another of the 2 training processes"));
    EXPECT_THAT(left.errors, HasSubstr("the checkpoint in " + (out / "dense").string()));
    EXPECT_THAT(left.errors, HasSubstr("--resume"));
    EXPECT_EQ(std::count(left.errors.begin(), left.errors.end(), '\n'), 1) << left.errors;
    Arguments resumed = arguments;
    resumed.emplace_back("--resume");
    expect_success(train(out, {resumed, resumed}));
    expect_same_models(folder.path() / "straight", out);
  }
}

TEST(DataParallelRun, ASilentProcessIsLostAfterTheTimeout) {
  const TemporaryFolder folder;
  std::vector<Arguments> all(2, with_sets({}, {"distributed.timeout_seconds=2"}));
  all[1].insert(all[1].end(), {"--hang", "3"});
  const auto endings = train(folder.path() / "run", all, /*hanging=*/1);
  EXPECT_EQ(endings[0].status, 1);
  EXPECT_THAT(endings[0].errors, HasSubstr("lost another of the 2 training processes"));
  EXPECT_THAT(endings[0].errors, HasSubstr("no checkpoint was written"));
}

TEST(DataParallelRun, TheFirstMayWorkLongerThanAnyTimeout) {
  const TemporaryFolder folder;
  const Arguments arguments = with_sets(
      {"--make", "5"},
      {"distributed.timeout_seconds=1.5", "distributed.start_seconds=30", "training.max_steps=1"});
  expect_success(train(folder.path() / "run", {arguments, arguments}));
}

TEST(DataParallelRun, AProcessThatIsLostWhileTheFirstWorksEndsIt) {
  const TemporaryFolder folder;
  for (const std::size_t lost : {0U, 1U}) {
    // The work would take longer than anybody waits here.
    std::vector<Arguments> all(2, with_sets({"--make", "1000"}, {}));
    all[lost].insert(all[lost].end(), {"--kill-after", "1"});
    const auto endings = train(folder.path() / "run", all);
    EXPECT_EQ(endings[lost].status, -SIGKILL);
    EXPECT_EQ(endings[1 - lost].status, 1);
    EXPECT_THAT(endings[1 - lost].errors, HasSubstr("lost another of the 2 training processes"));
  }
}

TEST(DataParallelRun, AnInterruptOfOneStopsAllAndCanBeResumed) {
  const Arguments arguments = with_sets({}, {"training.feature_noise=0.2"});
  const TemporaryFolder folder;
  expect_success(train(folder.path() / "straight", {arguments, arguments}));
  std::vector<Arguments> all(2, arguments);
  all[1].insert(all[1].end(), {"--stop", "16"});
  for (const auto& ending : train(folder.path() / "cut", all)) {
    EXPECT_EQ(ending.status, 130);
    EXPECT_THAT(ending.errors, HasSubstr("epoch 3, step 16; the checkpoint is written"));
  }
  Arguments resumed = arguments;
  resumed.emplace_back("--resume");
  expect_success(train(folder.path() / "cut", {resumed, resumed}));
  expect_same_models(folder.path() / "straight", folder.path() / "cut");
}

TEST(DataParallelRun, AnotherNumberOfProcessesMayResume) {
  const Arguments arguments = with_sets({}, {"model.dropout=0"});
  const TemporaryFolder folder;
  std::vector<Arguments> all(2, arguments);
  all[1].insert(all[1].end(), {"--stop", "8"});
  train(folder.path() / "run", all);
  Arguments resumed = arguments;
  resumed.emplace_back("--resume");
  expect_success(train(folder.path() / "run", {resumed, resumed, resumed}));
}

TEST(DataParallelRun, EachProcessDrawsFromAStreamOfItsOwn) {
  const TemporaryFolder folder;
  const auto states = [&](const char* name) {
    const Arguments arguments = with_sets({"--stop", "2"}, {"training.feature_noise=0.5"});
    train(folder.path() / name, {arguments, arguments});
    const TensorFile checkpoint =
        TensorFile::load(folder.path() / name / "dense/checkpoint.safetensors");
    return std::vector<std::string>{checkpoint.tensors.at("random.cpu").bytes,
                                    checkpoint.tensors.at("random.cpu.1").bytes};
  };
  const auto first = states("first");
  EXPECT_NE(first[0], first[1]);
  EXPECT_EQ(first, states("second"));
}

TEST(DataParallelRun, OtherConfigurationsAreRefused) {
  const TemporaryFolder folder;
  const auto endings =
      train(folder.path() / "run",
            {with_sets({}, {"training.batch=4"}), with_sets({}, {"training.batch=4", "seed=4"})});
  for (const auto& ending : endings) {
    EXPECT_EQ(ending.status, 2);
    EXPECT_THAT(ending.errors,
                HasSubstr("process 1 was started with another configuration than process 0: seed "
                          "is 4 there and 3 here"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "run"));
}

TEST(DataParallelRun, AProcessWithAnErrorEndsTheOthersWithItsMessage) {
  const TemporaryFolder folder;
  expect_success(train(folder.path() / "run", {with_sets({}, {"training.max_steps=1"})}));
  // The folder holds a run, so the first process refuses.
  for (const auto& ending : train(folder.path() / "run", {{}, {}})) {
    EXPECT_EQ(ending.status, 2);
    EXPECT_THAT(ending.errors, HasSubstr("already holds a run"));
  }
}

TEST(DataParallelRun, MissingProcessesAreNotWaitedForForever) {
  const TemporaryFolder folder;
  const ProcessPlace place{1, 2, "127.0.0.1", free_port()};
  DistributedOptions options;
  options.start_seconds = 1;
  try {
    const ProcessGroup group(place, options);
    FAIL() << "met nobody";
  } catch (const LostPeerError& error) {
    EXPECT_THAT(error.what(), HasSubstr("process 1 of 2 does not meet the others at 127.0.0.1"));
  }
}

ProcessPlace place_from(const std::map<std::string, std::string>& variables) {
  return read_place([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(ProcessPlace, ComesFromTheEnvironment) {
  EXPECT_EQ(place_from({}).world_size, 1);
  EXPECT_EQ(place_from({{"RANK", "3"}}).rank, 0);
  EXPECT_EQ(place_from({{"WORLD_SIZE", "1"}}).world_size, 1);
  const std::map<std::string, std::string> full = {
      {"WORLD_SIZE", "4"}, {"RANK", "3"}, {"MASTER_ADDR", "node7"}, {"MASTER_PORT", "29500"}};
  const ProcessPlace place = place_from(full);
  EXPECT_EQ(place.world_size, 4);
  EXPECT_EQ(place.rank, 3);
  EXPECT_EQ(place.address, "node7");
  EXPECT_EQ(place.port, 29500);
  auto agent = full;
  agent["TORCHELASTIC_USE_AGENT_STORE"] = "True";
  EXPECT_EQ(place_from(agent).port, 29501);
  const auto refusal = [&](const std::string& name, const std::string& value) -> std::string {
    auto variables = full;
    variables.erase(name);
    if (!value.empty()) variables[name] = value;
    try {
      place_from(variables);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "(accepted)";
  };
  EXPECT_THAT(refusal("RANK", ""), HasSubstr("RANK: not set, expected a whole number from 0 to 3"));
  EXPECT_THAT(refusal("RANK", "4"), HasSubstr("found '4'"));
  EXPECT_THAT(refusal("WORLD_SIZE", "two"), HasSubstr("WORLD_SIZE: found 'two'"));
  EXPECT_THAT(refusal("MASTER_ADDR", ""), HasSubstr("MASTER_ADDR: not set"));
  EXPECT_THAT(refusal("MASTER_PORT", "99999"), HasSubstr("MASTER_PORT: found '99999'"));
}

TEST(Shares, CoverEveryItemOnceInOrder) {
  const std::vector<std::size_t> items = {7, 3, 9, 1, 5};
  EXPECT_EQ(share_of(items, 0, 1), items);
  EXPECT_EQ(share_of(items, 0, 2), (std::vector<std::size_t>{7, 9, 5}));
  EXPECT_EQ(share_of(items, 1, 2), (std::vector<std::size_t>{3, 1}));
  EXPECT_TRUE(share_of(items, 6, 8).empty());
}

TEST(ProcessGroup, AloneChangesNothing) {
  ProcessGroup group;
  EXPECT_TRUE(group.is_alone());
  EXPECT_TRUE(group.is_first());
  torch::Tensor values = torch::ones({3});
  group.sum(values);
  EXPECT_TRUE(torch::equal(values, torch::ones({3})));
  EXPECT_EQ(group.gather("a"), std::vector<std::string>{"a"});
  EXPECT_EQ(group.from_first([] { return std::string("b"); }), "b");
  group.wait_for_all();
}

}  // namespace
}  // namespace ernn
