// Gloo through LibTorch's c10d.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>

#include "train/collectives.h"

namespace ernn {

namespace {

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<long long>(seconds * 1000));
}

/// The reason in one line: LibTorch appends a stack trace, Gloo begins with "[../file.cc:598] ".
std::string reason(const std::exception& error) {
  const auto* const torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error != nullptr ? torch_error->msg() : error.what();
  text = text.substr(0, text.find('\n'));
  const auto place_end = text.find("] ");
  if (text.rfind('[', 0) == 0 && place_end != std::string::npos) text = text.substr(place_end + 2);
  return text;
}

/// Processes of one machine talk over the loopback interface, whose address never has to be found
/// out; otherwise as torch.distributed does.
std::shared_ptr<gloo::transport::Device> make_device(const std::string& address) {
  if (const char* const interface = std::getenv("GLOO_SOCKET_IFNAME"))
    return c10d::ProcessGroupGloo::createDeviceForInterface(interface);
  if (address == "localhost" || address == "127.0.0.1")
    return c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  return c10d::ProcessGroupGloo::createDefaultDevice();
}

class GlooCollectives : public Collectives {
 public:
  GlooCollectives(const ProcessPlace& place, const DistributedOptions& options)
      : place_(place), options_(options) {
    try {
      c10d::TCPStoreOptions store;
      store.port = static_cast<std::uint16_t>(place.port);
      store.isServer = place.rank == 0;
      store.numWorkers = static_cast<std::size_t>(place.world_size);
      store.timeout = milliseconds(options.start_seconds);
      store_ = c10::make_intrusive<c10d::TCPStore>(place.address, store);
      auto gloo = c10d::ProcessGroupGloo::Options::create(milliseconds(options.timeout_seconds));
      gloo->devices.push_back(make_device(place.address));
      gloo->threads = 1;
      group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store_, place.rank, place.world_size,
                                                           std::move(gloo));
    } catch (const std::exception& error) {
      throw LostPeerError(fmt::format(
          "process {} of {} does not meet the others at {}:{} within {} s: {}; check MASTER_ADDR "
          "and MASTER_PORT and that all processes were started",
          place.rank, place.world_size, place.address, place.port, options.start_seconds,
          reason(error)));
    }
  }

  void sum(at::Tensor& values) override {
    std::vector<at::Tensor> tensors = {values};
    guard([&] { group_->allreduce(tensors)->wait(); });
  }

  void wait_for_all() override {
    const auto key = [&](int rank) { return fmt::format("ernn/{}/{}", meetings_, rank); };
    std::vector<std::string> keys;
    for (int rank = 0; rank < place_.world_size; ++rank) keys.push_back(key(rank));
    guard([&] {
      store_->set(key(place_.rank), std::vector<std::uint8_t>{1});
      store_->wait(keys, milliseconds(options_.start_seconds));
    });
    ++meetings_;
  }

 private:
  /// Whatever fails in `action` means that another process cannot be heard any more.
  template <class Action>
  void guard(const Action& action) const {
    try {
      action();
    } catch (const std::exception& error) {
      throw LostPeerError(fmt::format("process {} lost another of the {} training processes ({})",
                                      place_.rank, place_.world_size, reason(error)));
    }
  }

  ProcessPlace place_;
  DistributedOptions options_;
  c10::intrusive_ptr<c10d::TCPStore> store_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
  long long meetings_ = 0;
};

}  // namespace

std::unique_ptr<Collectives> connect(const ProcessPlace& place, const DistributedOptions& options) {
  return std::make_unique<GlooCollectives>(place, options);
}

}  // namespace ernn
