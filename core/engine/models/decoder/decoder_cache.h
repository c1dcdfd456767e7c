// Keys and values of the tokens already read, per layer, growing in place. MLA keeps the compressed latent and the rotated shared key only.
// One generation, one thread.
#pragma once
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace cloister {

class DecoderCache {
 public:
  explicit DecoderCache(std::int64_t layers) : slots_(std::size_t(layers)) {}
  std::int64_t length() const { return length_; }  ///< tokens, of every sequence
  bool empty() const { return length_ == 0; }

  /// Adds [B, H, T, D] to a layer and returns all keys and values, [B, H, length + T, D]. length() moves with advance.
  std::pair<at::Tensor, at::Tensor> append(std::size_t layer, const at::Tensor& keys, const at::Tensor& values);
  /// Adds [B, T, latent + rope] and returns all, [B, length + T, latent + rope].
  at::Tensor appendLatent(std::size_t layer, const at::Tensor& latent);
  /// After the last layer took its tokens.
  void advance(std::int64_t tokens) { length_ += tokens; }
  /// Sequence i continues what was sequence rows[i] (beams). rows: int64 [B'].
  void reorder(const at::Tensor& rows);
  std::int64_t bytes() const;

 private:
  struct Slot {
    at::Tensor first, second;  ///< capacity along the token axis
  };
  at::Tensor put(at::Tensor& buffer, const at::Tensor& given, std::int64_t axis) const;

  std::vector<Slot> slots_;
  std::int64_t length_ = 0;
};

}  // namespace cloister
