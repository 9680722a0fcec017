#include "train/kernel_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "hls/io/npy.h"

extern char** environ;

namespace ernn {

namespace fs = std::filesystem;

namespace {

constexpr int kNotFound = 127;

/// The line that tells most about a failed build.
std::string telling_line(const std::string& log) {
  std::istringstream lines(log);
  std::string line;
  std::string last;
  while (std::getline(lines, line)) {
    if (line.find("error") != std::string::npos) return line;
    if (!trim(line).empty()) last = line;
  }
  return last;
}

[[noreturn]] void cannot_start(const std::string& program, int error) {
  throw DataError(fmt::format("{}: cannot be started: {}", program, std::strerror(error)));
}

}  // namespace

int run_program(const std::vector<std::string>& arguments, const fs::path& folder,
                const fs::path& log) {
  std::vector<std::string> copies = arguments;
  std::vector<char*> argv;
  argv.reserve(copies.size() + 1);
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
  if (!folder.empty()) ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, argv.front(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) return kNotFound;
  if (error != 0) cannot_start(arguments.front(), error);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) cannot_start(arguments.front(), errno);
  }
  if (!WIFEXITED(status)) {
    throw DataError(fmt::format("{}: killed by signal {}", arguments.front(), WTERMSIG(status)));
  }
  return WEXITSTATUS(status);
}

KernelProgram::KernelProgram(const fs::path& artefact, const fs::path& work,
                             const std::string& compiler)
    : artefact_(fs::absolute(artefact)), work_(fs::absolute(work)) {
  const fs::path project = artefact_ / "hls";
  if (!fs::exists(project / "Makefile")) {
    throw DataError(fmt::format("{}: no such file; the artefact has no HLS project, export again",
                                (project / "Makefile").string()));
  }
  make_folder(work_);
  const fs::path log = work_ / "build.log";
  // CXX may hold options or a launcher before the compiler.
  std::vector<std::string> version = split_words(compiler);
  version.emplace_back("--version");
  if (version.size() == 1 || run_program(version, {}, log) != 0) {
    throw DataError(fmt::format(
        "{}: no such compiler; the kernel is compiled to be simulated: install g++ or name a C++17 "
        "compiler with --compiler",
        compiler));
  }
  const int status = run_program({"make", "CXX=" + compiler}, project, log);
  if (status == kNotFound)
    throw DataError("make: no such program; it builds the kernel's testbench: install it");
  if (status != 0) {
    throw DataError(fmt::format("{}: the kernel's testbench does not build: {}", log.string(),
                                telling_line(read_file(log))));
  }
}

std::string KernelProgram::prove(bool& equal) const {
  const fs::path log = work_ / "golden.log";
  equal = run_program({(artefact_ / "hls" / "ernn_testbench").string(), artefact_.string()}, {},
                      log) == 0;
  return read_file(log);
}

KernelRun KernelProgram::run(const std::vector<CodeFrames>& utterances,
                             const QuantisedNetwork& network) const {
  std::vector<std::int32_t> codes;
  std::vector<std::int64_t> lengths;
  std::size_t frames = 0;
  for (const CodeFrames& utterance : utterances) {
    for (const auto& frame : utterance) codes.insert(codes.end(), frame.begin(), frame.end());
    lengths.push_back(static_cast<std::int64_t>(utterance.size()));
    frames += utterance.size();
  }
  const auto path = [&](const char* name) { return (work_ / name).string(); };
  const auto inputs = static_cast<std::size_t>(network.inputs());
  const auto outputs = static_cast<std::size_t>(network.outputs());
  write_file(path("frames.npy"), hls::npy_bytes({frames, inputs}, codes));
  write_file(path("lengths.npy"), hls::npy_bytes({lengths.size()}, lengths));
  const int status = run_program(
      {(artefact_ / "hls" / "ernn_testbench").string(), "--frames", path("frames.npy"), "--lengths",
       path("lengths.npy"), "--logits", path("logits.npy"), "--counters", path("counters.txt")},
      {}, path("kernel.log"));
  if (status != 0) {
    throw DataError(fmt::format("{}: the kernel's testbench failed: {}", path("kernel.log"),
                                telling_line(read_file(path("kernel.log")))));
  }
  KernelRun run;
  try {
    const hls::NpyArray logits = hls::read_npy(path("logits.npy"), {frames, outputs});
    auto at = logits.values.begin();
    for (const std::int64_t length : lengths) {
      CodeFrames utterance;
      for (std::int64_t t = 0; t < length; ++t, at += static_cast<std::ptrdiff_t>(outputs)) {
        utterance.emplace_back(at, at + static_cast<std::ptrdiff_t>(outputs));
      }
      run.logits.push_back(std::move(utterance));
    }
  } catch (const std::runtime_error& error) {
    throw DataError(error.what());
  }
  for (const std::string& line : split(read_file(path("counters.txt")), '\n')) {
    const std::vector<std::string> words = split_words(line);
    if (words.empty()) continue;
    long long count = 0;
    if (words.size() != 2 || !parse_int(words[1], count)) {
      throw DataError(
          fmt::format("{}: '{}', expected a signal and a number", path("counters.txt"), line));
    }
    run.saturations[words[0]] = count;
  }
  return run;
}

}  // namespace ernn
