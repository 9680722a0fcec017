// The streaming runtime: features of one frame in, log-posteriors out, on the CPU, without
// LibTorch (docs/runtime.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compute/isa.h"
#include "export/quantised_network.h"
#include "models/model_file.h"

namespace ernn {

struct EngineOptions {
  /// Empty: the fastest that this processor has.
  std::optional<Isa> isa;
};

/// A network ready to run: weights and constants, nothing that changes. May be shared by streams of
/// several threads.
class Engine {
 public:
  /// Fixed point: an artefact's folder, checked as load_artefact() does. Throws DataError.
  static std::shared_ptr<const Engine> load_artefact(const std::filesystem::path& folder,
                                                     const EngineOptions& options = {});
  /// Float: a model file. Throws DataError.
  static std::shared_ptr<const Engine> load_model(const std::filesystem::path& file,
                                                  const EngineOptions& options = {});

  /// The same from memory. `context` is the JSON of train/model_context.h, of which `mean`,
  /// `inverse_std` and `label_delay` are used; without them features are taken as they are.
  static std::shared_ptr<const Engine> from_network(const QuantisedNetwork& network,
                                                    const std::string& context,
                                                    const EngineOptions& options = {});
  static std::shared_ptr<const Engine> from_model(const ModelFile& model,
                                                  const EngineOptions& options = {});
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  ~Engine();

  int inputs() const;
  int outputs() const;
  bool fixed_point() const;
  Isa isa() const;
  /// Frames that the output lags behind: the output at t + label_delay() belongs to frame t.
  int label_delay() const;
  /// JSON of train/model_context.h as it was found, and the place (file) for messages about it.
  const std::string& context() const;
  const std::string& place() const;

 private:
  friend class Stream;
  static std::unique_ptr<Impl> fixed_impl(const QuantisedNetwork& network,
                                          const std::string& context, const std::string& place,
                                          const EngineOptions& options);
  static std::unique_ptr<Impl> float_impl(const ModelFile& model, const std::string& place,
                                          const EngineOptions& options);
  std::unique_ptr<const Impl> impl_;
};

/// One utterance on its way through an engine. Streams of one engine are independent; each belongs
/// to one thread at a time. Nothing is allocated after construction.
class Stream {
 public:
  explicit Stream(std::shared_ptr<const Engine> engine);
  ~Stream();
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;

  /// Back to the state before the first frame.
  void reset();
  /// One frame of features, not normalised, [inputs]. Returns log-posteriors [outputs], valid until
  /// the next call. Throws DataError for another count or a value that is not finite, and leaves
  /// the state as it was.
  const float* step(const float* features, std::size_t count);
  /// Logits of the last frame [outputs].
  const float* logits() const;

  /// Fixed point only: one frame of codes in the network's input format, as in the artefact's
  /// golden/input.npy, to logit codes [outputs]. Throws UsageError for a float engine.
  const std::int32_t* step_codes(const std::int32_t* codes, std::size_t count);
  /// Logit codes of the last frame. Throws UsageError for a float engine.
  const std::int32_t* logit_codes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ernn
