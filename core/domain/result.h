// Result<T>: a value or a Failure. Returned by domain, core and widgets; engine and plugins throw and main converts. Any thread.
#pragma once
#include <utility>
#include <variant>

#include "core/domain/failure.h"

namespace cloister {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}
  explicit operator bool() const { return state_.index() == 0; }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Failure& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Failure> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Failure failure) : failed_(true), failure_(std::move(failure)) {}
  explicit operator bool() const { return !failed_; }
  const Failure& error() const { return failure_; }

 private:
  bool failed_ = false;
  Failure failure_;
};

}  // namespace cloister
