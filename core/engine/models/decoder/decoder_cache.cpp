#include "core/engine/models/decoder/decoder_cache.h"

#include <algorithm>

#include <ATen/ops/empty.h>

namespace cloister {

at::Tensor DecoderCache::put(at::Tensor& buffer, const at::Tensor& given, std::int64_t axis) const {
  const std::int64_t wanted = length_ + given.size(axis);
  if (!buffer.defined() || buffer.size(axis) < wanted) {
    std::vector<std::int64_t> shape = given.sizes().vec();
    shape[std::size_t(axis)] = std::max<std::int64_t>({64, wanted, buffer.defined() ? buffer.size(axis) * 2 : 0});
    const at::Tensor larger = at::empty(shape, given.options());
    if (length_ > 0) larger.narrow(axis, 0, length_).copy_(buffer.narrow(axis, 0, length_));
    buffer = larger;
  }
  buffer.narrow(axis, length_, given.size(axis)).copy_(given);
  return buffer.narrow(axis, 0, wanted);
}

std::pair<at::Tensor, at::Tensor> DecoderCache::append(std::size_t layer, const at::Tensor& keys, const at::Tensor& values) {
  Slot& s = slots_.at(layer);
  return {put(s.first, keys, 2), put(s.second, values, 2)};
}

at::Tensor DecoderCache::appendLatent(std::size_t layer, const at::Tensor& latent) { return put(slots_.at(layer).first, latent, 1); }

void DecoderCache::reorder(const at::Tensor& rows) {
  for (Slot& s : slots_)
    for (at::Tensor* t : {&s.first, &s.second})
      if (t->defined()) *t = t->index_select(0, rows);
}

std::int64_t DecoderCache::bytes() const {
  std::int64_t n = 0;
  for (const Slot& s : slots_)
    for (const at::Tensor* t : {&s.first, &s.second})
      if (t->defined()) n += std::int64_t(t->nbytes());
  return n;
}

}  // namespace cloister
