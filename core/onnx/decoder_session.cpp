#include "core/onnx/decoder_session.h"

#include <algorithm>
#include <cmath>

namespace cloister::onnx {
namespace {

constexpr std::byte kNothing{};  // an empty tensor still wants an address

template <typename T>
TensorView viewOf(const std::vector<T>& values, DType type, std::vector<std::int64_t> shape) {
  return {type, std::move(shape), reinterpret_cast<const std::byte*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

DecoderSession::DecoderSession(Session session, const DecoderConfig& config)
    : session_(std::move(session)), vocabulary_(config.vocabulary) {
  for (const Port& p : session_.outputs()) outputs_.push_back(p.name);
  for (const Port& p : session_.inputs()) positions_ |= p.name == "position_ids";
  reset();
}

Result<DecoderSession> DecoderSession::open(const QString& path, const DecoderConfig& config, const SessionOptions& options) {
  auto session = Session::open(path, options);
  if (!session) return session.error();
  return DecoderSession(std::move(*session), config);
}

void DecoderSession::reset() {
  length_ = 0;
  cache_.clear();
  for (const Port& p : session_.inputs())
    if (p.name.rfind("past_key_values.", 0) == 0) cache_[p.name] = {p.dtype, {1, p.shape[1], 0, p.shape[3]}, {}};
}

Result<std::vector<float>> DecoderSession::feed(std::span<const std::int64_t> tokens) {
  const auto n = std::int64_t(tokens.size());
  const std::vector<std::int64_t> ids(tokens.begin(), tokens.end()), mask(std::size_t(length_ + n), 1);
  std::vector<std::int64_t> positions(std::size_t(n), 0);
  for (std::int64_t i = 0; i < n; ++i) positions[std::size_t(i)] = length_ + i;
  std::map<std::string, TensorView> inputs{{"input_ids", viewOf(ids, DType::I64, {1, n})},
                                           {"attention_mask", viewOf(mask, DType::I64, {1, length_ + n})}};
  if (positions_) inputs["position_ids"] = viewOf(positions, DType::I64, {1, n});
  for (const auto& [name, t] : cache_) {
    TensorView view = t.view();
    if (!view.data) view.data = &kNothing;
    inputs[name] = view;
  }
  auto results = session_.run(inputs, outputs_);
  if (!results) return results.error();
  std::vector<float> logits;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    HostTensor& t = (*results)[i];
    if (outputs_[i] == "logits") logits.assign(t.floats().begin(), t.floats().end());
    else cache_["past_key_values" + outputs_[i].substr(std::string("present").size())] = std::move(t);
  }
  length_ += n;
  return logits;
}

void TokenLoss::add(std::span<const float> logits, std::span<const std::int64_t> ids, std::int64_t vocabulary) {
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
    const auto row = logits.subspan(i * std::size_t(vocabulary), std::size_t(vocabulary));
    const float top = *std::max_element(row.begin(), row.end());
    double total = 0;
    for (const float v : row) total += std::exp(double(v) - double(top));
    sum += std::log(total) + double(top) - double(row[std::size_t(ids[i + 1])]);
    ++tokens;
  }
}

std::int64_t largest(std::span<const float> logits) { return std::max_element(logits.begin(), logits.end()) - logits.begin(); }

}  // namespace cloister::onnx
