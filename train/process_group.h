// The processes that train one model together, each on its share of every batch; free of LibTorch's
// headers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "train/run_config.h"

namespace at {
class Tensor;
}

namespace ernn {

class Collectives;

/// Where a process stands among those that were started together.
struct ProcessPlace {
  int rank = 0;         ///< 0 .. world_size - 1; the first one writes the files and speaks
  int world_size = 1;   ///< number of processes
  std::string address;  ///< where rank 0 can be reached
  int port = 0;
};

/// A variable's value, or null when it is not set.
using Environment = std::function<const char*(const char* name)>;

/// Reads WORLD_SIZE, RANK, MASTER_ADDR and MASTER_PORT; alone when WORLD_SIZE is not set or 1.
/// Under torchrun with a store of its own on MASTER_PORT the port behind it is taken. Throws
/// UsageError naming the variable that is missing or wrong.
ProcessPlace read_place(const Environment& environment);
/// The same from the environment of this process.
ProcessPlace read_place();

/// Another process of the group ended, or was not heard of for `distributed.timeout_seconds`.
class LostPeerError : public Error {
 public:
  explicit LostPeerError(const std::string& message) : Error(message, 1) {}
};

/// All functions are called by all processes, in the same order. They throw LostPeerError.
class ProcessGroup {
 public:
  /// A process of its own: nothing is waited for, every sum is what it was.
  ProcessGroup();
  /// Meets the others. Throws LostPeerError when they do not come within
  /// `distributed.start_seconds`, UsageError when LibTorch was built without Gloo.
  ProcessGroup(const ProcessPlace& place, const DistributedOptions& options);
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  int rank() const { return place_.rank; }
  int size() const { return place_.world_size; }
  bool is_first() const { return place_.rank == 0; }
  bool is_alone() const { return place_.world_size == 1; }

  /// Replaces the values by their sums over all processes, the same bits everywhere. The tensor is
  /// contiguous and has the same size everywhere.
  void sum(at::Tensor& values) const;
  /// Every process' text, by rank.
  std::vector<std::string> gather(const std::string& own) const;
  /// What `make` returns in the first process; an Error that it throws there is thrown in all.
  std::string from_first(const std::function<std::string()>& make) const;
  /// The same for work that may take longer than any timeout: `make` runs on a thread of its own,
  /// while the processes go on hearing of each other. It calls `go_on` once in a while, which
  /// throws when another process has been lost.
  std::string from_first_patiently(
      const std::function<std::string(const std::function<void()>& go_on)>& make) const;
  /// Returns when all processes are here; waits for `distributed.start_seconds`, because some read
  /// their data more slowly than others.
  void wait_for_all();

 private:
  ProcessPlace place_;
  double timeout_seconds_ = 0;
  std::unique_ptr<Collectives> collectives_;  ///< null: alone
};

/// The part of `items` that process `rank` of `size` takes: every size-th, which keeps their order
/// and spreads long and short ones evenly. Empty when there are not enough.
std::vector<std::size_t> share_of(const std::vector<std::size_t>& items, int rank, int size);

}  // namespace ernn
