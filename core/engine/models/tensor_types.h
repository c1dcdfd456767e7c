// Element types of safetensors files and of LibTorch. Any thread.
#pragma once
#include <c10/core/ScalarType.h>

#include "core/tensors/safetensors.h"

namespace cloister {

/// Undefined for a type that LibTorch does not compute with.
inline at::ScalarType scalarType(DType d) {
  switch (d) {
    case DType::F32:
      return at::kFloat;
    case DType::F64:
      return at::kDouble;
    case DType::F16:
      return at::kHalf;
    case DType::BF16:
      return at::kBFloat16;
    case DType::F8E4M3:
      return at::kFloat8_e4m3fn;
    case DType::I64:
      return at::kLong;
    case DType::I32:
      return at::kInt;
    case DType::I16:
      return at::kShort;
    case DType::I8:
      return at::kChar;
    case DType::U8:
      return at::kByte;
    case DType::Bool:
      return at::kBool;
    default:
      return at::ScalarType::Undefined;
  }
}

inline DType dtypeOf(at::ScalarType s) {
  switch (s) {
    case at::kLong:
      return DType::I64;
    case at::kInt:
      return DType::I32;
    case at::kByte:
      return DType::U8;
    case at::kBool:
      return DType::Bool;
    case at::kDouble:
      return DType::F64;
    case at::kBFloat16:
      return DType::BF16;
    case at::kHalf:
      return DType::F16;
    default:
      return DType::F32;
  }
}

}  // namespace cloister
