// The normalizers of a tokenizer.json: what is done to a text before it is cut. Immutable; any thread.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include <QJsonValue>

#include "core/text/tokenizers/text_edit.h"

namespace cloister {

struct Place;

class Normalizer {
 public:
  using Step = std::function<void(EditedText&)>;
  /// value: null or an object with "type". Throws TokenizerError.
  static Normalizer read(const QJsonValue& value, const Place&, bool fast);
  bool empty() const { return steps_.empty(); }
  void apply(EditedText& text) const {
    for (const Step& step : steps_) step(text);
  }

 private:
  void add(const QJsonValue&, const Place&, bool fast, int depth);
  std::vector<Step> steps_;
};

/// Every match becomes content.
void replaceMatches(EditedText&, const std::vector<Span>& matches, std::string_view content);

}  // namespace cloister
