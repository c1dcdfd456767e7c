#include "core/text/data/text_records.h"

#include <optional>

#include <QFileInfo>
#include <QJsonArray>

#include "core/text/json_text.h"

namespace cloister {
namespace {

constexpr std::size_t kLargestJson = 512 << 20;  // a JSON list is read as a whole
constexpr qsizetype kRecordsLookedAt = 20;

/// A record that makes no sample.
struct Refusal {
  QString why;
};

std::string_view lineAt(std::string_view bytes, std::size_t& at) {
  const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
  std::string_view line = bytes.substr(at, end - at);
  at = end + 1;
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

/// A text, or a list of texts with a space between.
std::string textOf(const QJsonValue& value) {
  if (value.isString()) return value.toString().toStdString();
  if (!value.isArray()) return {};
  QStringList parts;
  for (const QJsonValue& part : value.toArray()) parts << part.toString();
  return parts.join(' ').toStdString();
}

/// The first of these members that is there.
QJsonValue member(const QJsonObject& record, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const QJsonValue value = record[QLatin1String(name)]; !value.isUndefined() && !value.isNull()) return value;
  return QJsonValue(QJsonValue::Undefined);
}

Turn::Role roleNamed(const QString& name) {
  if (name == u"system") return Turn::Role::System;
  if (name == u"human" || name == u"user") return Turn::Role::User;
  if (name == u"gpt" || name == u"assistant") return Turn::Role::Assistant;
  throw Refusal{QStringLiteral("unknown speaker \"%1\"").arg(name.left(40))};
}

/// {"from", "value"} or {"role", "content"}.
Turn turnOf(const QJsonValue& value) {
  const QJsonObject o = value.toObject();
  const QJsonValue content = member(o, {"value", "content"});
  if (!content.isString()) throw Refusal{QStringLiteral("a turn without text")};
  return {roleNamed(member(o, {"from", "role"}).toString()), content.toString().toStdString()};
}

std::vector<Turn> conversationOf(const QJsonObject& record) {
  std::vector<Turn> turns;
  if (const QJsonValue system = record["system"]; !system.toString().isEmpty()) turns.push_back({Turn::Role::System, textOf(system)});
  for (const QJsonValue& turn : member(record, {"conversations", "messages"}).toArray()) turns.push_back(turnOf(turn));
  return turns;
}

/// Alpaca's question: the instruction, and the input on the next line.
std::string questionOf(const QJsonObject& record) {
  std::string question = textOf(member(record, {"instruction", "prompt", "question"}));
  if (const std::string input = textOf(member(record, {"input", "query"})); !input.empty())
    question += (question.empty() ? "" : "\n") + input;
  return question;
}

std::vector<Turn> alpacaOf(const QJsonObject& record) {
  std::vector<Turn> turns;
  if (const std::string system = textOf(record["system"]); !system.empty()) turns.push_back({Turn::Role::System, system});
  for (const QJsonValue& pair : record["history"].toArray()) {
    turns.push_back({Turn::Role::User, textOf(pair.toArray().at(0))});
    turns.push_back({Turn::Role::Assistant, textOf(pair.toArray().at(1))});
  }
  turns.push_back({Turn::Role::User, questionOf(record)});
  return turns;
}

TextSample instructionOf(const QJsonObject& record) {
  TextSample sample;
  if (record.contains("conversations") || record.contains("messages")) {
    sample.turns = conversationOf(record);
  } else {
    sample.turns = alpacaOf(record);
    const QJsonValue answer = member(record, {"output", "response", "answer"});
    if (answer.isUndefined()) throw Refusal{QStringLiteral("neither output nor conversations")};
    sample.turns.push_back({Turn::Role::Assistant, textOf(answer)});
  }
  if (const QString wrong = wrongTurns(sample.turns); !wrong.isEmpty()) throw Refusal{wrong};
  return sample;
}

/// An answer as a text, a turn, or the last turn of a list.
std::string answerOf(const QJsonValue& value) {
  if (value.isString()) return value.toString().toStdString();
  const QJsonValue turn = value.isArray() ? value.toArray().last() : value;
  return turn.isObject() ? turnOf(turn).text : std::string();
}

TextSample preferenceOf(const QJsonObject& record) {
  TextSample sample;
  sample.turns = record.contains("conversations") || record.contains("messages") ? conversationOf(record) : alpacaOf(record);
  sample.chosen = answerOf(record["chosen"]);
  sample.rejected = answerOf(record["rejected"]);
  if (sample.chosen.empty() || sample.rejected.empty()) throw Refusal{QStringLiteral("chosen or rejected is missing")};
  if (sample.chosen == sample.rejected) throw Refusal{QStringLiteral("chosen and rejected are equal")};
  auto whole = sample.turns;
  whole.push_back({Turn::Role::Assistant, sample.chosen});
  if (const QString wrong = wrongTurns(whole); !wrong.isEmpty()) throw Refusal{wrong};
  return sample;
}

TextSample pairOf(std::string source, std::string target, const RecordOptions& options) {
  if (blank(source)) throw Refusal{QStringLiteral("empty source")};
  if (blank(target)) throw Refusal{QStringLiteral("empty target")};
  const std::string prompt = options.prompt.isEmpty() ? "{source}\n" : options.prompt.toStdString();
  const std::size_t at = std::min(prompt.find("{source}"), prompt.size());
  TextSample sample;
  sample.plainPair = true;
  sample.behindSource = prompt.substr(std::min(at + 8, prompt.size()));
  sample.turns = {{Turn::Role::User, prompt.substr(0, at) + source + sample.behindSource}, {Turn::Role::Assistant, std::move(target)}};
  return sample;
}

TextSample jsonPairOf(const QJsonObject& record, const RecordOptions& options) {
  const QJsonValue target = member(record, {"target", "summary", "highlights", "output"});
  const std::string first = target.isArray() ? textOf(target.toArray().at(0)) : textOf(target);  // of several references the first
  return pairOf(textOf(member(record, {"source", "document", "article", "text", "input"})), first, options);
}

TextSample recordSample(const QJsonValue& value, const RecordOptions& options) {
  if (!value.isObject()) throw Refusal{QStringLiteral("not a JSON object")};
  const QJsonObject record = value.toObject();
  switch (options.kind) {
    case TextKind::Instructions:
      return instructionOf(record);
    case TextKind::Preferences:
      return preferenceOf(record);
    case TextKind::Pairs:
      return jsonPairOf(record, options);
    case TextKind::Plain:
      break;
  }
  TextSample sample;
  sample.text = textOf(member(record, {"text", "content"}));
  if (blank(sample.text)) throw Refusal{QStringLiteral("no text")};
  return sample;
}

/// By its members; nothing when they say nothing.
std::optional<TextKind> kindOf(const QJsonObject& record) {
  const auto has = [&](std::initializer_list<const char*> names) { return !member(record, names).isUndefined(); };
  if (has({"chosen"}) && has({"rejected"})) return TextKind::Preferences;
  if (has({"conversations", "messages", "instruction", "response", "answer"})) return TextKind::Instructions;
  if (has({"target", "summary", "highlights"})) return TextKind::Pairs;
  if (has({"prompt", "question"}) && has({"output"})) return TextKind::Instructions;
  if (has({"text", "content"})) return TextKind::Plain;
  return {};
}

const QStringList& kindNames() {
  static const QStringList names{"plain", "instructions", "pairs", "preferences"};
  return names;
}

class Reader {
 public:
  Reader(const QString& file, std::string_view bytes, const RecordOptions& options, const RecordSinks& sinks)
      : file_(file), bytes_(bytes), options_(options), sinks_(sinks) {}

  Result<void> read() {
    if (bytes_.starts_with("\xEF\xBB\xBF")) bytes_.remove_prefix(3);
    const std::size_t first = bytes_.find_first_not_of(" \t\r\n");
    const QString suffix = QFileInfo(file_).suffix().toLower();
    const bool json = suffix == u"json" && first != std::string_view::npos && bytes_[first] == '[';
    if (json) return list();
    if (suffix == u"json" || suffix == u"jsonl" || suffix == u"ndjson") return lines([&](std::string_view line) { return jsonLine(line); });
    if (options_.kind == TextKind::Pairs) return lines([&](std::string_view line) { return tabLine(line); });
    if (options_.kind != TextKind::Plain)
      return Failure{FailureKind::UnsupportedFormat, {{"path", file_}}, QStringLiteral("neither .json nor .jsonl")};
    documents();
    return {};
  }

 private:
  template <typename Make>
  void take(qint64 line, Make make) {
    try {
      TextSample sample = make();
      sample.file = file_;
      sample.line = line;
      sinks_.sample(std::move(sample));
    } catch (const Refusal& r) {
      sinks_.refused(file_, line, r.why);
    }
  }

  template <typename Make>
  Result<void> lines(Make make) {
    qint64 number = 0;
    for (std::size_t at = 0; at < bytes_.size();) {
      const std::string_view line = lineAt(bytes_, at);
      ++number;
      if (!blank(line)) take(number, [&] { return make(line); });
    }
    return {};
  }

  TextSample jsonLine(std::string_view line) const {
    QJsonParseError error;
    const QJsonDocument document = parseJsonExactly(QByteArray(line.data(), qsizetype(line.size())), &error);
    if (error.error != QJsonParseError::NoError) throw Refusal{QStringLiteral("not JSON: ") + error.errorString()};
    return recordSample(document.isObject() ? QJsonValue(document.object()) : QJsonValue(document.array()), options_);
  }

  TextSample tabLine(std::string_view line) const {
    std::vector<std::string_view> cells;
    for (std::size_t at = 0; at <= line.size();) {
      const std::size_t end = std::min(line.find('\t', at), line.size());
      cells.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    if (std::max(options_.sourceColumn, options_.targetColumn) >= int(cells.size())) throw Refusal{QStringLiteral("too few columns")};
    return pairOf(std::string(cells[std::size_t(options_.sourceColumn)]), std::string(cells[std::size_t(options_.targetColumn)]), options_);
  }

  Result<void> list() {
    if (bytes_.size() > kLargestJson) return Failure{FailureKind::TooLarge, {{"path", file_}, {"limit", qint64(kLargestJson)}}, {}};
    QJsonParseError error;
    const QJsonDocument document = parseJsonExactly(QByteArray(bytes_.data(), qsizetype(bytes_.size())), &error);
    if (error.error != QJsonParseError::NoError)
      return Failure{FailureKind::CorruptFile,
                     {{"path", file_}, {"position", error.offset}},
                     QStringLiteral("byte %1: ").arg(error.offset) + error.errorString()};
    const QJsonArray records = document.array();
    for (qsizetype i = 0; i < records.size(); ++i) take(i + 1, [&] { return recordSample(records[i], options_); });
    return {};
  }

  void document(std::string_view text, qint64 line) {
    if (blank(text)) return;
    take(line, [&] {
      TextSample sample;
      sample.text = text;
      sample.wholeFile = options_.each == u"file";
      return sample;
    });
  }

  void documents() {
    if (options_.each == u"file") return document(bytes_, 1);
    qint64 number = 0, start = 1;
    std::size_t from = 0;
    for (std::size_t at = 0; at < bytes_.size();) {
      const std::size_t begin = at;
      const std::string_view line = lineAt(bytes_, at);
      ++number;
      if (options_.each == u"line") {
        document(line, number);
      } else if (blank(line)) {
        document(bytes_.substr(from, begin - from), start);
        from = std::min(at, bytes_.size());
        start = number + 1;
      }
    }
    if (options_.each != u"line") document(bytes_.substr(from), start);
  }

  const QString& file_;
  std::string_view bytes_;
  const RecordOptions& options_;
  const RecordSinks& sinks_;
};

}  // namespace

Result<TextKind> textKindNamed(const QString& name) {
  const qsizetype which = kindNames().indexOf(name);
  if (which < 0)
    return Failure{FailureKind::InvalidArgument, {{"name", "--kind"}, {"value", name}, {"allowed", kindNames().join(", ")}}, {}};
  return TextKind(which);
}

QString textKindName(TextKind kind) { return kindNames()[int(kind)]; }

QJsonObject RecordOptions::toJson() const {
  return {{"kind", textKindName(kind)}, {"each", each}, {"prompt", prompt}, {"sourceColumn", sourceColumn}, {"targetColumn", targetColumn}};
}

Result<RecordOptions> RecordOptions::fromJson(const QJsonObject& o) {
  RecordOptions r;
  auto kind = textKindNamed(o["kind"].toString(textKindName(r.kind)));
  if (!kind) return kind.error();
  r.kind = *kind;
  r.each = o["each"].toString(r.each);
  r.prompt = o["prompt"].toString();
  r.sourceColumn = o["sourceColumn"].toInt(r.sourceColumn);
  r.targetColumn = o["targetColumn"].toInt(r.targetColumn);
  return r;
}

Result<TextKind> guessTextKind(const QString& file, std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  const QString suffix = QFileInfo(file).suffix().toLower();
  if (suffix == u"tsv") return TextKind::Pairs;
  if (suffix != u"json" && suffix != u"jsonl" && suffix != u"ndjson") return TextKind::Plain;
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  QJsonArray records;
  if (suffix == u"json" && first != std::string_view::npos && bytes[first] == '[') {
    if (bytes.size() > kLargestJson) return Failure{FailureKind::TooLarge, {{"path", file}, {"limit", qint64(kLargestJson)}}, {}};
    records = parseJsonExactly(QByteArray::fromRawData(bytes.data(), qsizetype(bytes.size()))).array();
  } else {
    for (std::size_t at = 0; at < bytes.size() && records.size() < kRecordsLookedAt;) {
      const std::string_view line = lineAt(bytes, at);
      if (!blank(line)) records.append(parseJsonExactly(QByteArray(line.data(), qsizetype(line.size()))).object());
    }
  }
  for (qsizetype i = 0; i < records.size() && i < kRecordsLookedAt; ++i)
    if (const auto kind = kindOf(records[i].toObject())) return *kind;
  return Failure{FailureKind::CorruptFile, {{"path", file}}, QStringLiteral("no record with members that say what it is")};
}

Result<void> readRecords(const QString& file, std::string_view bytes, const RecordOptions& options, const RecordSinks& sinks) {
  return Reader(file, bytes, options, sinks).read();
}

}  // namespace cloister
