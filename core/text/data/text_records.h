// From files to samples: plain documents, instructions (Alpaca, ShareGPT, messages), pairs (TSV, JSON lines) and preferences. Files are
// untrusted: one that cannot be read at all is a failure, a record that makes no sample is told with its place and left out.
// One thread; runs in a cloister-ingest child.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include <QJsonObject>

#include "core/text/data/chat_template.h"

namespace cloister {

enum class TextKind { Plain, Instructions, Pairs, Preferences };
Result<TextKind> textKindNamed(const QString&);
QString textKindName(TextKind);
/// By the suffix and the members of the first records: chosen and rejected are preferences, conversations or instructions are
/// instructions, a source and a target pairs; a table with tabs is pairs, another text plain. CorruptFile for a .json that is none.
Result<TextKind> guessTextKind(const QString& file, std::string_view bytes);

struct TextSample {
  std::string text;         ///< plain
  std::vector<Turn> turns;  ///< others; of preferences: up to the question
  std::string chosen, rejected;
  QString file;
  qint64 line = 0;           ///< of a line-based file, else the number of the record; from 1
  bool wholeFile = false;    ///< a document that is a whole text file
  std::string behindSource;  ///< of a pair's prompt; a source that is too long is shortened before it
  bool plainPair = false;    ///< turns are a pair: written without a chat template
};

struct RecordOptions {
  TextKind kind = TextKind::Plain;
  QString each = QStringLiteral("file");   ///< plain .txt: file, line or paragraph is a document
  QString prompt;                          ///< pairs: {source} is replaced
  int sourceColumn = 0, targetColumn = 1;  ///< pairs in TSV

  QJsonObject toJson() const;  ///< {"kind","each","prompt","sourceColumn","targetColumn"}
  /// What is absent has the default above.
  static Result<RecordOptions> fromJson(const QJsonObject&);
};

struct RecordSinks {
  std::function<void(TextSample)> sample;
  std::function<void(const QString& file, qint64 line, const QString& why)> refused;
};

/// bytes: the whole file; file: its name, whose suffix says how to read it.
Result<void> readRecords(const QString& file, std::string_view bytes, const RecordOptions&, const RecordSinks&);

}  // namespace cloister
