// How the engine reports trouble: it throws EngineFailure, the worker's main turns it into a `failed` event and an exit code. Any thread.
#pragma once
#include <exception>
#include <string>

#include "core/domain/result.h"

namespace cloister {

class EngineFailure : public std::exception {
 public:
  explicit EngineFailure(Failure f) : failure_(std::move(f)), text_(describe(failure_).toStdString()) {}
  const Failure& failure() const { return failure_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  Failure failure_;
  std::string text_;
};

/// The value, or the failure thrown.
template <typename T>
T orThrow(Result<T> result) {
  if (!result) throw EngineFailure(result.error());
  return std::move(result).value();
}
inline void orThrow(Result<void> result) {
  if (!result) throw EngineFailure(result.error());
}

}  // namespace cloister
