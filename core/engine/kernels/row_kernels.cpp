#include "core/engine/kernels/row_kernels.h"

#include "core/engine/kernels/decode_rows.h"
#include "core/engine/kernels/decoder_rows.h"

namespace cloister::kernels {

namespace {

struct Set {
  const RowKernels<float>& floatRows;
  const RowKernels<BFloat>& bfloatRows;
  const FlatKernels& flat;
  const NormRows<float, float>& floatNorms;
  const NormRows<float, BFloat>& mixedNorms;
  const NormRows<BFloat, BFloat>& bfloatNorms;
  const DecoderRows<float>& floatDecoder;
  const DecoderRows<BFloat>& bfloatDecoder;
  const DecodeRows<float>& floatDecode;
  const DecodeRows<BFloat>& bfloatDecode;
};

#define CLOISTER_SET(isa)                                                                                                                  \
  Set {                                                                                                                                    \
    isa::floatRows, isa::bfloatRows, isa::flat, isa::floatNorms, isa::mixedNorms, isa::bfloatNorms, isa::floatDecoder, isa::bfloatDecoder, \
        isa::floatDecode, isa::bfloatDecode                                                                                                \
  }

const Set& forThisProcessor() {
#if defined(__x86_64__)
  static const Set set = __builtin_cpu_supports("x86-64-v4")   ? CLOISTER_SET(avx512)
                         : __builtin_cpu_supports("x86-64-v3") ? CLOISTER_SET(avx2)
                                                               : CLOISTER_SET(baseline);
#else
  static const Set set = CLOISTER_SET(baseline);
#endif
  return set;
}
#undef CLOISTER_SET

}  // namespace

template <>
const RowKernels<float>& rowKernels<float>() {
  return forThisProcessor().floatRows;
}
template <>
const RowKernels<BFloat>& rowKernels<BFloat>() {
  return forThisProcessor().bfloatRows;
}
template <>
const NormRows<float, float>& normRows<float, float>() {
  return forThisProcessor().floatNorms;
}
template <>
const NormRows<float, BFloat>& normRows<float, BFloat>() {
  return forThisProcessor().mixedNorms;
}
template <>
const NormRows<BFloat, BFloat>& normRows<BFloat, BFloat>() {
  return forThisProcessor().bfloatNorms;
}
template <>
const DecoderRows<float>& decoderRows<float>() {
  return forThisProcessor().floatDecoder;
}
template <>
const DecoderRows<BFloat>& decoderRows<BFloat>() {
  return forThisProcessor().bfloatDecoder;
}
template <>
const DecodeRows<float>& decodeRows<float>() {
  return forThisProcessor().floatDecode;
}
template <>
const DecodeRows<BFloat>& decodeRows<BFloat>() {
  return forThisProcessor().bfloatDecode;
}
const FlatKernels& flatKernels() { return forThisProcessor().flat; }

}  // namespace cloister::kernels
