/* The streaming runtime (docs/runtime.md) for C: features of one frame in, log-posteriors out.
 *
 * Functions that can fail return NULL (or a negative number) and leave a line of text behind, which
 * ernn_last_error() returns. No exception crosses this interface. Pointers that a stream returns
 * stay valid until its next call. A NULL engine or stream is an error, except for the functions
 * that free. */
#ifndef ERNN_RUNTIME_H
#define ERNN_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A network ready to run; may be shared by streams of several threads. */
typedef struct ernn_engine ernn_engine;
/* One utterance on its way through an engine; belongs to one thread at a time. */
typedef struct ernn_stream ernn_stream;

/* The instructions of the inner loops. */
typedef enum ernn_isa {
  ERNN_ISA_BEST = 0, /* the fastest that this processor has */
  ERNN_ISA_PORTABLE,
  ERNN_ISA_AVX2,
  ERNN_ISA_AVX512
} ernn_isa;

/* Fixed point from an artefact's folder; float from a model file. `isa` is one of ernn_isa. */
ernn_engine* ernn_engine_load_artefact(const char* folder, int isa);
ernn_engine* ernn_engine_load_model(const char* file, int isa);
/* Streams that are still there keep what they need. */
void ernn_engine_free(ernn_engine* engine);

/* Features of a frame, log-posteriors of a frame, frames that the output lags behind. */
int ernn_engine_inputs(const ernn_engine* engine);
int ernn_engine_outputs(const ernn_engine* engine);
int ernn_engine_label_delay(const ernn_engine* engine);
/* 1 for an artefact, 0 for a model. */
int ernn_engine_fixed_point(const ernn_engine* engine);

ernn_stream* ernn_stream_create(const ernn_engine* engine);
void ernn_stream_free(ernn_stream* stream);
/* Back to the state before the first frame: 0, or negative for NULL. */
int ernn_stream_reset(ernn_stream* stream);
/* One frame of `count` features, not normalised, to log-posteriors [outputs]. After an error the
 * state is what it was. */
const float* ernn_stream_step(ernn_stream* stream, const float* features, size_t count);
/* Logits of the last frame [outputs]. */
const float* ernn_stream_logits(const ernn_stream* stream);
/* Fixed point only: a frame of codes to logit codes [outputs]. */
const int32_t* ernn_stream_step_codes(ernn_stream* stream, const int32_t* codes, size_t count);

/* What went wrong in the last call of this thread that failed. */
const char* ernn_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
