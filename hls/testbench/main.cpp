// The testbench of an exported network.
//
//   ernn_testbench [ARTEFACT]
//       compares the kernel with the artefact's golden signals; by default that of the nearest
//       artefact above the working folder
//   ernn_testbench --frames FILE.npy --lengths FILE.npy --logits OUT.npy [--counters OUT.txt]
//       runs whole utterances: codes [frames, inputs], frames of each utterance; the state is reset
//       before each one
//
// Exit status: 0 all equal (or all run), 1 a difference or an unreadable file, 2 wrong arguments.
#include <cstddef>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "testbench/golden.h"

namespace {

using namespace ernn::testbench;
namespace model = ernn::model;

void write_counters(const std::string& path, const Counters& counters) {
  std::ofstream file(path);
  for (std::size_t s = 0; s < std::size(model::kSignals); ++s) {
    if (model::kSignals[s].counted) {
      file << model::kSignals[s].name << ' ' << counters.saturated[s] << '\n';
    }
  }
  file.close();
  if (!file) throw std::runtime_error(path + ": cannot be written");
}

void run_utterances(const std::map<std::string, std::string>& files) {
  const ernn::hls::NpyArray frames = read_frames(files.at("--frames"));
  const ernn::hls::NpyArray lengths = ernn::hls::read_npy(files.at("--lengths"));
  constexpr auto inputs = static_cast<std::size_t>(model::kInputs);
  Counters counters(std::size(model::kSignals));
  CodeVector logits;
  std::size_t at = 0;
  for (std::size_t u = 0; u < lengths.values.size(); ++u) {
    const std::int64_t length = lengths.values[u];
    const std::size_t left = frames.shape[0] - at;
    if (length < 0 || static_cast<std::uint64_t>(length) > left) {
      throw std::runtime_error(files.at("--lengths") + ": entry " + std::to_string(u) + " is " +
                               std::to_string(length) + ", expected 0 to " + std::to_string(left) +
                               ", the frames that are left of the " +
                               std::to_string(frames.shape[0]) + " of " + files.at("--frames"));
    }
    const auto count = static_cast<std::size_t>(length);
    const auto first = frames.values.begin() + static_cast<std::ptrdiff_t>(at * inputs);
    const CodeVector utterance(first, first + static_cast<std::ptrdiff_t>(count * inputs));
    const CodeVector out = run_watched(utterance, count, model::rom(), CountingProbe(counters));
    logits.insert(logits.end(), out.begin(), out.end());
    at += count;
  }
  if (at != frames.shape[0]) {
    throw std::runtime_error(files.at("--lengths") + ": sums to " + std::to_string(at) +
                             " frames, expected the " + std::to_string(frames.shape[0]) + " of " +
                             files.at("--frames"));
  }
  ernn::hls::write_npy(files.at("--logits"), {at, static_cast<std::size_t>(model::kOutputs)},
                       logits);
  if (files.count("--counters") > 0) write_counters(files.at("--counters"), counters);
}

/// The nearest folder above that is an artefact: synthesis tools run this program somewhere in
/// their own folders (csim/build and the like), which usually lie in the artefact's hls folder.
std::string artefact_above() {
  constexpr int kLevels = 16;
  std::string folder = "..";
  for (int level = 0; level < kLevels; ++level, folder += "/..") {
    if (std::ifstream(folder + "/SHA256SUMS")) return folder;
  }
  throw std::runtime_error(
      "no folder above has a file SHA256SUMS; give the artefact: ernn_testbench ARTEFACT");
}

int usage() {
  std::cerr << "usage: ernn_testbench [ARTEFACT]\n"
               "       ernn_testbench --frames FILE.npy --lengths FILE.npy --logits OUT.npy "
               "[--counters OUT.txt]\n";
  return 2;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return prove(artefact_above()) ? 0 : 1;
  if (arguments.size() == 1 && arguments[0][0] != '-') return prove(arguments[0]) ? 0 : 1;
  std::map<std::string, std::string> files;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    const bool known =
        name == "--frames" || name == "--lengths" || name == "--logits" || name == "--counters";
    if (!known || i + 1 == arguments.size()) return usage();
    files[name] = arguments[i + 1];
  }
  if (files.count("--frames") + files.count("--lengths") + files.count("--logits") != 3) {
    return usage();
  }
  run_utterances(files);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "ernn_testbench: " << error.what() << '\n';
    return 1;
  }
}
