// Compiled for one instruction set: see CMakeLists.txt.
#define CLOISTER_ISA baseline
#include "core/engine/kernels/decode_rows.inl"
