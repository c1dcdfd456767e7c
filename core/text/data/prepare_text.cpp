#include "core/text/data/prepare_text.h"

#include <algorithm>

#include <QDir>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/text/data/chat_template.h"
#include "core/text/data/row_version.h"
#include "core/text/data/text_division.h"
#include "core/text/data/text_inputs.h"
#include "core/text/data/text_shards.h"
#include "core/text/parallel.h"
#include "core/text/tokenizers/unicode.h"

namespace cloister {
namespace {

constexpr std::size_t kSamplesAtOnce = 4096, kBytesAtOnce = 32 << 20;
constexpr qsizetype kListed = 1000;  // refused and changed records that the report names

/// One row in the making.
struct Row {
  std::vector<std::int32_t> tokens;
  std::vector<std::uint8_t> mask, starts;
  void add(std::int32_t token, bool counts, bool start) {
    tokens.push_back(token);
    mask.push_back(counts);
    starts.push_back(start);
  }
  void cut(std::size_t length) {
    tokens.resize(length);
    mask.resize(length);
    starts.resize(length);
  }
  bool answers() const { return std::find(mask.begin(), mask.end(), 1) != mask.end(); }
};

/// A project's name for a file is told as it is, of a path only its end.
QString shownName(const QString& name) { return QDir::isAbsolutePath(name) ? QFileInfo(name).fileName() : name; }

/// The records that were left out or changed, the first of them by name.
class Report {
 public:
  explicit Report(const QStringList& names) : names_(names) {}
  void refuse(const QString& file, qint64 line, const QString& why) { note(refused_, file, line, why); }
  void change(const QString& file, qint64 line, const QString& what) { note(changed_, file, line, what); }
  qint64 accepted = 0;
  QJsonObject toJson() const {
    return {{"accepted", accepted},
            {"refusedCount", refused_.count},
            {"refused", listed(refused_, "why")},
            {"changedCount", changed_.count},
            {"changed", listed(changed_, "what")}};
  }

 private:
  struct Entry {
    qsizetype file;
    qint64 line;
    QString text;
  };
  struct List {
    std::vector<Entry> entries;
    qint64 count = 0;
  };
  void note(List& list, const QString& file, qint64 line, const QString& text) const {
    if (++list.count <= kListed) list.entries.push_back({names_.indexOf(file), line, text});
  }
  /// In the order of the files: what is found in reading comes before what is found in encoding.
  QJsonArray listed(List list, const char* key) const {
    std::stable_sort(list.entries.begin(), list.entries.end(),
                     [](const Entry& a, const Entry& b) { return std::pair(a.file, a.line) < std::pair(b.file, b.line); });
    QJsonArray out;
    for (const Entry& e : list.entries)
      out.append(QJsonObject{{"file", shownName(names_.value(e.file))}, {"line", e.line}, {QLatin1String(key), e.text}});
    return out;
  }
  const QStringList& names_;
  List refused_, changed_;
};

/// One part of the data: its shards, and the row that documents are being packed into.
struct Part {
  Part(const QString& dir, const QString& name) : writer(dir, name) {}
  TextShardWriter writer;
  Row open;
};

class Preparation {
 public:
  Preparation(const QJsonObject& job, std::shared_ptr<Tokenizer> tokenizer, ChatTemplate chat, TextKind kind)
      : job_(job),
        tokenizer_(std::move(tokenizer)),
        chat_(std::move(chat)),
        kind_(kind),
        division_{job["seed"].toInteger(), job["validation"].toDouble(), job["test"].toDouble()} {
    for (const char* name : TextDivision::kNames) parts_.emplace_back(job["out"].toString(), QLatin1String(name));
    length_ = std::size_t(job["length"].toInt(512));
    const SpecialIds special = tokenizer_->special();
    pad_ = special.pad >= 0 ? special.pad : std::max(special.end, 0);
  }

  /// Everything that decides about the bytes.
  QJsonObject settings() const {
    const bool chat = kind_ == TextKind::Instructions || kind_ == TextKind::Preferences;
    return {{"format", 1},
            {"rowVersion", kTextRowVersion},
            {"kind", job_["kind"]},
            {"length", qint64(length_)},
            {"validation", division_.validation},
            {"test", division_.test},
            {"seed", division_.seed},
            {"template", chat ? chat_.name() : QString()},
            {"date", chat ? chat_.identity()["date"].toString() : QString()},
            {"pad", job_["pad"].toBool()}};
  }

  Result<QJsonObject> run(const std::function<void(std::int64_t, std::int64_t)>& progress) {
    if (auto opened = openInputs(); !opened) return opened.error();
    if (const QString existing = job_["existing"].toString(); !existing.isEmpty()) return reuse(existing);
    RecordSinks sinks;
    sinks.refused = [&](const QString& file, qint64 line, const QString& why) { report_.refuse(file, line, why); };
    sinks.sample = [&](TextSample sample) { take(std::move(sample), progress); };
    for (const TextInput& input : inputs_.files) {
      if (failed_) break;
      if (auto read = readRecords(input.name, input.file->view(), input.options, sinks); !read) return read.error();
    }
    flush(progress);
    for (Part& part : parts_)
      if (!part.open.tokens.empty()) emitRow(part, part.open);
    if (failed_) return failure_;
    return finish();
  }

 private:
  Result<void> openInputs() {
    auto opened = TextInputs::open(job_);
    if (!opened) return opened.error();
    inputs_ = std::move(*opened);
    QJsonArray identities;
    for (const TextInput& input : inputs_.files) {
      const std::string_view view = input.file->view();
      names_ << input.name;
      QJsonObject told = input.options.toJson();
      told.remove("kind");
      told["bytes"] = qint64(view.size());
      told["sha256"] = sha256Hex(QByteArrayView(view.data(), qsizetype(view.size())));
      identities.append(told);
      told["file"] = shownName(input.name);
      told_.append(told);
    }
    fingerprint_ = sha256Hex(canonicalJson({{"settings", settings()}, {"tokenizer", tokenizer_->fingerprint()}, {"inputs", identities}}));
    return {};
  }

  Result<QJsonObject> reuse(const QString& dir) const {
    const auto data = TextData::open(dir);
    if (!data || (*data)->fingerprint() != fingerprint_) return Failure{FailureKind::AlreadyExists, {{"path", dir}}, {}};
    QJsonObject index = (*data)->index();
    index["reused"] = true;
    return index;
  }

  void fail(const Failure& failure) {
    if (!failed_) failure_ = failure;
    failed_ = true;
  }

  void take(TextSample sample, const std::function<void(std::int64_t, std::int64_t)>& progress) {
    if (failed_) return;
    waitingBytes_ += sample.text.size() + sample.chosen.size() + sample.rejected.size();
    for (const Turn& t : sample.turns) waitingBytes_ += t.text.size();
    waiting_.push_back(std::move(sample));
    if (waiting_.size() >= kSamplesAtOnce || waitingBytes_ >= kBytesAtOnce) flush(progress);
  }

  void flush(const std::function<void(std::int64_t, std::int64_t)>& progress) {
    if (kind_ == TextKind::Plain) packDocuments();
    else if (kind_ == TextKind::Pairs) maskPairs();
    else maskConversations();
    done_ += std::int64_t(waitingBytes_);
    progress(std::min(done_, inputs_.bytes), inputs_.bytes);
    waiting_.clear();
    waitingBytes_ = 0;
  }

  // Plain texts: documents one behind the other, cut into rows.

  struct Document {
    std::string_view text;
    Part* part;
    const TextSample* sample;
  };

  std::vector<Document> documents() {
    std::vector<Document> all;
    for (const TextSample& s : waiting_)
      for (const TextDivision::Piece& piece : division_.pieces(s)) all.push_back({piece.text, &parts_[piece.part], &s});
    return all;
  }

  void packDocuments() {
    const std::vector<Document> all = documents();
    std::vector<std::string_view> texts;
    for (const Document& d : all) texts.push_back(d.text);
    const auto encoded = tokenizer_->encodeBatch(texts);
    if (!encoded) return fail(encoded.error());
    const std::int32_t end = tokenizer_->special().end;
    for (std::size_t i = 0; i < all.size(); ++i) {
      noteBytes(*all[i].sample, all[i].text);
      std::vector<std::int32_t> tokens = (*encoded)[i];
      if (end >= 0 && (tokens.empty() || tokens.back() != end)) tokens.push_back(end);
      Row& open = all[i].part->open;
      for (std::size_t t = 0; t < tokens.size(); ++t) {
        const bool start = t == 0 || open.tokens.empty();  // nothing before it can be seen
        open.add(tokens[t], !start, start);
        if (open.tokens.size() == length_) emitRow(*all[i].part, open);
      }
      ++report_.accepted;
    }
  }

  void noteBytes(const TextSample& sample, std::string_view text) {
    if (!isValidUtf8(text)) report_.change(sample.file, sample.line, QStringLiteral("bytes that are no UTF-8 became U+FFFD"));
  }

  // Pairs: one row each, the loss on the target.

  void maskPairs() {
    std::vector<std::string_view> texts;
    for (const TextSample& s : waiting_)
      for (std::size_t k = 0; k < 2; ++k) texts.push_back(s.turns[k].text);
    auto encoded = tokenizer_->encodeBatch(texts, {false});
    if (!encoded) return fail(encoded.error());
    const SpecialIds special = tokenizer_->special();
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      std::vector<std::int32_t>&prompt = (*encoded)[2 * i], &target = (*encoded)[2 * i + 1];
      shortenSource(waiting_[i], prompt, target.size());
      if (special.begin >= 0) prompt.insert(prompt.begin(), special.begin);
      if (special.end >= 0) target.push_back(special.end);
      std::vector<Row> rows(1);
      for (const std::int32_t id : prompt) rows[0].add(id, false, rows[0].tokens.empty());
      for (const std::int32_t id : target) rows[0].add(id, true, rows[0].tokens.empty());
      accept(waiting_[i], rows);
    }
  }

  // Conversations: one row each, the loss on answers.

  struct Written {
    std::vector<ChatTokens> tokens;  ///< of a preference two
    QString refused;
  };

  Result<Written> written(const TextSample& sample) const {
    Written all;
    std::vector<Turn> turns = sample.turns;
    const bool preference = kind_ == TextKind::Preferences;
    for (const std::string* answer : {&sample.chosen, &sample.rejected}) {
      if (preference) turns.push_back({Turn::Role::Assistant, *answer});
      auto tokens = chat_.tokens(*tokenizer_, turns);
      if (!tokens) {
        const Failure& failure = tokens.error();
        if (failure.kind != FailureKind::TemplateFailed) return failure;
        all.refused = QStringLiteral("the chat template refuses it (line %1): %2")
                          .arg(failure.args["line"].toInt())
                          .arg(failure.args["why"].toString().left(300));
        return all;
      }
      all.tokens.push_back(std::move(*tokens));
      if (!preference) break;
      turns.pop_back();
    }
    return all;
  }

  void maskConversations() {
    std::vector<Written> all(waiting_.size());
    const auto done = onAllCores(all.size(), 0, [&](std::size_t i) -> Result<void> {
      auto one = written(waiting_[i]);
      if (!one) return one.error();
      all[i] = std::move(*one);
      return {};
    });
    if (!done) return fail(done.error());
    for (std::size_t i = 0; i < all.size(); ++i) {
      const TextSample& sample = waiting_[i];
      if (!all[i].refused.isEmpty()) {
        report_.refuse(sample.file, sample.line, all[i].refused);
        continue;
      }
      for (const QString& note : all[i].tokens[0].notes) report_.change(sample.file, sample.line, note);
      std::vector<Row> rows;
      for (const ChatTokens& tokens : all[i].tokens) rows.push_back(rowOf(tokens));
      accept(sample, rows);
    }
  }

  /// Of a preference only the two last answers are compared; what was said before them is given.
  Row rowOf(const ChatTokens& tokens) const {
    const std::int32_t least = kind_ == TextKind::Preferences ? tokens.last : 1;
    Row row;
    for (std::size_t t = 0; t < tokens.ids.size(); ++t) row.add(tokens.ids[t], tokens.answer[t] > 0 && tokens.answer[t] >= least, t == 0);
    return row;
  }

  /// A long source loses its end, so that the target stays; what stands behind the source in the prompt stays as well.
  void shortenSource(const TextSample& sample, std::vector<std::int32_t>& prompt, std::size_t target) {
    const SpecialIds special = tokenizer_->special();
    const std::size_t frame = (special.begin >= 0 ? 1 : 0) + (special.end >= 0 ? 1 : 0), whole = frame + prompt.size() + target;
    if (whole <= length_) return;
    const auto behind = tokenizer_->encode(sample.behindSource, {false});
    const std::size_t kept = std::min(behind ? behind->size() : 0, prompt.size()), least = kept + length_ / 8;
    if (prompt.size() <= least) return;
    const std::size_t gone = std::min(whole - length_, prompt.size() - least);
    const auto end = prompt.end() - std::ptrdiff_t(kept);
    prompt.erase(end - std::ptrdiff_t(gone), end);
    report_.change(sample.file, sample.line, QStringLiteral("source shortened by %1 tokens").arg(gone));
  }

  void accept(const TextSample& sample, std::vector<Row>& rows) {
    std::size_t longest = 0;
    for (Row& row : rows) {
      longest = std::max(longest, row.tokens.size());
      if (row.tokens.size() > length_) row.cut(length_);
      if (!row.answers())
        return report_.refuse(sample.file, sample.line, QStringLiteral("no token of the answer is within %1 tokens").arg(length_));
    }
    if (longest > length_)
      report_.change(sample.file, sample.line, QStringLiteral("truncated from %1 to %2 tokens").arg(longest).arg(length_));
    for (const Turn& turn : sample.turns) noteBytes(sample, turn.text);
    Part& part = parts_[division_.partOf(sample)];
    for (Row& row : rows) emitRow(part, row);
    ++report_.accepted;
  }

  void emitRow(Part& part, Row& row) {
    while (job_["pad"].toBool() && row.tokens.size() < length_) row.add(pad_, false, false);
    if (auto added = part.writer.add({row.tokens, row.mask, row.starts}); !added) fail(added.error());
    row = {};
  }

  Result<QJsonObject> finish() {
    QJsonObject parts;
    qint64 rows = 0;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const auto part = parts_[p].writer.finish();
      if (!part) return part.error();
      rows += (*part)["rows"].toInteger();
      parts[QLatin1String(TextDivision::kNames[p])] = *part;
    }
    if (rows == 0)
      return Failure{FailureKind::NothingToDo,
                     {{"what", "text"}, {"next", QStringLiteral("The files hold no record that could be used; the report says why.")}},
                     QString::fromUtf8(canonicalJson(report_.toJson()).left(4000))};
    const SpecialIds special = tokenizer_->special();
    QJsonObject index = settings();
    index["fingerprint"] = fingerprint_;
    index["tokenizer"] = tokenizer_->fingerprint();
    index["vocabularySize"] = tokenizer_->vocabularySize();
    index["special"] = QJsonObject{{"begin", special.begin}, {"end", special.end}, {"pad", pad_}};
    index["inputs"] = told_;
    index["parts"] = parts;
    index["report"] = report_.toJson();
    if (auto written = writeJsonAtomically(job_["out"].toString() + "/index.json", index); !written) return written.error();
    return index;
  }

  const QJsonObject job_;
  std::shared_ptr<Tokenizer> tokenizer_;
  ChatTemplate chat_;
  const TextKind kind_;
  const TextDivision division_;
  std::size_t length_ = 512;
  std::int32_t pad_ = 0;
  QStringList names_;
  TextInputs inputs_;
  QJsonArray told_;  ///< what the index says of them
  QString fingerprint_;
  std::int64_t done_ = 0;
  std::vector<TextSample> waiting_;
  std::size_t waitingBytes_ = 0;
  std::vector<Part> parts_;
  Report report_{names_};
  bool failed_ = false;
  Failure failure_;
};

}  // namespace

Result<QJsonObject> prepareText(const QJsonObject& job, const std::function<void(std::int64_t, std::int64_t)>& progress) {
  const auto kind = textKindNamed(job["kind"].toString());
  if (!kind) return kind.error();
  const auto tokenizer = openTokenizer(job["tokenizer"].toString());
  if (!tokenizer) return tokenizer.error();
  // Texts without turns are written as they are, whatever the folder states.
  const bool turns = *kind == TextKind::Instructions || *kind == TextKind::Preferences;
  QString form = job["template"].toString();
  if (!turns && (form.isEmpty() || form == u"auto" || form == u"folder")) form = ChatTemplate::names().first();
  const auto chat = ChatTemplate::named(form, **tokenizer, job["date"].toString());
  if (!chat) return chat.error();
  return Preparation(job, *tokenizer, *chat, *kind).run(progress);
}

}  // namespace cloister
