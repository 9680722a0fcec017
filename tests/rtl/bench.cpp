// The bench around a function's Verilog: feeds vectors.txt and compares. Prints
// "mismatches M vectors N depth D interval I" or "mismatches M vectors N cycles_per_frame C", exit
// status 1 when something differs.
//
// A pipelined function gets a new input every clock: all parts of vector after vector. Its depth is
// found first, from the start of one input to `done`. Other functions are started again when they
// are done.
#include <verilated.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "Vrtl_top.h"
#include "bench_case.h"

namespace {

constexpr int kParts = (kOutputBits + 63) / 64;
constexpr unsigned kResetCommand = 0x80;
constexpr long kPatience = 50'000'000;  ///< clocks until a start must be done
constexpr int kShown = 5;               ///< differences that are printed

[[noreturn]] void fail(const std::string& text) {
  std::fprintf(stderr, "bench: %s\n", text.c_str());
  std::exit(2);
}

/// 64-bit words, the lowest first.
std::vector<std::uint64_t> parse_words(const std::string& hex) {
  std::vector<std::uint64_t> words;
  for (std::size_t end = hex.size(); end >= 16; end -= 16)
    words.push_back(std::stoull(hex.substr(end - 16, 16), nullptr, 16));
  return words;
}

struct Vector {
  std::vector<std::uint64_t> in, out;
  bool reset = false;
};

std::vector<Vector> read_vectors(const std::string& path) {
  std::ifstream file(path);
  std::vector<Vector> vectors;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string in, out, reset;
    fields >> in >> out >> reset;
    Vector one{parse_words(in), parse_words(out), reset == "reset"};
    if (one.in.size() != (kInputBits + 63) / 64 || one.out.size() != kParts)
      fail(path + ": line " + std::to_string(vectors.size() + 1) + " has not the case's sizes");
    vectors.push_back(one);
  }
  if (vectors.empty()) fail(path + ": no vectors");
  return vectors;
}

/// Ports of up to 64 bits are integers, wider ones arrays of 32-bit words.
template <class Port>
void set_port(Port& port, const std::vector<std::uint64_t>& words) {
  if constexpr (std::is_integral_v<Port>) {
    port = static_cast<Port>(words.front());
  } else {
    for (int i = 0; i < (kInputBits + 31) / 32; ++i) {
      const std::uint64_t word = words[static_cast<std::size_t>(i / 2)];
      port[i] = static_cast<std::uint32_t>(i % 2 == 0 ? word : word >> 32);
    }
  }
}

class Circuit {
 public:
  Circuit() {
    top_.clock = 0;
    top_.reset = 0;  // active low
    top_.start_port = 0;
    for (int i = 0; i < 4; ++i) clock();
    top_.reset = 1;
    clock();
  }
  void drive(const Vector& vector, unsigned part) {
    set_port(top_.word, vector.in);
    top_.part = static_cast<std::uint8_t>(part);
    top_.start_port = 1;
  }
  void rest() { top_.start_port = 0; }
  /// Lets the inputs through to the outputs, as they are at the end of this clock.
  void settle() { top_.eval(); }
  bool done() const { return top_.done_port != 0; }
  std::uint64_t result() const { return top_.return_port; }
  void clock() {
    top_.eval();
    top_.clock = 1;
    top_.eval();
    top_.clock = 0;
    top_.eval();
  }

 private:
  Vrtl_top top_;
};

class Score {
 public:
  void compare(std::size_t vector, int part, std::uint64_t found, std::uint64_t expected) {
    if (found == expected) return;
    if (++mismatches_ <= kShown) {
      std::fprintf(stderr, "bench: vector %zu, part %d: found %016llx, expected %016llx\n", vector,
                   part, static_cast<unsigned long long>(found),
                   static_cast<unsigned long long>(expected));
    }
  }
  void missing() { ++mismatches_; }
  long mismatches() const { return mismatches_; }

 private:
  long mismatches_ = 0;
};

/// Clocks from the one in which an input is there to the one in which `done` is.
long run_one(Circuit& circuit, const Vector& vector, unsigned part) {
  circuit.drive(vector, part);
  for (long clocks = 0; clocks < kPatience; ++clocks) {
    circuit.settle();
    if (circuit.done()) return clocks;
    circuit.clock();
    circuit.rest();
  }
  fail("not done after " + std::to_string(kPatience) + " clocks");
}

void leave_done(Circuit& circuit) {
  circuit.clock();
  circuit.rest();
}

int run_pipelined(Circuit& circuit, const std::vector<Vector>& vectors) {
  const long depth = run_one(circuit, vectors.front(), 0);
  leave_done(circuit);
  for (long i = 0; i <= depth; ++i) circuit.clock();
  Score score;
  const std::size_t total = vectors.size() * kParts;
  for (std::size_t clock = 0; clock < total + static_cast<std::size_t>(depth); ++clock) {
    if (clock < total) {
      circuit.drive(vectors[clock / kParts], static_cast<unsigned>(clock % kParts));
    } else {
      circuit.rest();
    }
    circuit.settle();
    if (clock >= static_cast<std::size_t>(depth)) {
      const std::size_t at = clock - static_cast<std::size_t>(depth);
      if (!circuit.done()) score.missing();
      score.compare(at / kParts, static_cast<int>(at % kParts), circuit.result(),
                    vectors[at / kParts].out[at % kParts]);
    }
    circuit.clock();
  }
  std::printf("mismatches %ld vectors %zu depth %ld interval 1\n", score.mismatches(),
              vectors.size(), depth);
  return score.mismatches() == 0 ? 0 : 1;
}

int run_sequential(Circuit& circuit, const std::vector<Vector>& vectors) {
  Score score;
  long clocks = 0;
  for (std::size_t v = 0; v < vectors.size(); ++v) {
    for (int part = 0; part < kParts; ++part) {
      const unsigned command =
          static_cast<unsigned>(part) | (part == 0 && vectors[v].reset ? kResetCommand : 0U);
      const long taken = run_one(circuit, vectors[v], command);
      if (part == 0) clocks = std::max(clocks, taken);
      score.compare(v, part, circuit.result(), vectors[v].out[static_cast<std::size_t>(part)]);
      leave_done(circuit);
    }
  }
  std::printf("mismatches %ld vectors %zu cycles_per_frame %ld\n", score.mismatches(),
              vectors.size(), clocks);
  return score.mismatches() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) fail("usage: bench vectors.txt");
  const std::vector<Vector> vectors = read_vectors(argv[1]);
  Circuit circuit;
  return kPipelined ? run_pipelined(circuit, vectors) : run_sequential(circuit, vectors);
}
