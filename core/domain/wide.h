// CLOISTER_WIDE: a loop over many values is compiled for AVX2 as well, and the program chooses when it starts. AVX2 alone brings no fused
// multiplication, so both give the same bits. Not under the sanitizers, which run before such a choice can be made, and not for clang,
// whose builds here only fuzz.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CLOISTER_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define CLOISTER_WIDE
#endif
