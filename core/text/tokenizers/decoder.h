// The decoders of a tokenizer.json: pieces back into a text. Immutable; any thread.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include <QJsonValue>

namespace cloister {

struct Place;

class Decoder {
 public:
  using Step = std::function<void(std::vector<std::string>&)>;
  /// value: null or an object with "type". Throws TokenizerError.
  static Decoder read(const QJsonValue& value, const Place&, bool fast);
  /// Well-formed UTF-8.
  std::string decode(std::vector<std::string> pieces) const;

 private:
  void add(const QJsonValue&, const Place&, bool fast, int depth);
  std::vector<Step> steps_;
  bool none_ = false;  ///< without a decoder, pieces stand apart
};

}  // namespace cloister
