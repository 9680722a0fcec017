// ernn run: speech to phones, frame by frame, as it comes in.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/config_tree.h"
#include "base/error.h"
#include "base/options.h"
#include "base/text.h"
#include "features/audio.h"
#include "features/bytes.h"
#include "features/framing.h"
#include "runtime/engine.h"
#include "train/commands/arguments.h"
#include "train/commands/commands.h"
#include "train/model_context.h"
#include "train/speech_stream.h"

namespace ernn {

namespace {

using Clock = std::chrono::steady_clock;

/// What --set may change.
struct RunOptions {
  DecoderOptions decoder;
};

template <class Visitor>
void describe(Visitor& field, RunOptions& o) {
  field("decoder", o.decoder);
}

std::shared_ptr<const Engine> load_engine(const cxxopts::ParseResult& arguments) {
  if (arguments.count("artefact") + arguments.count("model") != 1)
    throw UsageError("ernn run: expected either --artefact DIR or --model FILE");
  EngineOptions options;
  if (arguments.count("isa") > 0)
    options.isa = choice_of<Isa>(arguments["isa"].as<std::string>(), "ernn run: --isa");
  if (arguments.count("artefact") > 0)
    return Engine::load_artefact(arguments["artefact"].as<std::string>(), options);
  return Engine::load_model(arguments["model"].as<std::string>(), options);
}

/// The engine's context with the decoder of the command line.
ModelContext read_context(const Engine& engine, const cxxopts::ParseResult& arguments) {
  ModelContext context = model_context_from_json(engine.context(), engine.place());
  RunOptions options;
  options.decoder = context.decoder;
  ConfigNode tree = ConfigNode::map("--set");
  const ConfigNode written = write_options(options);
  for (const auto& [key, value] : written.entries()) tree[key] = value;
  if (arguments.count("set") > 0) {
    for (const auto& assignment : arguments["set"].as<std::vector<std::string>>())
      tree.set(assignment);
  }
  context.decoder = read_options<RunOptions>(tree).decoder;
  return context;
}

/// Raw samples, 16 bits, little-endian, from a file or a pipe.
class PcmReader {
 public:
  explicit PcmReader(const std::string& name)
      : name_(name == "-" ? "standard input" : name),
        file_(name == "-" ? stdin : std::fopen(name.c_str(), "rb")) {
    if (file_ == nullptr) throw DataError(fmt::format("{}: cannot be read", name_));
    // Samples are wanted when they come, not when a buffer is full.
    std::setvbuf(file_, nullptr, _IONBF, 0);
  }
  ~PcmReader() {
    if (file_ != stdin) std::fclose(file_);
  }
  PcmReader(const PcmReader&) = delete;
  PcmReader& operator=(const PcmReader&) = delete;

  const std::string& name() const { return name_; }

  /// The next samples, at most `most`; none at the end.
  const std::vector<float>& read(std::size_t most) {
    bytes_.resize(2 * most);
    const std::size_t found = std::fread(bytes_.data(), 1, bytes_.size(), file_);
    if (std::ferror(file_) != 0) throw DataError(fmt::format("{}: cannot be read", name_));
    if (found % 2 != 0)
      throw DataError(fmt::format("{}: ends within a sample, expected 16 bits each", name_));
    samples_.clear();
    for (std::size_t at = 0; at < found; at += 2)
      samples_.push_back(load_little<std::int16_t>(bytes_, at));
    return samples_;
  }

 private:
  std::string name_;
  std::FILE* file_;
  std::string bytes_;
  std::vector<float> samples_;
};

/// Prints phones, feeds speech in pieces of a frame's shift, and measures.
class Session {
 public:
  Session(const std::shared_ptr<const Engine>& engine, const ModelContext& context)
      : context_(context),
        stream_(engine, context),
        shift_(static_cast<std::size_t>(frame_shift(resolve(context.features)))) {}

  void run_wav(const std::string& name) {
    const Audio audio = read_audio(name);
    if (audio.sample_rate != static_cast<int>(context_.features.sample_rate)) {
      throw DataError(fmt::format("{}: found {} Hz, expected {} Hz as the model's features", name,
                                  audio.sample_rate, context_.features.sample_rate));
    }
    for (std::size_t at = 0; at < audio.samples.size(); at += shift_)
      push(&audio.samples[at], std::min(shift_, audio.samples.size() - at));
    finish(name);
  }

  void run_pcm(const std::string& name) {
    PcmReader reader(name);
    while (true) {
      const std::vector<float>& samples = reader.read(shift_);
      if (samples.empty()) break;
      push(samples.data(), samples.size());
    }
    finish(reader.name());
  }

  /// Real-time factor and times of frames, on standard error so that phones stay alone.
  void report(const Engine& engine) const {
    std::vector<float> times = stream_.frame_seconds();
    const double seconds = static_cast<double>(samples_) / context_.features.sample_rate;
    fmt::print(stderr, "{} phones in {:.2f} s of speech; {}, {}; real-time factor {:.5f}", phones_,
               seconds, engine.fixed_point() ? "fixed point" : "float", name_of(engine.isa()),
               seconds > 0 ? busy_ / seconds : 0.0);
    if (!times.empty()) {
      const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
      std::nth_element(times.begin(), middle, times.end());
      fmt::print(stderr, "; {} frames, median {:.1f} us, worst {:.1f} us", times.size(),
                 *middle * 1e6, *std::max_element(times.begin(), times.end()) * 1e6);
    }
    fmt::print(stderr, "\n");
  }

 private:
  void push(const float* samples, std::size_t count) {
    const Clock::time_point start = Clock::now();
    stream_.push(samples, count, [this](const PhoneSpan& span) { print(span); });
    busy_ += std::chrono::duration<double>(Clock::now() - start).count();
    samples_ += count;
  }

  void finish(const std::string& name) {
    if (samples_ == 0) throw DataError(fmt::format("{}: is empty, expected speech", name));
    const Clock::time_point start = Clock::now();
    stream_.finish([this](const PhoneSpan& span) { print(span); });
    busy_ += std::chrono::duration<double>(Clock::now() - start).count();
  }

  void print(const PhoneSpan& span) {
    // Whole samples, which need not be what frame_shift_ms says.
    const double shift = static_cast<double>(shift_) / context_.features.sample_rate;
    fmt::print("{:.2f} {:.2f} {}\n", static_cast<double>(span.start) * shift,
               static_cast<double>(span.end) * shift,
               phone_symbols(context_.phones)[static_cast<std::size_t>(span.phone)]);
    if (std::fflush(stdout) != 0)
      throw DataError("standard output: cannot be written (disk full?)");
    ++phones_;
  }

  const ModelContext& context_;
  SpeechStream stream_;
  std::size_t shift_;
  std::size_t samples_ = 0;
  long long phones_ = 0;
  double busy_ = 0;
};

}  // namespace

int run_command(int argc, char** argv) {
  cxxopts::Options options(
      "ernn run",
      "Turns speech into phones frame by frame. Prints start and end in seconds and the phone as "
      "soon as it is certain.");
  // clang-format off
  options.add_options()
      ("artefact", "run an artefact, in fixed point", cxxopts::value<std::string>(), "DIR")
      ("model", "run a model file, in floating point", cxxopts::value<std::string>(), "FILE")
      ("wav", "speech: SPHERE or RIFF", cxxopts::value<std::string>(), "FILE")
      ("pcm", "speech: raw samples of 16 bits, little-endian, at the model's rate; - for standard "
       "input", cxxopts::value<std::string>(), "FILE")
      ("isa", "portable, avx2 or avx512 (default: the fastest there is)",
       cxxopts::value<std::string>(), "NAME")
      ("set", "override decoder.*", cxxopts::value<std::vector<std::string>>(), "KEY=VALUE");
  // clang-format on
  cxxopts::ParseResult arguments;
  if (!parse_arguments(options, argc, argv, arguments)) return 0;
  if (arguments.count("wav") + arguments.count("pcm") != 1)
    throw UsageError("ernn run: expected either --wav FILE or --pcm FILE");
  const std::shared_ptr<const Engine> engine = load_engine(arguments);
  const ModelContext context = read_context(*engine, arguments);
  Session session(engine, context);
  if (arguments.count("wav") > 0) {
    session.run_wav(arguments["wav"].as<std::string>());
  } else {
    session.run_pcm(arguments["pcm"].as<std::string>());
  }
  session.report(*engine);
  return 0;
}

}  // namespace ernn
