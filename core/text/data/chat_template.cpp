#include "core/text/data/chat_template.h"

#include <algorithm>
#include <array>

#include <QDate>
#include <QJsonArray>

#include "core/text/jinja/machine.h"
#include "core/text/tokenizers/unicode.h"

namespace cloister {

/// What stands around each turn. An answer is answerBefore + text + answerEnd, which count in the loss, and answerBehind, which does not.
struct ChatForm {
  const char* name;
  const char* mark;  ///< what a vocabulary of this family holds
  bool begin;        ///< the begin token comes first
  bool endToken;     ///< the end token stands behind an answer
  const char* noSystem;
  const char *systemBefore, *systemBehind;
  const char *userBefore, *userBehind;  ///< up to the answer
  const char *answerBefore, *answerEnd, *answerBehind;
};

namespace {

const char kCoderSystem[] =
    "You are an AI programming assistant, utilizing the DeepSeek Coder model, developed by DeepSeek Company, and you only answer questions "
    "related to computer science. For politically sensitive questions, security and privacy issues, and other non-computer science "
    "questions, "
    "you will refuse to answer.\n";
const char kAlpacaSystem[] =
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n";

constexpr const char* kUser3 = "<|start_header_id|>user<|end_header_id|>\n\n";
constexpr const char* kAnswer3 = "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n";

const std::array kForms{
    ChatForm{"deepseek-v3", "<｜User｜>", true, true, "", "", "", "<｜User｜>", "<｜Assistant｜>", "", "", ""},
    ChatForm{"llama3", "<|start_header_id|>", true, false, "", "<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>", kUser3,
             kAnswer3, "", "<|eot_id|>", ""},
    ChatForm{"chatml", "<|im_start|>", false, false, "", "<|im_start|>system\n", "<|im_end|>\n", "<|im_start|>user\n",
             "<|im_end|>\n<|im_start|>assistant\n", "", "<|im_end|>", "\n"},
    ChatForm{"deepseek-coder", "<|EOT|>", true, false, kCoderSystem, "", "", "### Instruction:\n", "\n### Response:\n", "", "\n<|EOT|>",
             "\n"},
    ChatForm{"alpaca", nullptr, true, true, kAlpacaSystem, "", "\n\n", "### Instruction:\n", "\n\n### Response:\n", "", "", ""},
    ChatForm{"deepseek-llm", nullptr, true, true, "", "", "\n\n", "User: ", "\n\nAssistant:", " ", "", ""},
};

/// Which family's special tokens the vocabulary has.
const ChatForm& recognised(const Tokenizer& tokenizer) {
  for (const ChatForm& form : kForms)
    if (form.mark && tokenizer.idOf(form.mark)) return form;
  return kForms.back();
}

/// The template for conversations without tools, as transformers chooses it: the only one, or the one named default. Empty: states none;
/// null text: several and none of them is the default.
struct Stated {
  bool any = false;
  QString text;
};
Stated statedBy(const QJsonObject& config) {
  const QJsonValue stated = config["chat_template"];
  if (stated.isString()) return {true, stated.toString()};
  const QJsonArray named = stated.toArray();
  for (const QJsonValue& one : named)
    if (one["name"].toString() == u"default") return {true, one["template"].toString()};
  return {!named.isEmpty(), {}};
}

/// Two characters for private use, which stand in no text of a person.
const std::string kOtherAnswer = "\xEE\x80\x81\xEE\x80\x82";

/// A special token as a configuration names it: a text, or an object with its content.
std::string namedToken(const QJsonValue& value) { return (value.isObject() ? value["content"] : value).toString().toStdString(); }

std::string well(const std::string& text) { return isValidUtf8(text) ? text : repairedUtf8(text); }

std::string_view stripped(std::string_view text) { return jinja::stripped(text, nullptr, true, true); }

}  // namespace

QStringList ChatTemplate::names() {
  QStringList names;
  for (const ChatForm& form : kForms) names << QLatin1String(form.name);
  return names;
}

QString ChatTemplate::statedIn(const QJsonObject& config) { return statedBy(config).text; }

Result<ChatTemplate> ChatTemplate::named(const QString& name, const Tokenizer& tokenizer, const QString& date) {
  const Stated stated = statedBy(tokenizer.config());
  if (name == u"folder" || (stated.any && (name.isEmpty() || name == u"auto"))) {
    if (!stated.any)
      return Failure{
          FailureKind::InvalidArgument, {{"name", "--template"}, {"value", name}, {"allowed", "auto, " + names().join(", ")}}, {}};
    if (stated.text.isNull())
      return Failure{
          FailureKind::TemplateFailed,
          {{"path", tokenizer.templatePath()}, {"line", 1}, {"column", 1}, {"why", "several templates, and none is named default"}},
          {}};
    const std::string source = stated.text.toStdString();
    const auto jinja = JinjaTemplate::parse(source, tokenizer.templatePath());
    if (!jinja) return jinja.error();
    ChatTemplate chat(*jinja, tokenizer);
    chat.asksForDate_ = source.find("strftime_now") != std::string::npos;
    if (date.isEmpty()) return chat;
    const QDate day = QDate::fromString(date, Qt::ISODate);
    if (!day.isValid() || day.year() < 1)
      return Failure{FailureKind::InvalidArgument, {{"name", "--date"}, {"value", date}, {"allowed", "YYYY-MM-DD"}}, {}};
    chat.date_ = jinja::Date{day.year(), day.month(), day.day()};
    return chat;
  }
  if (name.isEmpty() || name == u"auto") return ChatTemplate(recognised(tokenizer), tokenizer);
  for (const ChatForm& form : kForms)
    if (name == QLatin1String(form.name)) return ChatTemplate(form, tokenizer);
  return Failure{
      FailureKind::InvalidArgument, {{"name", "--template"}, {"value", name}, {"allowed", "auto, folder, " + names().join(", ")}}, {}};
}

ChatTemplate::ChatTemplate(const ChatForm& form, const Tokenizer& tokenizer) : name_(QLatin1String(form.name)), form_(&form) {
  if (form.begin) begin_ = tokenizer.special().begin;
  if (form.endToken) end_ = tokenizer.special().end;
}

ChatTemplate::ChatTemplate(std::shared_ptr<const JinjaTemplate> jinja, const Tokenizer& tokenizer)
    : name_(QStringLiteral("folder")), jinja_(std::move(jinja)), path_(tokenizer.templatePath()) {
  const SpecialIds ids = tokenizer.special();
  for (const auto& [name, id] : {std::pair{"bos_token", ids.begin}, std::pair{"eos_token", ids.end}, std::pair{"pad_token", ids.pad},
                                 std::pair{"unk_token", ids.unknown}}) {
    const QJsonValue stated = tokenizer.config()[QLatin1String(name)];
    // A null in the configuration says that there is none, whatever the vocabulary holds.
    const std::string text = !stated.isUndefined() ? namedToken(stated) : id >= 0 ? tokenizer.pieceOf(id) : std::string();
    if (!text.empty()) known_.emplace_back(name, jinja::Value(well(text)));
  }
  for (const SpecialToken& token : tokenizer.specialTokens())
    if (token.special && !token.text.empty()) specials_.push_back(token.text);
}

QJsonObject ChatTemplate::identity() const {
  if (!asksForDate_ || !date_) return {};
  return {{"date", QDate(date_->year, date_->month, date_->day).toString(Qt::ISODate)}};
}

Failure ChatTemplate::failed(const QString& why) const {
  return {FailureKind::TemplateFailed, {{"path", path_}, {"line", 1}, {"column", 1}, {"why", why}}, {}};
}

// Built-in forms.

std::vector<ChatTemplate::Segment> ChatTemplate::segments(std::span<const Turn> turns, bool continued) const {
  std::vector<Segment> all;
  std::string open;  // what is given since the last answer
  const auto close = [&] {
    if (!open.empty()) all.push_back({std::move(open), -1, false});
    open.clear();
  };
  if (begin_ >= 0) all.push_back({{}, begin_, false});
  if (turns.empty() || turns[0].role != Turn::Role::System) open = form_->noSystem;
  for (const Turn& turn : turns) {
    switch (turn.role) {
      case Turn::Role::System:
        open += form_->systemBefore + turn.text + form_->systemBehind;
        break;
      case Turn::Role::User:
        open += form_->userBefore + turn.text + form_->userBehind;
        break;
      case Turn::Role::Assistant:
        close();
        if (continued && &turn == &turns.back()) {
          all.push_back({form_->answerBefore + turn.text, -1, true});
          break;
        }
        all.push_back({form_->answerBefore + turn.text + form_->answerEnd, -1, true});
        if (end_ >= 0) all.push_back({{}, end_, true});
        open = form_->answerBehind;
    }
  }
  close();
  return all;
}

Result<ChatTokens> ChatTemplate::segmentTokens(const Tokenizer& tokenizer, const std::vector<Segment>& all) const {
  ChatTokens out;
  bool before = false;
  for (const Segment& segment : all) {
    if (segment.answer && !before) ++out.last;
    before = segment.answer;
    std::vector<std::int32_t> ids{segment.token};
    if (segment.token < 0) {
      auto encoded = tokenizer.encode(segment.text, {false});
      if (!encoded) return encoded.error();
      ids = std::move(*encoded);
    }
    out.ids.insert(out.ids.end(), ids.begin(), ids.end());
    out.answer.resize(out.ids.size(), segment.answer ? out.last : 0);
  }
  return out;
}

// Templates of folders.

Result<jinja::Output> ChatTemplate::render(std::span<const Turn> turns, bool open) const {
  using jinja::Value;
  jinja::Values messages;
  for (const Turn& turn : turns) {
    jinja::Mapping m;
    const char* role = turn.role == Turn::Role::System ? "system" : turn.role == Turn::Role::User ? "user" : "assistant";
    m.set(Value(std::string("role")), Value(std::string(role)));
    m.set(Value(std::string("content")), Value(well(turn.text)));
    messages.push_back(Value::mapping(std::move(m)));
  }
  auto context = known_;
  context.emplace_back("messages", Value::list(std::move(messages)));
  context.emplace_back("tools", Value::none());
  context.emplace_back("documents", Value::none());
  context.emplace_back("add_generation_prompt", Value(open));
  auto made = jinja_->render(context, date_);
  if (made || !asksForDate_ || date_ || !made.error().args["why"].toString().contains(u"strftime_now")) return made;
  Failure failure = made.error();
  failure.args["why"] = QStringLiteral("it asks for the day; give one with --date YYYY-MM-DD");
  return failure;
}

Result<std::string> ChatTemplate::continued(std::span<const Turn> turns) const {
  static constexpr std::string_view kTag = "CONTINUE_FINAL_MESSAGE_TAG ";
  std::vector<Turn> tagged(turns.begin(), turns.end());
  tagged.back().text += kTag;
  const auto made = render(tagged, false);
  if (!made) return made.error();
  const std::string& text = made->text;
  const std::size_t at = text.rfind(kTag.substr(0, kTag.size() - 1));
  if (at == std::string::npos || text.find(stripped(well(turns.back().text))) == std::string::npos)
    return failed(QStringLiteral("the last message does not stand in what the template writes, so it cannot be continued"));
  const std::string_view before = std::string_view(text).substr(0, at);
  if (text.compare(at, kTag.size(), kTag) == 0) return std::string(before);
  return std::string(jinja::stripped(before, nullptr, false, true));
}

/// The answer that ends these turns, in the text that the template writes for them.
Result<ChatTemplate::Span> ChatTemplate::answerAt(std::span<const Turn> upTo, const std::string& text) const {
  const auto given = upTo.first(upTo.size() - 1);
  const auto open = render(given, true);
  if (!open) return open.error();
  std::size_t from = open->text.size();
  if (!text.starts_with(open->text)) {
    // What opens an answer for generation is not what stands before one that was given, or what was said before is written differently
    // now: the answer is where another one would stand.
    std::vector<Turn> other(upTo.begin(), upTo.end());
    other.back().text = kOtherAnswer;
    const auto marked = render(other, false);
    if (!marked) return marked.error();
    from = marked->text.rfind(kOtherAnswer);
    if (from == std::string::npos || text.compare(0, from, marked->text, 0, from) != 0)
      return failed(QStringLiteral("where an answer begins cannot be told from what the template writes"));
  }
  // White space behind the token that ends an answer is not asked of the model.
  std::size_t to = text.size();
  const std::string_view words = jinja::stripped(std::string_view(text).substr(from), nullptr, false, true);
  if (std::any_of(specials_.begin(), specials_.end(), [&](const std::string& s) { return words.ends_with(s); })) to = from + words.size();
  return Span{from, to, 0};
}

Result<std::vector<ChatTemplate::Span>> ChatTemplate::answers(std::span<const Turn> turns, const jinja::Output& whole,
                                                              QStringList& notes) const {
  std::vector<Span> all;
  std::int32_t number = 0;
  if (!whole.generation.empty()) {  // the template says it itself
    for (const auto& [from, to] : whole.generation) all.push_back({from, to, ++number});
    return all;
  }
  for (std::size_t i = 0; i < turns.size(); ++i) {
    if (turns[i].role != Turn::Role::Assistant) continue;
    ++number;
    const auto upTo = turns.first(i + 1);
    std::string text = whole.text;
    if (i + 1 < turns.size()) {
      const auto part = render(upTo, false);
      if (!part) return part.error();
      text = part->text;
      if (!whole.text.starts_with(text)) {
        notes << QStringLiteral("answer %1 does not count: the template writes it differently once more follows").arg(number);
        continue;
      }
    }
    auto span = answerAt(upTo, text);
    if (!span) return span.error();
    span->answer = number;
    all.push_back(*span);
  }
  return all;
}

// What is asked of both.

Result<std::string> ChatTemplate::text(std::span<const Turn> turns, bool open) const {
  if (form_) return failed(QStringLiteral("a built-in form is written token by token"));
  auto made = render(turns, open);
  if (!made) return made.error();
  return std::move(made->text);
}

Result<ChatTokens> ChatTemplate::tokens(const Tokenizer& tokenizer, std::span<const Turn> turns) const {
  if (form_) return segmentTokens(tokenizer, segments(turns, false));
  const auto whole = render(turns, false);
  if (!whole) return whole.error();
  ChatTokens out;
  const auto spans = answers(turns, *whole, out.notes);
  if (!spans) return spans.error();
  const auto pieces = tokenizer.pieces(whole->text, {false});
  if (!pieces) return pieces.error();
  std::size_t at = 0;
  for (const Piece& piece : *pieces) {
    while (at < spans->size() && piece.from >= (*spans)[at].to) ++at;
    const bool answer = at < spans->size() && piece.to > (*spans)[at].from;
    out.ids.push_back(piece.id);
    out.answer.push_back(answer ? (*spans)[at].answer : 0);
    out.last = std::max(out.last, out.answer.back());
  }
  return out;
}

Result<std::vector<std::int32_t>> ChatTemplate::prompt(const Tokenizer& tokenizer, std::span<const Turn> turns) const {
  const bool goesOn = !turns.empty() && turns.back().role == Turn::Role::Assistant;
  if (form_) {
    auto made = segmentTokens(tokenizer, segments(turns, goesOn));
    if (!made) return made.error();
    return std::move(made->ids);
  }
  const auto written = goesOn ? continued(turns) : text(turns, true);
  if (!written) return written.error();
  return tokenizer.encode(*written, {false});
}

std::int32_t ChatTemplate::endOfAnswer(const Tokenizer& tokenizer) const {
  const std::vector<Turn> answered{{Turn::Role::User, "?"}, {Turn::Role::Assistant, "!"}};
  const auto made = tokens(tokenizer, answered);
  if (!made) return -1;
  std::int32_t last = -1;
  for (std::size_t i = 0; i < made->ids.size(); ++i)
    if (made->answer[i] > 0) last = made->ids[i];
  for (const SpecialToken& special : tokenizer.specialTokens())
    if (special.special && special.id == last) return last;
  return -1;
}

QString wrongTurns(std::span<const Turn> turns) {
  std::size_t at = !turns.empty() && turns[0].role == Turn::Role::System ? 1 : 0;
  if (at == turns.size()) return QStringLiteral("no question");
  for (bool user = true; at < turns.size(); ++at, user = !user) {
    if (turns[at].role != (user ? Turn::Role::User : Turn::Role::Assistant))
      return QStringLiteral("questions and answers do not take turns");
    if (turns[at].text.empty()) return user ? QStringLiteral("empty question") : QStringLiteral("empty answer");
  }
  return turns.back().role == Turn::Role::Assistant ? QString() : QStringLiteral("no answer");
}

}  // namespace cloister
