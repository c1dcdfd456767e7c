// Compiled for one instruction set: see CMakeLists.txt.
#define CLOISTER_ISA avx512
#include "core/engine/kernels/decode_rows.inl"
