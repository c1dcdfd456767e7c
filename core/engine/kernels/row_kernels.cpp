#include "core/engine/kernels/row_kernels.h"

namespace cloister::kernels {

namespace {

struct Set {
  const RowKernels<float>& floatRows;
  const RowKernels<BFloat>& bfloatRows;
  const FlatKernels& flat;
};

const Set& forThisProcessor() {
#if defined(__x86_64__)
  static const Set set = __builtin_cpu_supports("x86-64-v4")   ? Set{avx512::floatRows, avx512::bfloatRows, avx512::flat}
                         : __builtin_cpu_supports("x86-64-v3") ? Set{avx2::floatRows, avx2::bfloatRows, avx2::flat}
                                                               : Set{baseline::floatRows, baseline::bfloatRows, baseline::flat};
#else
  static const Set set{baseline::floatRows, baseline::bfloatRows, baseline::flat};
#endif
  return set;
}

}  // namespace

template <>
const RowKernels<float>& rowKernels<float>() {
  return forThisProcessor().floatRows;
}
template <>
const RowKernels<BFloat>& rowKernels<BFloat>() {
  return forThisProcessor().bfloatRows;
}
const FlatKernels& flatKernels() { return forThisProcessor().flat; }

}  // namespace cloister::kernels
