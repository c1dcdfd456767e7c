// Compiled for one instruction set: see CMakeLists.txt.
#define CLOISTER_ISA avx2
#include "core/engine/kernels/decode_rows.inl"
