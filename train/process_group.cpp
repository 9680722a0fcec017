#include "train/process_group.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <string_view>

#include "base/text.h"
#include "train/collectives.h"

namespace ernn {

namespace {

constexpr int kLargestPort = 65535;

/// A whole number from the environment.
int read_number(const Environment& environment, const char* name, int low, int high,
                const std::string& why) {
  const char* const text = environment(name);
  long long number = 0;
  const bool good = text != nullptr && parse_int(text, number) && number >= low && number <= high;
  if (good) return static_cast<int>(number);
  throw UsageError(
      fmt::format("environment variable {}: {}, expected a whole number from {} to {}{}", name,
                  text == nullptr ? "not set" : fmt::format("found '{}'", text), low, high, why));
}

}  // namespace

ProcessPlace read_place(const Environment& environment) {
  ProcessPlace place;
  if (environment("WORLD_SIZE") == nullptr) return place;
  place.world_size = read_number(environment, "WORLD_SIZE", 1, 1 << 20, "");
  if (place.world_size == 1) return place;
  const std::string why = fmt::format(", because WORLD_SIZE is {}", place.world_size);
  place.rank = read_number(environment, "RANK", 0, place.world_size - 1, why);
  const char* const address = environment("MASTER_ADDR");
  if (address == nullptr || *address == '\0') {
    throw UsageError(fmt::format(
        "environment variable MASTER_ADDR: not set, expected the host of rank 0{}", why));
  }
  place.address = address;
  place.port = read_number(environment, "MASTER_PORT", 1, kLargestPort - 1, why);
  const char* const agent = environment("TORCHELASTIC_USE_AGENT_STORE");
  if (agent != nullptr && std::string_view(agent) == "True") ++place.port;
  return place;
}

ProcessPlace read_place() {
  return read_place([](const char* name) -> const char* { return std::getenv(name); });
}

ProcessGroup::ProcessGroup() = default;

ProcessGroup::ProcessGroup(const ProcessPlace& place, const DistributedOptions& options)
    : place_(place),
      timeout_seconds_(options.timeout_seconds),
      collectives_(place.world_size == 1 ? nullptr : connect(place, options)) {}

ProcessGroup::~ProcessGroup() = default;

void ProcessGroup::sum(at::Tensor& values) const {
  if (collectives_ != nullptr) collectives_->sum(values);
}

// A sum gathers as well: everybody adds zeros where the others' bytes stand.
std::vector<std::string> ProcessGroup::gather(const std::string& own) const {
  if (is_alone()) return {own};
  at::Tensor lengths = at::zeros({size()}, at::kLong);
  auto* const length = lengths.data_ptr<std::int64_t>();
  length[rank()] = static_cast<std::int64_t>(own.size());
  sum(lengths);
  std::int64_t total = 0;
  std::int64_t begin = 0;
  for (int i = 0; i < size(); ++i) {
    if (i == rank()) begin = total;
    total += length[i];
  }
  if (total == 0) return std::vector<std::string>(static_cast<std::size_t>(size()));
  at::Tensor bytes = at::zeros({total}, at::kByte);
  auto* const data = bytes.data_ptr<std::uint8_t>();
  std::copy(own.begin(), own.end(), data + begin);
  sum(bytes);
  std::vector<std::string> texts;
  begin = 0;
  for (int i = 0; i < size(); ++i) {
    texts.emplace_back(data + begin, data + begin + length[i]);
    begin += length[i];
  }
  return texts;
}

std::string ProcessGroup::from_first(const std::function<std::string()>& make) const {
  if (is_alone()) return make();
  // The first letter says what follows: a result, or an error with that exit status.
  std::string own;
  if (is_first()) {
    try {
      own = std::string(1, '\0') + make();
    } catch (const Error& error) {
      own = std::string(1, static_cast<char>(error.exit_status())) + error.what();
    }
  }
  const std::string text = gather(own).front();
  if (text.front() != '\0') throw Error(text.substr(1), static_cast<unsigned char>(text.front()));
  return text.substr(1);
}

std::string ProcessGroup::from_first_patiently(
    const std::function<std::string(const std::function<void()>& go_on)>& make) const {
  if (is_alone()) return make([] {});
  // A fraction of the time after which a silent process counts as lost.
  const std::chrono::duration<double> period(timeout_seconds_ / 8);
  std::atomic<bool> lost{false};
  const auto go_on = [&] {
    if (lost) throw LostPeerError("another of the training processes is lost");
  };
  std::future<std::string> result;
  if (is_first()) result = std::async(std::launch::async, make, go_on);
  try {
    bool ready = false;
    while (!ready) {
      const bool done = is_first() && result.wait_for(period) == std::future_status::ready;
      ready = gather(done ? "done" : "").front() == "done";
    }
  } catch (...) {
    lost = true;  // the thread ends before its future does
    throw;
  }
  return from_first([&] { return result.get(); });
}

void ProcessGroup::wait_for_all() {
  if (collectives_ != nullptr) collectives_->wait_for_all();
}

std::vector<std::size_t> share_of(const std::vector<std::size_t>& items, int rank, int size) {
  std::vector<std::size_t> share;
  for (auto i = static_cast<std::size_t>(rank); i < items.size();
       i += static_cast<std::size_t>(size)) {
    share.push_back(items[i]);
  }
  return share;
}

}  // namespace ernn
