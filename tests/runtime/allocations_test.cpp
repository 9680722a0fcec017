// Counts every allocation of this program: none may happen while frames go through a stream.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <vector>

#include "runtime/engine.h"
#include "tests/export/random_network.h"

// NOLINTBEGIN(bugprone-reserved-identifier): the C library's own names
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t boundary, std::size_t size);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace {

std::atomic<long long>& allocations() {
  static std::atomic<long long> count{0};
  return count;
}

}  // namespace

// The C library's functions, which operator new calls too.
extern "C" {
void* malloc(std::size_t size) {
  ++allocations();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations();
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  ++allocations();
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t boundary, std::size_t size) {
  ++allocations();
  return __libc_memalign(boundary, size);
}
}

namespace ernn {
namespace {

void expect_no_allocation(Stream& stream, const FrameMatrix& frames) {
  const long long before = allocations();
  float sum = 0;
  for (int t = 0; t < frames.rows; ++t)
    sum += stream.step(frames.row(t), static_cast<std::size_t>(frames.cols))[0];
  stream.reset();
  const long long after = allocations();
  EXPECT_EQ(after - before, 0);
  EXPECT_LT(sum, 0);
}

TEST(Allocations, AreCounted) {
  const long long before = allocations();
  std::vector<std::vector<int>> rows(3, std::vector<int>(5));
  EXPECT_GE(allocations() - before, 4);
}

TEST(Allocations, NoneDuringFrames) {
  for (const NamedModel& named : every_kind_of_model()) {
    SCOPED_TRACE(named.name);
    const ModelFile model = random_model(named.options, 3);
    const auto utterances = random_utterances(1, 20, named.options.inputs, 4);
    for (const Isa isa : available_isas()) {
      EngineOptions options;
      options.isa = isa;
      Stream floats(Engine::from_model(model, options));
      expect_no_allocation(floats, utterances.front());
      for (const int bits : {12, 16}) {
        Stream codes(Engine::from_network(
            quantise_at(FloatNetwork::from_model(model), utterances, bits), "{}", options));
        expect_no_allocation(codes, utterances.front());
      }
    }
  }
}

}  // namespace
}  // namespace ernn
