#include <algorithm>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/error.h"
#include "runtime/engine.h"
#include "runtime/ernn_runtime.h"

struct ernn_engine {
  std::shared_ptr<const ernn::Engine> engine;
};
struct ernn_stream {
  ernn::Stream stream;
};

namespace {

constexpr std::size_t kRoom = 1024;

/// The text of ernn_last_error(), one a thread. A plain array, so that keeping a message cannot
/// fail.
char* error_text() {
  thread_local char text[kRoom + 1] = "";
  return text;
}

void keep_error(const char* text) {
  const std::size_t length = std::min(std::char_traits<char>::length(text), kRoom);
  std::copy_n(text, length, error_text());
  error_text()[length] = '\0';
}

/// What `action` returns, or `failed` after an exception.
template <class Result, class Action>
Result guarded(Result failed, Action action) noexcept {
  try {
    return action();
  } catch (const std::exception& error) {
    keep_error(error.what());
  } catch (...) {
    keep_error("unknown error");
  }
  return failed;
}

template <class Handle>
Handle& checked(Handle* handle, const char* name) {
  if (handle == nullptr) throw ernn::UsageError(std::string(name) + " is NULL");
  return *handle;
}

ernn::EngineOptions options_of(int isa) {
  ernn::EngineOptions options;
  switch (isa) {
    case ERNN_ISA_BEST:
      return options;
    case ERNN_ISA_PORTABLE:
      options.isa = ernn::Isa::portable;
      return options;
    case ERNN_ISA_AVX2:
      options.isa = ernn::Isa::avx2;
      return options;
    case ERNN_ISA_AVX512:
      options.isa = ernn::Isa::avx512;
      return options;
    default:
      throw ernn::UsageError("isa is " + std::to_string(isa) + ", expected one of ernn_isa");
  }
}

}  // namespace

ernn_engine* ernn_engine_load_artefact(const char* folder, int isa) {
  return guarded<ernn_engine*>(nullptr, [&] {
    return new ernn_engine{
        ernn::Engine::load_artefact(&checked(folder, "folder"), options_of(isa))};
  });
}

ernn_engine* ernn_engine_load_model(const char* file, int isa) {
  return guarded<ernn_engine*>(nullptr, [&] {
    return new ernn_engine{ernn::Engine::load_model(&checked(file, "file"), options_of(isa))};
  });
}

void ernn_engine_free(ernn_engine* engine) {
  delete engine;
}

int ernn_engine_inputs(const ernn_engine* engine) {
  return guarded(-1, [&] { return checked(engine, "engine").engine->inputs(); });
}

int ernn_engine_outputs(const ernn_engine* engine) {
  return guarded(-1, [&] { return checked(engine, "engine").engine->outputs(); });
}

int ernn_engine_label_delay(const ernn_engine* engine) {
  return guarded(-1, [&] { return checked(engine, "engine").engine->label_delay(); });
}

int ernn_engine_fixed_point(const ernn_engine* engine) {
  return guarded(-1, [&] { return checked(engine, "engine").engine->fixed_point() ? 1 : 0; });
}

ernn_stream* ernn_stream_create(const ernn_engine* engine) {
  return guarded<ernn_stream*>(
      nullptr, [&] { return new ernn_stream{ernn::Stream(checked(engine, "engine").engine)}; });
}

void ernn_stream_free(ernn_stream* stream) {
  delete stream;
}

int ernn_stream_reset(ernn_stream* stream) {
  return guarded(-1, [&] {
    checked(stream, "stream").stream.reset();
    return 0;
  });
}

const float* ernn_stream_step(ernn_stream* stream, const float* features, size_t count) {
  return guarded<const float*>(nullptr, [&] {
    return checked(stream, "stream").stream.step(&checked(features, "features"), count);
  });
}

const float* ernn_stream_logits(const ernn_stream* stream) {
  return guarded<const float*>(nullptr, [&] { return checked(stream, "stream").stream.logits(); });
}

const int32_t* ernn_stream_step_codes(ernn_stream* stream, const int32_t* codes, size_t count) {
  return guarded<const int32_t*>(nullptr, [&] {
    return checked(stream, "stream").stream.step_codes(&checked(codes, "codes"), count);
  });
}

const char* ernn_last_error(void) {
  return error_text();
}
