// The pre-tokenizers of a tokenizer.json: where a text is cut into words before its bytes are paired. Immutable; any thread.
#pragma once
#include <memory>
#include <vector>

#include <QJsonValue>
#include <QStringList>

#include "core/text/tokenizers/pattern.h"
#include "core/text/tokenizers/text_edit.h"

namespace cloister {

struct Place;

/// A text and its words so far. Scratch of one thread, kept between texts.
struct Words {
  EditedText text;
  std::vector<Span> spans;
  bool atStart = true;  ///< the text begins where the whole input begins
  std::vector<Span> next, matches;
};

class PreTokenizer {
 public:
  class Step {
   public:
    virtual ~Step() = default;
    virtual void apply(Words&) const = 0;
  };

  /// value: null or an object with "type". Throws TokenizerError.
  static PreTokenizer read(const QJsonValue& value, const Place&, bool fast);
  void apply(Words& words) const {
    for (const auto& step : steps_) step->apply(words);
  }
  /// The model's words are bytes in the alphabet of GPT-2.
  bool byteLevel() const { return byteLevel_; }
  bool empty() const { return steps_.empty(); }
  /// "Split (our loop)", "Digits" … for people.
  const QStringList& names() const { return names_; }

 private:
  void add(const QJsonValue&, const Place&, bool fast, int depth);
  void addByteLevel(const QJsonObject&, const Place&, bool fast);
  void addMetaspace(const QJsonObject&, const Place&);
  void addSplit(std::unique_ptr<Pattern>, const QString& behaviour, bool invert, const Place&);

  std::vector<std::unique_ptr<Step>> steps_;
  QStringList names_;
  bool byteLevel_ = false;
};

}  // namespace cloister
