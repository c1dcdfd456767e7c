#include "core/text/data/chat_template.h"

#include <array>

namespace cloister {

/// What stands around each turn. An answer is answerBefore + text + answerEnd, which count in the loss, and answerBehind, which does not.
struct ChatForm {
  const char* name;
  const char* mark;  ///< what a chat_template or a vocabulary of this family holds
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

const ChatForm& recognised(const Tokenizer& tokenizer) {
  const QString written = tokenizer.config()["chat_template"].toString();
  for (const ChatForm& form : kForms)
    if (form.mark && (written.isEmpty() ? tokenizer.idOf(form.mark).has_value() : written.contains(QString::fromUtf8(form.mark))))
      return form;
  return kForms.back();
}

}  // namespace

QStringList ChatTemplate::names() {
  QStringList names;
  for (const ChatForm& form : kForms) names << QLatin1String(form.name);
  return names;
}

Result<ChatTemplate> ChatTemplate::named(const QString& name, const Tokenizer& tokenizer) {
  if (name.isEmpty() || name == u"auto") return ChatTemplate(recognised(tokenizer), tokenizer);
  for (const ChatForm& form : kForms)
    if (name == QLatin1String(form.name)) return ChatTemplate(form, tokenizer);
  return Failure{FailureKind::InvalidArgument, {{"name", "--template"}, {"value", name}, {"allowed", "auto, " + names().join(", ")}}, {}};
}

ChatTemplate::ChatTemplate(const ChatForm& form, const Tokenizer& tokenizer) : name_(QLatin1String(form.name)), form_(&form) {
  if (form.begin) begin_ = tokenizer.special().begin;
  if (form.endToken) end_ = tokenizer.special().end;
}

std::vector<ChatSegment> ChatTemplate::render(std::span<const Turn> turns) const {
  std::vector<ChatSegment> segments;
  std::string open;  // what is given since the last answer
  const auto close = [&] {
    if (!open.empty()) segments.push_back({std::move(open), -1, false});
    open.clear();
  };
  if (begin_ >= 0) segments.push_back({{}, begin_, false});
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
        segments.push_back({form_->answerBefore + turn.text + form_->answerEnd, -1, true});
        if (end_ >= 0) segments.push_back({{}, end_, true});
        open = form_->answerBehind;
    }
  }
  close();
  return segments;
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
