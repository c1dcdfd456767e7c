#include "core/engine/data/token_stream.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include <ATen/ops/empty.h>

#include "core/engine/engine_failure.h"
#include "core/engine/train/language/chunked_loss.h"

namespace cloister {
namespace {

[[noreturn]] void refuse(const QString& path, const QString& why) {
  throw EngineFailure({FailureKind::CorruptFile, {{"path", path}}, why});
}

template <typename T>
std::int64_t readAt(const std::byte* data, std::int64_t i) {
  T value;
  std::memcpy(&value, data + i * std::int64_t(sizeof(T)), sizeof(T));
  return std::int64_t(value);
}

}  // namespace

TokenStream::TokenStream(const QString& path, std::int64_t vocabulary, std::int64_t length, bool shorten)
    : file_(orThrow(SafetensorsFile::open(path))), tokens_(file_->find("tokens")), loss_(file_->find("loss")) {
  const TensorView* t = tokens_;
  if (!t || t->shape.size() != 1 || (t->dtype != DType::U16 && t->dtype != DType::I32 && t->dtype != DType::U32 && t->dtype != DType::I64))
    refuse(path, "no list of whole numbers named tokens");
  count_ = t->shape[0];
  if (count_ < 2) throw EngineFailure({FailureKind::NothingToDo, {{"what", "training text"}, {"next", "more text"}}, path});
  length_ = shorten ? std::min(length, count_ - 1) : length;
  if (loss_ && (loss_->shape != t->shape || (loss_->dtype != DType::U8 && loss_->dtype != DType::Bool)))
    refuse(path, "loss is not one byte a token");
  readStarts(path);
  checkTokens(path, vocabulary);
}

void TokenStream::readStarts(const QString& path) {
  const TensorView* s = file_->find("starts");
  if (!s) return;
  if (s->dtype != DType::I64 || s->shape.size() != 1) refuse(path, "starts is not a list of I64");
  for (std::int64_t i = 0; i < s->shape[0]; ++i) starts_.push_back(readAt<std::int64_t>(s->data, i));
  const bool rising = std::adjacent_find(starts_.begin(), starts_.end(), std::greater_equal<>()) == starts_.end();
  if (starts_.empty() || starts_[0] != 0 || !rising || starts_.back() >= count_)
    refuse(path, "starts does not begin at 0 and rise within the tokens");
}

void TokenStream::checkTokens(const QString& path, std::int64_t vocabulary) const {
  for (std::int64_t i = 0; i < count_; ++i)
    if (const std::int64_t t = at(i); t < 0 || t >= vocabulary)
      refuse(path, QString("token %1 is %2, and the model's vocabulary ends at %3").arg(i).arg(t).arg(vocabulary - 1));
}

std::int64_t TokenStream::at(std::int64_t i) const {
  switch (tokens_->dtype) {
    case DType::U16:
      return readAt<std::uint16_t>(tokens_->data, i);
    case DType::I32:
      return readAt<std::int32_t>(tokens_->data, i);
    case DType::U32:
      return readAt<std::uint32_t>(tokens_->data, i);
    default:
      return readAt<std::int64_t>(tokens_->data, i);
  }
}

TokenBatch TokenStream::batch(const std::vector<std::int64_t>& indices, bool separate) const {
  const std::int64_t rows = std::int64_t(indices.size()), length = length_;
  const bool cut = separate && starts_.size() > 1;
  TokenBatch b{at::empty({rows, length}, at::kLong), at::empty({rows, length}, at::kLong), {}, {}};
  if (cut) {
    b.positions = at::empty({rows, length}, at::kLong);
    b.documents = at::empty({rows, length}, at::kLong);
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t from = indices[std::size_t(r)] * length;
    std::int64_t* ids = b.ids.mutable_data_ptr<std::int64_t>() + r * length;
    std::int64_t* labels = b.labels.mutable_data_ptr<std::int64_t>() + r * length;
    auto next = std::upper_bound(starts_.begin(), starts_.end(), from);  // the first document that begins later
    std::int64_t document = 0, begin = from;
    for (std::int64_t i = 0; i < length; ++i) {
      const std::int64_t place = from + i;
      if (cut && next != starts_.end() && *next == place) {
        ++next;
        ++document;
        begin = place;
      }
      const bool ends = cut && next != starts_.end() && *next == place + 1;
      const bool learnt = !loss_ || std::to_integer<int>(loss_->data[place + 1]) != 0;
      ids[i] = at(place);
      labels[i] = !ends && learnt ? at(place + 1) : kIgnoredLabel;
      if (!cut) continue;
      b.positions.mutable_data_ptr<std::int64_t>()[r * length + i] = place - begin;
      b.documents.mutable_data_ptr<std::int64_t>()[r * length + i] = document;
    }
  }
  return b;
}

}  // namespace cloister
