// ernn run: speech from files and pipes.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "base/options.h"
#include "base/text.h"
#include "export/artefact_writer.h"
#include "features/audio.h"
#include "features/bytes.h"
#include "features/feature_extractor.h"
#include "features/normalisation.h"
#include "tests/commands/program.h"
#include "tests/export/random_network.h"
#include "tests/support/decoder_model.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tone_corpus.h"
#include "train/model_context.h"

namespace ernn {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

/// The write end is this process' alone, so that closing it ends the other's input.
class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    std::signal(SIGPIPE, SIG_IGN);  // the program may refuse its input
  }
  ~Pipe() {
    hand_over();
    close();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int input() const { return ends_[0]; }
  /// Another process has the read end now.
  void hand_over() { close_end(ends_[0]); }
  /// In pieces of 1, 2, ... bytes, so that samples and frames are cut anywhere.
  void write(const std::string& bytes) const {
    constexpr std::size_t kLargest = 1500;
    std::size_t piece = 1;
    for (std::size_t at = 0; at < bytes.size(); at += piece, piece = piece * 3 % kLargest + 1) {
      const std::size_t count = std::min(piece, bytes.size() - at);
      if (::write(ends_[1], bytes.data() + at, count) != static_cast<ssize_t>(count)) return;
    }
  }
  void close() { close_end(ends_[1]); }

 private:
  static void close_end(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }

  int ends_[2] = {-1, -1};
};

std::string raw_samples(const fs::path& wav) {
  std::string bytes;
  for (const float sample : read_audio(wav).samples)
    append_little(bytes, static_cast<std::int16_t>(sample));
  return bytes;
}

/// What `ernn run` prints for a file and for the same samples through a pipe, which must be equal.
std::string recognise(const std::vector<std::string>& network, const fs::path& wav,
                      const fs::path& work) {
  std::vector<std::string> arguments = {"run"};
  arguments.insert(arguments.end(), network.begin(), network.end());
  std::vector<std::string> by_file = arguments;
  by_file.insert(by_file.end(), {"--wav", wav.string()});
  Program file(by_file, work / "file");
  EXPECT_EQ(file.status(), 0) << file.errors();
  std::vector<std::string> by_pipe = arguments;
  by_pipe.insert(by_pipe.end(), {"--pcm", "-"});
  Pipe pipe;
  Program piped(by_pipe, work / "pipe", pipe.input());
  pipe.hand_over();
  pipe.write(raw_samples(wav));
  pipe.close();
  EXPECT_EQ(piped.status(), 0) << piped.errors();
  EXPECT_EQ(file.output(), piped.output()) << wav;
  return file.output();
}

/// The last words of lines "0.10 0.17 aa", each line's start no earlier than the end before it.
std::vector<std::string> phones_of(const std::string& output) {
  std::vector<std::string> phones;
  double end = 0;
  for (const std::string& line : split(output, '\n')) {
    const std::vector<std::string> words = split_words(line);
    if (words.empty()) continue;
    double start = -1;
    EXPECT_TRUE(words.size() == 3 && parse_double(words[0], start)) << line;
    EXPECT_GE(start, end) << line;
    EXPECT_TRUE(parse_double(words[1], end)) << line;
    EXPECT_GT(end, start) << line;
    phones.push_back(words.back());
  }
  return phones;
}

/// The phones of an utterance in a file of lines "sil aa iy sil (faaa0_sx1)".
std::vector<std::string> phones_in(const fs::path& trn, const std::string& id) {
  for (const std::string& line : split(read_file(trn), '\n')) {
    std::vector<std::string> words = split_words(line);
    if (words.empty() || words.back() != "(" + id + ")") continue;
    words.pop_back();
    return words;
  }
  ADD_FAILURE() << trn << " has no " << id;
  return {};
}

class RunCommand : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(
    Networks, RunCommand,
    testing::Values("{type: lstm, size: 24, projection: 16}",
                    "{type: feedforward, size: 32, activation: relu, offsets: [-4, -2, -1, 0]}, "
                    "{type: feedforward, size: 24, activation: relu, offsets: [-3, 0]}"),
    [](const auto& info) { return std::string(info.index == 0 ? "Lstm" : "Tdnn"); });

TEST_P(RunCommand, FilesAndPipesGiveThePhonesOfTheTrainersDecoding) {
  const TemporaryFolder folder;
  const fs::path corpus = folder.path() / "corpus";
  const fs::path run = folder.path() / "run";
  make_tone_corpus(corpus, 6, 1);
  write_file(folder.path() / "tones.yaml", "data: " + tone_data(corpus) + R"(
features: {preset: mfcc39}
model: {layers: [)" + GetParam() + R"(]}
context: {label_delay: 2}
decoder: {type: viterbi, min_duration: 2, lm_weight: 1}
training: {epochs: 8, batch: 2, optimiser: {learning_rate: 0.01}}
stages: [{name: dense}]
)");
  const auto succeed = [&](const std::vector<std::string>& arguments) {
    Program program(arguments, folder.path() / arguments.front());
    ASSERT_EQ(program.status(), 0) << arguments.front() << ": " << program.errors();
  };
  succeed({"train", "--config", (folder.path() / "tones.yaml").string(), "--out", run.string(),
           "--quiet"});
  succeed({"eval", "--run", run.string(), "--stage", "dense", "--out",
           (folder.path() / "scores").string(), "--quiet"});
  succeed({"export", "--run", run.string(), "--stage", "dense"});
  for (int sentence = 1; sentence <= 3; ++sentence) {
    const std::string name = "SX" + std::to_string(sentence);
    const fs::path wav = corpus / "TEST/DR1/FTST0" / (name + ".WAV");
    const auto phones = phones_of(recognise({"--model", (run / "dense/model.safetensors").string()},
                                            wav, folder.path() / name / "float"));
    EXPECT_EQ(phones, phones_in(folder.path() / "scores/hyp.trn", "ftst0_" + to_lower(name)));
    // Not by saying little.
    EXPECT_GE(phones.size(), 8U);
    EXPECT_GE(phones_of(recognise({"--artefact", (run / "dense/artefact").string()}, wav,
                                  folder.path() / name / "fixed"))
                  .size(),
              8U);
  }
}

/// A network with random weights that turns tones into some phones.
class RandomNetwork : public testing::Test {
 protected:
  RandomNetwork() {
    add_tone_speech(folder.path(), "TRAIN", "FAAA0", 1, 1);
    wav = folder.path() / "TRAIN/DR1/FAAA0/SX1.WAV";
    ModelContext context;
    context.features.preset = "mfcc39";
    context.phones = PhoneInventory::timit39;
    context.decoder.type = DecoderType::greedy;
    context.decoder_model = estimate_decoder_model({{1, 2}}, {{1, 2}}, 39);
    NormalisationEstimator estimator;
    estimator.add(FeatureExtractor(context.features).compute(read_audio(wav).samples));
    const Normalisation normalisation = estimator.finish();
    context.mean = normalisation.mean;
    context.inverse_std = normalisation.inverse_std;
    ModelOptions options;
    options.inputs = 39;
    options.outputs = 39;
    options.layers = {gru_layer(16, GruReset::before, {4, 4, 1})};
    ModelFile file = random_model(options, 3, 4);
    file.context = to_json_text(context);
    file.tensors.metadata[kContextKey] = file.context;
    model = folder.path() / "model.safetensors";
    file.tensors.save(model);
  }

  TemporaryFolder folder;
  fs::path wav, model;
};

TEST_F(RandomNetwork, PhonesComeWhileSpeechDoes) {
  Pipe pipe;
  Program program({"run", "--model", model.string(), "--pcm", "-"}, folder.path() / "work",
                  pipe.input());
  pipe.hand_over();
  const std::string samples = raw_samples(wav);
  pipe.write(samples.substr(0, samples.size() / 2));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (program.output().empty() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const std::string early = program.output();
  EXPECT_FALSE(early.empty()) << "nothing before the end";
  pipe.write(samples.substr(samples.size() / 2));
  pipe.close();
  EXPECT_EQ(program.status(), 0) << program.errors();
  EXPECT_THAT(program.output(), StartsWith(early));
  EXPECT_GT(program.output().size(), early.size());
}

TEST_F(RandomNetwork, ThereIsALineOnStandardErrorThatMeasures) {
  Program program({"run", "--model", model.string(), "--wav", wav.string(), "--isa", "portable"},
                  folder.path() / "work");
  EXPECT_EQ(program.status(), 0);
  const std::size_t phones = phones_of(program.output()).size();
  EXPECT_THAT(program.errors(), AllOf(StartsWith(std::to_string(phones) + " phones in 1."),
                                      HasSubstr("float, portable; real-time factor ")));
}

TEST_F(RandomNetwork, WhatIsWrongIsSaidInOneLine) {
  Audio slow = read_audio(wav);
  slow.sample_rate = 8000;
  write_wav(folder.path() / "slow.wav", slow);
  const std::string bytes = read_file(wav);
  write_file(folder.path() / "cut.wav", bytes.substr(0, bytes.size() / 2));
  write_file(folder.path() / "text.wav", "no audio at all");
  const auto path = [&](const char* name) { return (folder.path() / name).string(); };
  const auto expect = [&](int status, const std::string& message,
                          std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), "run");
    Pipe pipe;
    Program program(arguments, folder.path() / "work", pipe.input());
    pipe.hand_over();
    pipe.write(input);
    pipe.close();
    EXPECT_EQ(program.status(), status) << message;
    const std::string errors = program.errors();
    EXPECT_THAT(errors, AllOf(StartsWith("ernn: "), HasSubstr(message)));
    EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
    EXPECT_EQ(program.output(), "") << message;
  };
  const std::string network = model.string();
  expect(1, "slow.wav: found 8000 Hz, expected 16000 Hz",
         {"--model", network, "--wav", path("slow.wav")});
  expect(1, "cut.wav: truncated RIFF file", {"--model", network, "--wav", path("cut.wav")});
  expect(1, "text.wav: ", {"--model", network, "--wav", path("text.wav")});
  expect(1, "none.wav: cannot be opened", {"--model", network, "--wav", path("none.wav")});
  expect(1, path("none"), {"--artefact", path("none"), "--wav", wav.string()});
  expect(1, path("none"), {"--model", path("none"), "--wav", wav.string()});
  expect(1, "text.wav: ", {"--model", path("text.wav"), "--wav", wav.string()});
  expect(1, "standard input: is empty, expected speech", {"--model", network, "--pcm", "-"});
  expect(1, "standard input: ends within a sample", {"--model", network, "--pcm", "-"}, "abc");
  expect(1, "none.raw: cannot be read", {"--model", network, "--pcm", path("none.raw")});
  expect(2, "expected either --wav FILE or --pcm FILE", {"--model", network});
  expect(2, "expected either --wav FILE or --pcm FILE",
         {"--model", network, "--wav", wav.string(), "--pcm", "-"});
  expect(2, "expected either --artefact DIR or --model FILE", {"--wav", wav.string()});
  expect(2, "decoder.type",
         {"--model", network, "--wav", wav.string(), "--set", "decoder.type=ctc_greedily"});
  expect(2, "ctc", {"--model", network, "--wav", wav.string(), "--set", "decoder.type=ctc_beam"});
  expect(2, "--isa: found 'sse'", {"--model", network, "--wav", wav.string(), "--isa", "sse"});
}

TEST(Program, SaysThatItsOutputCannotBeWritten) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full on this system";
  const TemporaryFolder folder;
  ChildProcess program({ERNN_PROGRAM, "--help"}, with_vector_blas({}), folder.path() / "errors",
                       "/dev/full");
  EXPECT_EQ(program.wait(kPatience), 1);
  EXPECT_EQ(read_file(folder.path() / "errors"),
            "ernn: standard output: cannot be written (disk full?)\n");
}

}  // namespace
}  // namespace ernn
