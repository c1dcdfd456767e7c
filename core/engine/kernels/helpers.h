// Threads that lend a hand with work of microseconds: a token of a language model is dozens of small products, one after the other. Unlike
// an OpenMP region, the caller never waits for a thread that has not come yet: whoever is there takes the next piece, so that a busy
// machine costs no more than the helper it keeps away. Called by decode_ops.cpp; from one thread at a time (a second caller works alone).
#pragma once
#include <cstdint>

namespace cloister::kernels {

/// Calls work(context, piece) once for each piece in [0, pieces), on this thread and at most threads - 1 helpers. A thread starts with its
/// own stretch of pieces, the same each time, so that what it reads may still lie in its cache. work must not throw.
void shareOut(std::int64_t pieces, int threads, void (*work)(const void* context, std::int64_t piece), const void* context);

template <typename Task>
void shareOut(std::int64_t pieces, int threads, const Task& task) {
  shareOut(
      pieces, threads, [](const void* context, std::int64_t piece) { (*static_cast<const Task*>(context))(piece); }, &task);
}

}  // namespace cloister::kernels
