// How each tool is told to schedule a loop or a function: one spelling for the kernel.
//
// Vitis reads its pragmas inside the loop body or function; Bambu reads them before the loop or
// function and refuses Vitis's place. So each intent has two macros, one for each place, of which
// at most one says something:
//
//   ERNN_BEFORE_UNROLL
//   for (int i = 0; i < N; ++i) {
//     ERNN_UNROLL
//     ...
//
// On the host all of them are empty.
#pragma once

#define ERNN_PRAGMA(text) _Pragma(#text)

#if defined(__BAMBU__)
#define ERNN_BEFORE_UNROLL ERNN_PRAGMA(HLS unroll)
#define ERNN_BEFORE_ROLLED ERNN_PRAGMA(nounroll)
#elif defined(__SYNTHESIS__)
#define ERNN_UNROLL ERNN_PRAGMA(HLS UNROLL)
#define ERNN_PIPELINE ERNN_PRAGMA(HLS PIPELINE II = 1)
#define ERNN_INLINE ERNN_PRAGMA(HLS INLINE)
#define ERNN_DATAFLOW ERNN_PRAGMA(HLS DATAFLOW)
#define ERNN_REGISTERS(array, dimension) \
  ERNN_PRAGMA(HLS ARRAY_PARTITION variable = array dim = dimension complete)
#define ERNN_BANKS(array, dimension, count) \
  ERNN_PRAGMA(HLS ARRAY_PARTITION variable = array dim = dimension cyclic factor = count)
#define ERNN_STREAM_DEPTH(stream, count) ERNN_PRAGMA(HLS STREAM variable = stream depth = count)
#define ERNN_ONE_INSTANCE(function) \
  ERNN_PRAGMA(HLS ALLOCATION function instances = function limit = 1)
#define ERNN_INTERFACE(text) ERNN_PRAGMA(HLS INTERFACE text)
#endif

/// The loop is laid out in space.
#ifndef ERNN_BEFORE_UNROLL
#define ERNN_BEFORE_UNROLL
#endif
#ifndef ERNN_UNROLL
#define ERNN_UNROLL
#endif
/// The loop stays a loop.
#ifndef ERNN_BEFORE_ROLLED
#define ERNN_BEFORE_ROLLED
#endif
/// The loop takes a new iteration every clock.
#ifndef ERNN_PIPELINE
#define ERNN_PIPELINE
#endif
/// The function disappears in its caller.
#ifndef ERNN_INLINE
#define ERNN_INLINE
#endif
/// The calls in this function, or this loop's body, run at the same time, joined by their streams.
#ifndef ERNN_DATAFLOW
#define ERNN_DATAFLOW
#endif
/// Every element along `dimension` is a register of its own.
#ifndef ERNN_REGISTERS
#define ERNN_REGISTERS(array, dimension)
#endif
/// `count` neighbours along `dimension` can be read in one clock.
#ifndef ERNN_BANKS
#define ERNN_BANKS(array, dimension, count)
#endif
/// The stream holds `count` items.
#ifndef ERNN_STREAM_DEPTH
#define ERNN_STREAM_DEPTH(stream, count)
#endif
/// All calls of a function in this one share one set of hardware.
#ifndef ERNN_ONE_INSTANCE
#define ERNN_ONE_INSTANCE(function)
#endif
/// How a port of the top function looks from outside.
#ifndef ERNN_INTERFACE
#define ERNN_INTERFACE(text)
#endif
