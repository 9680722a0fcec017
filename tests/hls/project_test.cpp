// Exported projects, run as their users run them: the real testbench programs on right and on wrong
// artefacts. What must fail, fails with a non-zero exit status and names the place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "base/files.h"
#include "export/artefact.h"
#include "export/emulator.h"
#include "export/hls_project.h"
#include "hls/io/npy.h"
#include "hls/io/sha256.h"
#include "tests/hls/test_projects.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

struct Outcome {
  int status = -1;
  std::string output;
};

/// Runs a command in the folder `where`.
Outcome run_command(const std::string& command, const fs::path& where) {
  const std::string line = "cd " + where.string() + " && " + command + " 2>&1";
  Outcome run;
  std::FILE* pipe = ::popen(line.c_str(), "r");
  if (pipe == nullptr) return run;
  std::vector<char> buffer(4096);
  std::size_t count = 0;
  while ((count = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    run.output.append(buffer.data(), count);
  }
  const int status = ::pclose(pipe);
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return run;
}

Outcome run_testbench(const std::string& project, const std::string& arguments,
                      const fs::path& where = ".") {
  return run_command(std::string(ERNN_TESTBENCHES) + "/testbench_" + project + " " + arguments,
                     where);
}

fs::path project_folder(const std::string& project) {
  return fs::path(ERNN_HLS_PROJECTS) / project;
}

/// A copy of a project's artefact to damage.
class Damaged {
 public:
  explicit Damaged(const std::string& project) : project_(project) {
    fs::copy(project_folder(project), path(), fs::copy_options::recursive);
  }
  fs::path path() const { return folder_.path() / "artefact"; }

  /// Makes SHA256SUMS agree with what is there, so that only the comparison can find the damage.
  void hash_again() const {
    std::string text;
    for (const auto& file : hls::read_sha256sums((path() / "SHA256SUMS").string())) {
      text += hls::sha256_file((path() / file.name).string()) + "  " + file.name + "\n";
    }
    write_file(path() / "SHA256SUMS", text);
  }
  void flip(const std::string& file, std::size_t from_end, unsigned char bits) const {
    std::string bytes = read_file(path() / file);
    char& byte = bytes.at(bytes.size() - from_end);
    byte = static_cast<char>(static_cast<unsigned char>(byte) ^ bits);
    write_file(path() / file, bytes);
  }
  Outcome run() const { return run_testbench(project_, path().string()); }

 private:
  std::string project_;
  TemporaryFolder folder_;
};

class GoodProject : public testing::TestWithParam<const char*> {};

TEST_P(GoodProject, EverySignalIsEqual) {
  const Outcome run = run_testbench(GetParam(), project_folder(GetParam()).string());
  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("equal: 0 mismatches"));
  EXPECT_THAT(run.output, HasSubstr("output.output"));
  EXPECT_THAT(run.output, Not(HasSubstr("DIFFERENT")));
}

INSTANTIATE_TEST_SUITE_P(Project, GoodProject,
                         testing::Values("lstm", "gru", "feedforward", "folded_tdnn",
                                         "folded_large", "folded_gru", "uneven_large"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Project, TheArtefactAboveIsFound) {
  // Where Vitis' unified flow runs the testbench of C simulation.
  const Damaged copy("lstm");
  const fs::path build = copy.path() / "hls/vitis/hls/csim/build";
  fs::create_directories(build);
  EXPECT_EQ(run_testbench("lstm", "", copy.path() / "hls").status, 0);
  const Outcome run = run_testbench("lstm", "", build);
  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("equal: 0 mismatches"));
  const TemporaryFolder elsewhere;
  const Outcome lost = run_testbench("lstm", "", elsewhere.path());
  EXPECT_EQ(lost.status, 1);
  EXPECT_THAT(lost.output, HasSubstr("no folder above has a file SHA256SUMS"));
}

TEST(Project, OneWrongRomCodeIsFound) {
  const Outcome run = run_testbench("wrong_rom", project_folder("wrong_rom").string());
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("starting at frame 1 in layers.0.candidate.sum"));
  EXPECT_THAT(run.output, HasSubstr("first at frame"));
}

TEST(Project, SwappedGatesAreFound) {
  const Outcome run = run_testbench("wrong_gates", project_folder("wrong_gates").string());
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("first at frame 0 index 0"));
}

TEST(Project, AFrameTooLateIsFound) {
  const Outcome run = run_testbench("wrong_delay", project_folder("wrong_delay").string());
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("starting at frame 1 in layers.0.input.spectrum"));
}

TEST(Project, OneWrongCodeInTheImageIsFound) {
  const Damaged damaged("lstm");
  damaged.flip("hls/weights.bin", 4, 1);
  damaged.hash_again();
  const Outcome run = damaged.run();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("output.output"));
  EXPECT_THAT(run.output, HasSubstr("DIFFERENT"));
}

TEST(Project, TheImageOfAnotherNetworkIsRefused) {
  const Damaged damaged("lstm");
  fs::copy_file(project_folder("gru") / "hls" / "weights.bin",
                damaged.path() / "hls" / "weights.bin", fs::copy_options::overwrite_existing);
  damaged.hash_again();
  const Outcome run = damaged.run();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("weights.bin"));
}

/// weights.bin of a network, which has everything else from the artefact of a project.
std::string image_of(const QuantisedNetwork& network, const Folding& folding = {}) {
  for (const GeneratedFile& file : generate_hls_files(network, folding)) {
    if (file.name == "weights.bin") return file.text;
  }
  return "";
}

constexpr std::size_t kImageHeader = 16;

// The same codes stand for weights half as large in the next format.
TEST(Project, TheImageOfOtherFormatsIsRefused) {
  const Damaged damaged("lstm");
  QuantisedNetwork network = load_artefact(damaged.path()).network;
  const std::string own = read_file(damaged.path() / "hls" / "weights.bin");
  ASSERT_EQ(image_of(network), own);
  ++network.layers[0].matrices[1].weight.integer;
  const std::string other = image_of(network);
  EXPECT_EQ(other.substr(kImageHeader), own.substr(kImageHeader));
  write_file(damaged.path() / "hls" / "weights.bin", other);
  damaged.hash_again();
  const Outcome run = damaged.run();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("weights.bin: has fingerprint "));
}

TEST(Project, TheFingerprintIsThatOfAllThatIsCompiledInButTheFolds) {
  const ModelOptions options = project_models()[0].options;
  const QuantisedNetwork network = load_artefact(project_folder("lstm")).network;
  const auto fingerprint = [](const std::string& image) { return image.substr(8, 4); };
  const std::string own = fingerprint(image_of(network));
  const auto after = [&](const std::function<void(QuantisedLayer&)>& change) {
    QuantisedNetwork other = network;
    change(other.layers[0]);
    return fingerprint(image_of(other));
  };
  using Layer = QuantisedLayer;
  const std::vector<std::function<void(Layer&)>> compiled_in = {
      [](Layer& layer) { ++layer.matrices[0].weight.integer; },
      [](Layer& layer) { ++layer.matrices[0].spectrum.integer; },
      [](Layer& layer) { ++layer.matrices[1].sum.integer; },
      [](Layer& layer) { ++layer.matrices[2].product.width; },
      [](Layer& layer) { ++layer.input.integer; },
      [](Layer& layer) { ++layer.bias.integer; },
      [](Layer& layer) { ++layer.peephole.integer; },
      [](Layer& layer) { ++layer.preactivation.integer; },
      [](Layer& layer) { ++layer.gate.width; },
      [](Layer& layer) { ++layer.cell.integer; },
      [](Layer& layer) { ++layer.hidden.integer; },
      [](Layer& layer) { ++layer.projected.integer; },
      [](Layer& layer) { ++layer.cell_clip_code; },
      [](Layer& layer) { ++layer.sigmoid.base[0]; },
      [](Layer& layer) { ++layer.tanh.slope[0]; },
      [](Layer& layer) { --layer.tanh.last; },
  };
  for (std::size_t i = 0; i < compiled_in.size(); ++i) EXPECT_NE(after(compiled_in[i]), own) << i;
  const std::vector<std::function<void(Layer&)>> weights = {
      [](Layer& layer) { layer.matrices[0].codes[0] ^= 1; },
      [](Layer& layer) { layer.bias_codes[0] ^= 1; },
      [](Layer& layer) { layer.peephole_codes[0] ^= 1; },
  };
  for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_EQ(after(weights[i]), own) << i;

  Folding folding = unfolded(options);
  folding.streams = 5;
  folding.layers[0].units_parallel = 2;
  folding.layers[0].matrices[0].rows_parallel = 3;
  EXPECT_EQ(image_of(network, folding), image_of(network));
  folding.layers[0].unit_group *= 2;
  EXPECT_NE(fingerprint(image_of(network, folding)), own);
}

TEST(Project, TheLastGoldenCodeIsCompared) {
  const Damaged damaged("lstm");
  damaged.flip("golden/output.output.npy", 1, 1);
  damaged.hash_again();
  const Outcome run = damaged.run();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("first at frame 7 index 10"));
}

TEST(Project, ATruncatedGoldenFileIsNamed) {
  const Damaged damaged("gru");
  const fs::path file = damaged.path() / "golden" / "layers.1.hidden.npy";
  fs::resize_file(file, fs::file_size(file) - 2);
  damaged.hash_again();
  const Outcome run = damaged.run();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("layers.1.hidden.npy"));
}

TEST(Project, AGoldenFileOfFewerFramesIsNamed) {
  const Damaged damaged("gru");
  const std::string file = (damaged.path() / "golden" / "layers.1.hidden.npy").string();
  hls::NpyArray array = hls::read_npy(file);
  --array.shape[0];
  array.values.resize(array.shape[0] * array.shape[1]);
  hls::write_npy(file, array.shape, array.values);
  damaged.hash_again();
  const Outcome run = damaged.run();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("layers.1.hidden.npy: has shape (7, 16), expected (8, 16)"));
}

TEST(Project, AWrongHashIsNamed) {
  const Damaged damaged("gru");
  damaged.flip("golden/layers.0.gate.npy", 1, 4);
  const Outcome run = damaged.run();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("layers.0.gate.npy: has sha256"));
}

TEST(Project, MissingAndExtraGoldenFilesAreNamed) {
  const Damaged damaged("feedforward");
  const fs::path golden = damaged.path() / "golden";
  fs::rename(golden / "layers.1.output.npy", golden / "layers.9.output.npy");
  std::string sums = read_file(damaged.path() / "SHA256SUMS");
  const std::string from = "golden/layers.1.output.npy";
  sums.replace(sums.find(from), from.size(), "golden/layers.9.output.npy");
  write_file(damaged.path() / "SHA256SUMS", sums);
  const Outcome run = damaged.run();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("layers.1.output.npy: cannot be read"));
  EXPECT_THAT(run.output, HasSubstr("EXTRA"));
}

TEST(Project, WrongArgumentsAreAUsageError) {
  EXPECT_EQ(run_testbench("gru", "--frame x").status, 2);
  EXPECT_EQ(run_testbench("gru", "--frames x").status, 2);
  EXPECT_EQ(run_testbench("gru", "/nonexistent").status, 1);
}

TEST(Project, WrongFramesAndLengthsAreNamed) {
  const TemporaryFolder folder;
  const auto at = [&](const char* name) { return (folder.path() / name).string(); };
  const QuantisedNetwork network = load_artefact(project_folder("lstm")).network;
  const auto inputs = static_cast<std::size_t>(network.inputs());
  const auto output = [&](const std::vector<std::int64_t>& lengths, std::int64_t code) {
    std::vector<std::int64_t> frames(4 * inputs, 0);
    frames[2 * inputs + 5] = code;
    hls::write_npy(at("frames.npy"), {4, inputs}, frames);
    hls::write_npy(at("lengths.npy"), {lengths.size()}, lengths);
    const Outcome run =
        run_testbench("lstm", "--frames " + at("frames.npy") + " --lengths " + at("lengths.npy") +
                                  " --logits " + at("logits.npy"));
    return std::to_string(run.status) + " " + run.output;
  };
  const std::int64_t largest = network.input_format().largest();
  EXPECT_EQ(output({1, 3}, largest), "0 ");
  EXPECT_EQ(output({1, 3}, -largest - 1), "0 ");
  EXPECT_THAT(output({1, 3}, largest + 1),
              HasSubstr("frames.npy: frame 2 has code " + std::to_string(largest + 1) +
                        " at index 5, expected "));
  EXPECT_THAT(output({1, 3}, -largest - 2), HasSubstr("1 ernn_testbench: "));
  EXPECT_THAT(output({1, -2, 3}, 0), HasSubstr("lengths.npy: entry 1 is -2, expected 0 to 3, the "
                                               "frames that are left of the 4 of "));
  EXPECT_THAT(output({1, 4}, 0), HasSubstr("lengths.npy: entry 1 is 4, expected 0 to 3, "));
  EXPECT_THAT(output({1, 2}, 0), HasSubstr("lengths.npy: sums to 3 frames, expected the 4 of "));
}

// A stand-in for the compiler writes down that it ran and makes its output.
TEST(Project, AnotherCompilerOrOtherFlagsCompileAgain) {
  const Damaged copy("lstm");
  const fs::path project = copy.path() / "hls";
  write_file(
      project / "compiler",
      "echo ran >>ran\nwhile [ $# -gt 1 ]; do [ \"$1\" = -o ] && touch \"$2\"; shift; done\n");
  // Two objects and the program; how often since the last call.
  const auto compilations = [&](const std::string& arguments) {
    fs::remove(project / "ran");
    const Outcome run = run_command("make " + arguments, project);
    EXPECT_EQ(run.status, 0) << run.output;
    // All of an hour ago, so that what the next call writes is newer whatever the clock's steps
    // are.
    for (const auto& entry : fs::recursive_directory_iterator(project)) {
      if (entry.is_regular_file())
        fs::last_write_time(entry.path(), entry.last_write_time() - std::chrono::hours(1));
    }
    const std::string ran = fs::exists(project / "ran") ? read_file(project / "ran") : "";
    return std::count(ran.begin(), ran.end(), '\n');
  };
  const std::string compiler = "CXX='sh ./compiler'";
  EXPECT_EQ(compilations(compiler), 3);
  EXPECT_EQ(compilations(compiler), 0);
  EXPECT_EQ(compilations("CXX='sh ./compiler -m64'"), 3);
  EXPECT_EQ(compilations("CXX='sh ./compiler -m64' CXXFLAGS=-O1"), 3);
  EXPECT_EQ(compilations("CXX='sh ./compiler -m64' CXXFLAGS=-O1"), 0);
  EXPECT_EQ(compilations(compiler), 3);
}

/// Rows that fill the last group are in the kernel's memory alone.
TEST(Project, RowsAtATimeChangeNeitherWeightsNorGoldenData) {
  const fs::path uneven = project_folder("uneven_large");
  const fs::path even = project_folder("folded_large");
  EXPECT_NE(read_file(uneven / "hls" / "config.h"), read_file(even / "hls" / "config.h"));
  for (const char* file : {"hls/weights.h", "hls/weights.bin", "golden/layers.1.candidate.sum.npy",
                           "golden/output.output.npy"})
    EXPECT_EQ(read_file(uneven / file), read_file(even / file)) << file;
}

/// Several utterances, wild enough to saturate, against the emulator: logits and every counter.
void compare_utterances(const std::string& project, const std::string& artefact) {
  const TemporaryFolder folder;
  const QuantisedNetwork network = load_artefact(project_folder(artefact)).network;
  const std::vector<std::int64_t> lengths = {30, 1, 17, 52};
  Emulator emulator(network);
  std::mt19937 random(9);
  std::uniform_int_distribution<int> coin(0, 3);
  std::vector<std::int64_t> frames;
  std::vector<std::int64_t> expected;
  std::size_t total = 0;
  for (const std::int64_t length : lengths) {
    emulator.reset();
    for (std::int64_t t = 0; t < length; ++t, ++total) {
      std::vector<std::int32_t> frame;
      for (int i = 0; i < network.inputs(); ++i) {
        const std::int64_t code =
            coin(random) < 2 ? network.input_format().largest() : network.input_format().smallest();
        frame.push_back(static_cast<std::int32_t>(code));
        frames.push_back(code);
      }
      for (const std::int32_t logit : emulator.step(frame)) expected.push_back(logit);
    }
  }
  const auto at = [&](const char* name) { return (folder.path() / name).string(); };
  hls::write_npy(at("frames.npy"), {total, static_cast<std::size_t>(network.inputs())}, frames);
  hls::write_npy(at("lengths.npy"), {lengths.size()}, lengths);
  const Outcome run =
      run_testbench(project, "--frames " + at("frames.npy") + " --lengths " + at("lengths.npy") +
                                 " --logits " + at("logits.npy") + " --counters " + at("c.txt"));
  ASSERT_EQ(run.status, 0) << run.output;
  EXPECT_EQ(
      hls::read_npy(at("logits.npy"), {total, static_cast<std::size_t>(network.outputs())}).values,
      expected);
  std::ostringstream counters;
  std::int64_t saturations = 0;
  for (const SaturationCount& count : emulator.saturations()) {
    counters << count.signal << ' ' << count.count << '\n';
    saturations += count.count;
  }
  EXPECT_EQ(read_file(at("c.txt")), counters.str());
  EXPECT_GT(saturations, 0) << "the frames are not wild enough to test anything";
}

TEST(Project, UtterancesOfLstms) {
  compare_utterances("lstm", "lstm");
}
TEST(Project, UtterancesOfGrus) {
  compare_utterances("gru", "gru");
}
TEST(Project, UtterancesOfFeedforwardLayers) {
  compare_utterances("feedforward", "feedforward");
}
TEST(Project, UtterancesOfJoinedFrames) {
  compare_utterances("folded_tdnn", "tdnn");
}
TEST(Project, UtterancesOfAFoldedKernel) {
  compare_utterances("folded_large", "large");
}
TEST(Project, UtterancesOfAKernelWhoseRowsAtATimeDoNotDivide) {
  compare_utterances("uneven_large", "large");
}

}  // namespace
}  // namespace ernn
