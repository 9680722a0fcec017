/* Runs an artefact or a model through the C interface, as a C program would:
 *   c_program artefact|model PATH
 * prints the codes or log-posteriors of a few frames, and provokes every kind of error. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/ernn_runtime.h"

#define MOST_INPUTS 64

static int failures = 0;

static void expect(int holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "failed: %s (last error: %s)\n", what, ernn_last_error());
  ++failures;
}

static void check_errors(ernn_engine* engine, ernn_stream* stream, int inputs) {
  float features[MOST_INPUTS] = {0};
  const size_t count = (size_t)inputs;
  features[1] = (float)NAN;
  expect(ernn_stream_step(stream, features, count) == NULL, "NaN is refused");
  expect(strstr(ernn_last_error(), "feature 1 is NaN") != NULL, "NaN is named");
  expect(ernn_stream_step(stream, features, count + 1) == NULL, "a wrong width is refused");
  expect(strstr(ernn_last_error(), "features, expected") != NULL, "the width is named");
  expect(ernn_stream_step(NULL, features, count) == NULL, "no stream is refused");
  expect(strcmp(ernn_last_error(), "stream is NULL") == 0, "the stream is named");
  expect(ernn_stream_step(stream, NULL, count) == NULL, "no features are refused");
  expect(ernn_stream_create(NULL) == NULL, "no engine is refused");
  expect(ernn_engine_inputs(NULL) < 0, "no engine has no inputs");
  expect(ernn_stream_reset(NULL) < 0, "nothing is reset");
  expect(ernn_engine_load_artefact("/nowhere", ERNN_ISA_BEST) == NULL, "a missing artefact");
  expect(strstr(ernn_last_error(), "/nowhere/manifest.json") != NULL, "the artefact is named");
  expect(ernn_engine_load_model("/nowhere", ERNN_ISA_BEST) == NULL, "a missing model");
  expect(ernn_engine_load_model("/nowhere", 77) == NULL, "an unknown instruction set");
  expect(strstr(ernn_last_error(), "isa is 77") != NULL, "the instruction set is named");
  if (!ernn_engine_fixed_point(engine)) {
    int32_t codes[MOST_INPUTS] = {0};
    expect(ernn_stream_step_codes(stream, codes, count) == NULL, "a model has no codes");
  }
}

static void run_frames(ernn_stream* stream, int inputs, int outputs) {
  int t;
  int i;
  for (t = 0; t < 4; ++t) {
    float features[MOST_INPUTS];
    const float* posteriors;
    for (i = 0; i < inputs; ++i) features[i] = (float)((7 * i + 3 * t) % 11 - 5) / 4;
    posteriors = ernn_stream_step(stream, features, (size_t)inputs);
    expect(posteriors != NULL, "a frame");
    if (posteriors == NULL) return;
    for (i = 0; i < outputs; ++i) printf("%.6f%c", posteriors[i], i + 1 < outputs ? ' ' : '\n');
  }
}

int main(int argc, char** argv) {
  ernn_engine* engine;
  ernn_stream* stream;
  if (argc != 3) return 2;
  engine = strcmp(argv[1], "artefact") == 0 ? ernn_engine_load_artefact(argv[2], ERNN_ISA_BEST)
                                            : ernn_engine_load_model(argv[2], ERNN_ISA_PORTABLE);
  if (engine == NULL) {
    fprintf(stderr, "%s\n", ernn_last_error());
    return 1;
  }
  stream = ernn_stream_create(engine);
  check_errors(engine, stream, ernn_engine_inputs(engine));
  run_frames(stream, ernn_engine_inputs(engine), ernn_engine_outputs(engine));
  expect(ernn_stream_reset(stream) == 0, "a reset");
  expect(ernn_stream_logits(stream) != NULL, "logits");
  expect(ernn_engine_label_delay(engine) == 0, "no label delay");
  ernn_engine_free(engine); /* the stream keeps what it needs */
  run_frames(stream, MOST_INPUTS / 4 - 3, 11);
  ernn_stream_free(stream);
  ernn_stream_free(NULL);
  ernn_engine_free(NULL);
  return failures == 0 ? 0 : 1;
}
