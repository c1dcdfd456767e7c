#include "app/worker/text_stream_data.h"

#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

class Stream {
 public:
  Stream(std::int64_t length, std::int32_t filler) : length_(length), filler_(filler) {}

  void add(const TextRow& row) {
    const auto n = std::int64_t(row.tokens.size()), left = length_ - std::int64_t(tokens_.size()) % length_;
    if (n > left) fill(left);
    for (std::size_t i = 0; i < row.tokens.size(); ++i) {
      if (i == 0 || row.starts[i]) starts_.push_back(std::int64_t(tokens_.size()));
      tokens_.push_back(row.tokens[i]);
      learnt_.push_back(i > 0 && row.mask[i] ? 1 : 0);
    }
  }

  std::int64_t write(const QString& path) {
    // The last sequence is whole and has a token behind it, which is the label of its last one.
    fill((length_ - std::int64_t(tokens_.size()) % length_) % length_ + 1);
    const auto view = [](const auto& v, DType type) {
      return TensorView{type, {std::int64_t(v.size())}, reinterpret_cast<const std::byte*>(v.data()), v.size() * sizeof(v[0])};
    };
    orThrow(writeSafetensors(
        path, {{"tokens", view(tokens_, DType::I32)}, {"starts", view(starts_, DType::I64)}, {"loss", view(learnt_, DType::U8)}}));
    return std::int64_t(tokens_.size());
  }

 private:
  void fill(std::int64_t n) {
    if (n > 0) starts_.push_back(std::int64_t(tokens_.size()));
    tokens_.insert(tokens_.end(), std::size_t(n), filler_);
    learnt_.insert(learnt_.end(), std::size_t(n), 0);
  }

  const std::int64_t length_;
  const std::int32_t filler_;
  std::vector<std::int32_t> tokens_;
  std::vector<std::int64_t> starts_;
  std::vector<std::uint8_t> learnt_;
};

}  // namespace

std::int64_t writeTokenStream(const TextData& data, const QString& part, std::int64_t length, const QString& path) {
  const std::int64_t rows = data.rows(part);
  if (rows == 0) return 0;
  const auto filler = std::int32_t(data.index()["special"].toObject()["pad"].toInt(-1));
  Stream stream(length, std::max<std::int32_t>(filler, 0));
  for (std::int64_t r = 0; r < rows; ++r) {
    const TextRow row = data.row(part, r);
    if (std::int64_t(row.tokens.size()) > length)
      throw EngineFailure({FailureKind::InvalidArgument,
                           {{"name", "sequence_length"},
                            {"value", qint64(length)},
                            {"allowed", QString("%1 or more, the length of the prepared rows").arg(data.length())}},
                           {}});
    stream.add(row);
  }
  return stream.write(path);
}

}  // namespace cloister
