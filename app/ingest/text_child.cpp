#include "app/ingest/text_child.h"

#include <chrono>
#include <new>
#include <span>
#include <thread>

#include <QJsonArray>
#include <QJsonDocument>
#include <QStringDecoder>

#include "app/ingest/text_preview.h"
#include "core/domain/files.h"
#include "core/tensors/safetensors.h"
#include "core/text/data/chat_template.h"
#include "core/text/data/prepare_text.h"
#include "core/text/data/text_division.h"
#include "core/text/data/text_inputs.h"
#include "core/text/json_text.h"
#include "core/text/mapped_text.h"
#include "core/text/tokenizers/sentencepiece_train.h"
#include "core/text/tokenizers/tokenizer.h"

namespace cloister {
namespace {

constexpr qsizetype kPiecesShown = 20'000;   // of inspect
constexpr qsizetype kIdsInAnswer = 400'000;  // beyond, a file is asked for
constexpr std::size_t kBatch = 8192;

void tell(std::int64_t done, std::int64_t total, const char* phase = nullptr) {
  QJsonObject part{{"more", true}, {"done", qint64(done)}, {"total", qint64(total)}};
  if (phase) part["phase"] = QLatin1String(phase);
  writeMessage(1, {part, {}});
}

/// QString::fromUtf8 would drop a U+FEFF that a text begins with.
QString exactly(std::string_view text) {
  QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::ConvertInitialBom);
  return decoder.decode(QByteArrayView(text.data(), qsizetype(text.size())));
}

/// Lines without their ends; the last one counts when something stands in it.
void addLines(std::string_view text, std::vector<std::string_view>& lines) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    at = end + 1;
  }
}

/// The texts of a file: one, one a line, or one a line as a JSON text.
Result<std::vector<std::string_view>> textsOf(const MappedText& file, const QJsonObject& job, std::vector<std::string>& decoded) {
  std::vector<std::string_view> texts;
  const QString each = job["each"].toString();
  if (each == u"file") return std::vector<std::string_view>{file.view()};
  addLines(file.view(), texts);
  if (each == u"line") return texts;
  decoded.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const QByteArray wrapped = '[' + QByteArray(texts[i].data(), qsizetype(texts[i].size())) + ']';
    const QJsonArray list = parseJsonExactly(wrapped).array();
    if (list.size() != 1 || !list[0].isString())
      return Failure{FailureKind::CorruptFile,
                     {{"path", job["file"]}, {"position", qint64(i + 1)}},
                     QStringLiteral("line %1 is not a JSON text").arg(i + 1)};
    decoded.push_back(list[0].toString().toStdString());
  }
  return std::vector<std::string_view>(decoded.begin(), decoded.end());
}

QJsonArray specialsOf(const Tokenizer& tokenizer) {
  QJsonArray list;
  for (const SpecialToken& t : tokenizer.specialTokens())
    list.append(QJsonObject{{"id", t.id}, {"piece", exactly(t.text)}, {"special", t.special}});
  return list;
}

QJsonObject describe(const Tokenizer& tokenizer) {
  const SpecialIds s = tokenizer.special();
  QJsonObject about = tokenizer.description();
  about["vocabularySize"] = tokenizer.vocabularySize();
  about["fingerprint"] = tokenizer.fingerprint();
  about["specialTokens"] = specialsOf(tokenizer);
  about["special"] = QJsonObject{{"begin", s.begin}, {"end", s.end}, {"pad", s.pad}, {"unknown", s.unknown}};
  if (const auto form = ChatTemplate::named(QStringLiteral("auto"), tokenizer)) about["chatForm"] = form->name();
  about["chatTemplate"] = tokenizer.config().contains("chat_template");
  return about;
}

Result<QJsonObject> inspect(const Tokenizer& tokenizer, const QJsonObject& job) {
  QJsonObject answer = describe(tokenizer);
  std::string text = job["text"].toString().toStdString();
  if (const QString file = job["file"].toString(); !file.isEmpty()) {
    const auto mapped = MappedText::open(file);
    if (!mapped) return mapped.error();
    text = std::string((*mapped)->view().substr(0, 1 << 20));  // enough to look at
  } else if (!job.contains("text")) {
    return answer;
  }
  const auto pieces = tokenizer.pieces(text, {job["special"].toBool(true)});
  if (!pieces) return pieces.error();
  QJsonArray shown;
  for (const Piece& p : *pieces) {
    if (shown.size() == kPiecesShown) break;
    QJsonObject o{{"id", p.id}, {"piece", exactly(p.text)}, {"from", qint64(p.from)}, {"to", qint64(p.to)}};
    if (p.special) o["special"] = true;
    o["text"] = exactly(std::string_view(text).substr(p.from, p.to - p.from));
    shown.append(o);
  }
  answer["pieces"] = shown;
  answer["tokens"] = qint64(pieces->size());
  answer["bytes"] = qint64(text.size());
  return answer;
}

Result<void> writeIds(const QString& to, const std::vector<std::int32_t>& ids, const std::vector<std::int64_t>& offsets,
                      const QJsonObject& about) {
  const auto view = [](DType type, const auto& v) {
    return TensorView{type, {std::int64_t(v.size())}, reinterpret_cast<const std::byte*>(v.data()), v.size() * sizeof v[0]};
  };
  return writeSafetensors(to, {{"ids", view(DType::I32, ids)}, {"offsets", view(DType::I64, offsets)}}, about);
}

Result<QJsonObject> encode(const Tokenizer& tokenizer, const QJsonObject& job) {
  const auto file = MappedText::open(job["file"].toString());
  if (!file) return file.error();
  std::vector<std::string> decoded;
  const auto texts = textsOf(**file, job, decoded);
  if (!texts) return texts.error();
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> offsets{0};
  double seconds = 0;
  std::size_t bytes = 0;
  for (std::size_t from = 0; from < texts->size(); from += kBatch) {
    const auto part = std::span(*texts).subspan(from, std::min(kBatch, texts->size() - from));
    const auto start = std::chrono::steady_clock::now();
    const auto batch = tokenizer.encodeBatch(part, {job["special"].toBool(true)});
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (const std::string_view text : part) bytes += text.size();
    if (!batch) return batch.error();
    for (const auto& one : *batch) {
      ids.insert(ids.end(), one.begin(), one.end());
      offsets.push_back(std::int64_t(ids.size()));
    }
    tell(std::int64_t(offsets.size()) - 1, std::int64_t(texts->size()));
  }
  QJsonObject answer{{"texts", qint64(texts->size())},
                     {"tokens", qint64(ids.size())},
                     {"bytes", qint64(bytes)},
                     {"seconds", seconds},  // of encoding alone
                     {"fingerprint", tokenizer.fingerprint()}};
  if (const QString to = job["to"].toString(); !to.isEmpty()) {
    if (auto written = writeIds(to, ids, offsets, {{"tokenizer", tokenizer.fingerprint()}}); !written) return written.error();
    answer["to"] = to;
    return answer;
  }
  if (qsizetype(ids.size()) > kIdsInAnswer)
    return Failure{FailureKind::TooLarge, {{"path", job["file"]}, {"limit", QStringLiteral("%1 ids without --to").arg(kIdsInAnswer)}}, {}};
  QJsonArray lists;
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
    QJsonArray list;
    for (std::int64_t k = offsets[i]; k < offsets[i + 1]; ++k) list.append(ids[std::size_t(k)]);
    lists.append(list);
  }
  answer["ids"] = lists;
  return answer;
}

/// The ids of a file as `encode` writes it; every bound is checked, the file may come from anywhere.
Result<std::vector<std::span<const std::int32_t>>> idLists(const SafetensorsFile& file, const QString& path) {
  const auto corrupt = [&](const char* why) { return Failure{FailureKind::CorruptFile, {{"path", path}}, QLatin1String(why)}; };
  const TensorView *ids = file.find("ids"), *offsets = file.find("offsets");
  if (!ids || ids->dtype != DType::I32 || ids->shape.size() != 1) return corrupt("no tensor ids of I32 [n]");
  const std::span all(reinterpret_cast<const std::int32_t*>(ids->data), ids->bytes / 4);
  if (!offsets) return std::vector<std::span<const std::int32_t>>{all};
  if (offsets->dtype != DType::I64 || offsets->shape.size() != 1) return corrupt("offsets is not I64 [n]");
  const std::span places(reinterpret_cast<const std::int64_t*>(offsets->data), offsets->bytes / 8);
  std::vector<std::span<const std::int32_t>> lists;
  for (std::size_t i = 0; i + 1 < places.size(); ++i) {
    if (places[i] < 0 || places[i + 1] < places[i] || places[i + 1] > std::int64_t(all.size())) return corrupt("offsets point outside ids");
    lists.push_back(all.subspan(std::size_t(places[i]), std::size_t(places[i + 1] - places[i])));
  }
  return lists;
}

Result<QJsonObject> decode(const Tokenizer& tokenizer, const QJsonObject& job) {
  const QString path = job["file"].toString();
  QJsonArray texts;
  const auto add = [&](std::span<const std::int32_t> ids) {
    texts.append(exactly(tokenizer.decode(ids, job["skipSpecial"].toBool(true))));
  };
  if (path.endsWith(QStringLiteral(".safetensors"))) {
    const auto file = SafetensorsFile::open(path);
    if (!file) return file.error();
    const auto lists = idLists(**file, path);
    if (!lists) return lists.error();
    for (const auto& ids : *lists) add(ids);
  } else {
    const auto json = readJson(path);
    if (!json) return json.error();
    for (const QJsonValue& list : (*json)["ids"].toArray()) {
      std::vector<std::int32_t> ids;
      for (const QJsonValue& id : list.toArray()) ids.push_back(id.toInt(-1));
      add(ids);
    }
  }
  QJsonObject answer{{"count", texts.size()}};
  const QString to = job["to"].toString();
  if (to.isEmpty()) {
    answer["texts"] = texts;
    return answer;
  }
  QByteArray lines;  // one JSON text a line
  for (const QJsonValue& text : texts) {
    const QByteArray list = QJsonDocument(QJsonArray{text}).toJson(QJsonDocument::Compact);
    lines += list.mid(1, list.size() - 2) + '\n';
  }
  if (auto written = writeFileAtomically(to, lines); !written) return written.error();
  answer["to"] = to;
  return answer;
}

/// What a tokenizer learns from: the lines of files as they are, or of a project's texts those that are for training.
struct TrainingLines {
  std::vector<std::shared_ptr<MappedText>> files;
  std::vector<std::string> texts;
  std::vector<std::string_view> lines;
  qint64 bytes = 0;

  Result<void> addFiles(const QJsonArray& paths) {
    for (const QJsonValue& path : paths) {
      auto file = MappedText::open(path.toString());
      if (!file) return file.error();
      bytes += qint64((*file)->view().size());
      addLines((*file)->view(), lines);
      files.push_back(*file);
    }
    return {};
  }

  Result<void> addRecords(const QJsonObject& job) {
    auto inputs = TextInputs::open(job);
    if (!inputs) return inputs.error();
    const TextDivision division{job["seed"].toInteger(), job["validation"].toDouble(), job["test"].toDouble()};
    RecordSinks sinks;
    sinks.refused = [](const QString&, qint64, const QString&) {};
    sinks.sample = [&](const TextSample& sample) {
      if (sample.turns.empty()) {
        for (const TextDivision::Piece& p : division.pieces(sample))
          if (p.part == TextDivision::Train) texts.emplace_back(p.text);
      } else if (division.partOf(sample) == TextDivision::Train) {
        for (const Turn& turn : sample.turns) texts.push_back(turn.text);
        for (const std::string& answer : {sample.chosen, sample.rejected})
          if (!answer.empty()) texts.push_back(answer);
      }
    };
    for (const TextInput& input : inputs->files)
      if (auto read = readRecords(input.name, input.file->view(), input.options, sinks); !read) return read.error();
    for (const std::string& text : texts) {
      bytes += qint64(text.size());
      addLines(text, lines);
    }
    return {};
  }
};

Result<QJsonObject> train(const QJsonObject& job) {
  TrainingLines from;
  const QJsonArray inputs = job["inputs"].toArray();
  if (auto added = inputs.first().isObject() ? from.addRecords(job) : from.addFiles(inputs); !added) return added.error();
  std::vector<std::string_view>& lines = from.lines;
  std::erase_if(lines, [](std::string_view line) { return line.empty(); });
  if (lines.empty()) return Failure{FailureKind::NothingToDo, {{"what", "text"}, {"next", QStringLiteral("The files hold no line.")}}, {}};
  TrainTokenizerOptions options;
  options.unigram = job["kind"].toString() == u"unigram";
  options.vocabularySize = job["vocabularySize"].toInt();
  options.characterCoverage = job["characterCoverage"].toDouble(options.characterCoverage);
  options.byteFallback = job["byteFallback"].toBool(true);
  options.identity = job["normalizer"].toString() != u"nfkc";
  options.threads = int(std::max(1u, std::thread::hardware_concurrency()));
  const TrainTokenizerProgress progress = [](const char* phase, std::int64_t done, std::int64_t total) { tell(done, total, phase); };
  auto model = trainSentencePiece(lines, options, progress);
  // A short text has no use for so many pieces: as many as it holds, where that was asked for.
  if (!model && job["atMost"].toBool())
    if (const int limit = model.error().args["limit"].toInt(); limit > 0) {
      options.vocabularySize = limit;
      model = trainSentencePiece(lines, options, progress);
    }
  if (!model) return model.error();
  const QString dir = job["out"].toString();
  if (auto w = writeFileAtomically(dir + "/tokenizer.model", QByteArrayView(model->data(), qsizetype(model->size()))); !w) return w.error();
  const QJsonObject config{{"tokenizer_class", "LlamaTokenizer"},
                           {"add_bos_token", true},
                           {"add_eos_token", false},
                           {"bos_token", "<s>"},
                           {"eos_token", "</s>"},
                           {"unk_token", "<unk>"},
                           {"clean_up_tokenization_spaces", false},
                           {"legacy", true}};
  if (auto w = writeJsonAtomically(dir + "/tokenizer_config.json", config); !w) return w.error();
  const auto made = openTokenizer(dir);
  if (!made) return made.error();
  QJsonObject answer = describe(**made);
  answer["lines"] = qint64(lines.size());
  answer["bytes"] = from.bytes;
  return answer;
}

std::vector<Turn> turnsOf(const QJsonValue& messages) {
  std::vector<Turn> turns;
  for (const QJsonValue& m : messages.toArray()) {
    const QString role = m["role"].toString();
    turns.push_back({role == u"system"      ? Turn::Role::System
                     : role == u"assistant" ? Turn::Role::Assistant
                                            : Turn::Role::User,
                     m["content"].toString().toStdString()});
  }
  return turns;
}

/// A conversation as the chat template writes it, in tokens: what of it is an answer, or where the next answer begins.
QJsonObject chatOf(const Tokenizer& tokenizer, const ChatTemplate& form, const std::vector<Turn>& turns, bool open) {
  QJsonObject told;
  QJsonArray ids;
  std::vector<std::int32_t> tokens;
  if (open) {
    auto made = form.prompt(tokenizer, turns);
    if (!made) return {{"failure", made.error().toJson()}};
    tokens = std::move(*made);
  } else {
    auto made = form.tokens(tokenizer, turns);
    if (!made) return {{"failure", made.error().toJson()}};
    tokens = std::move(made->ids);
    QJsonArray answer;
    for (const std::int32_t k : made->answer) answer.append(k);
    told["answer"] = answer;
    told["notes"] = QJsonArray::fromStringList(made->notes);
  }
  for (const std::int32_t id : tokens) ids.append(id);
  told["ids"] = ids;
  told["text"] = exactly(tokenizer.decode(tokens, false));
  return told;
}

Result<QJsonObject> chat(const Tokenizer& tokenizer, const QJsonObject& job) {
  const auto form = ChatTemplate::named(job["template"].toString(), tokenizer, job["date"].toString());
  if (!form) return form.error();
  const auto file = MappedText::open(job["file"].toString());
  if (!file) return file.error();
  std::vector<std::string_view> lines;
  addLines((*file)->view(), lines);
  QJsonArray all;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const QJsonDocument record = parseJsonExactly(QByteArray(lines[i].data(), qsizetype(lines[i].size())));
    const std::vector<Turn> turns = turnsOf(record["messages"]);
    if (turns.empty())
      return Failure{FailureKind::InvalidTextLine, {{"path", job["file"]}, {"line", qint64(i + 1)}, {"why", "messages"}}, {}};
    all.append(chatOf(tokenizer, *form, turns, job["open"].toBool() || turns.back().role != Turn::Role::Assistant));
    if (all.size() > kPiecesShown)
      return Failure{FailureKind::TooLarge, {{"limit", QStringLiteral("%1 conversations").arg(kPiecesShown)}}, {}};
  }
  return QJsonObject{{"template", form->name()}, {"conversations", all}};
}

Result<QJsonObject> answerTo(const QJsonObject& job) {
  const QString action = job["action"].toString();
  if (action == u"train") return train(job);
  if (action == u"prepare") return prepareText(job, [](std::int64_t done, std::int64_t total) { tell(done, total); });
  if (action == u"divide") return countDivision(job, [](std::int64_t done, std::int64_t total) { tell(done, total); });
  if (action == u"records") return previewRecords(job);
  const auto tokenizer = openTokenizer(job["tokenizer"].toString());
  if (!tokenizer) return tokenizer.error();
  if (action == u"encode") return encode(**tokenizer, job);
  if (action == u"decode") return decode(**tokenizer, job);
  if (action == u"chat") return chat(**tokenizer, job);
  return inspect(**tokenizer, job);
}

}  // namespace

Message tokenizerJob(const QJsonObject& job) {
  Result<QJsonObject> answer = QJsonObject{};
  try {
    answer = answerTo(job);
  } catch (const std::bad_alloc&) {
    answer = Failure{FailureKind::TooLarge, {{"limit", QStringLiteral("the memory a text may take")}}, QStringLiteral("std::bad_alloc")};
  }
  if (answer) return {{{"answer", *answer}}, {}};
  Failure failure = answer.error();
  if (!failure.args.contains("path")) failure.args["path"] = job["file"].toString(job["tokenizer"].toString());
  return {{{"failure", failure.toJson()}}, {}};
}

}  // namespace cloister
