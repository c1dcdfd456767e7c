// How a conversation is written for a model: as the chat template of its folder states it (Jinja, core/text/jinja), or in a built-in form
// of a family, and which of its tokens are answers. Immutable; any thread. A folder's template is untrusted: child processes only. Sources:
// transformers' apply_chat_template, and the README and tokenizer_config.json files of DeepSeek, Llama 3, Qwen 2 and Stanford Alpaca.
#pragma once
#include <span>
#include <string>
#include <vector>

#include <QStringList>

#include "core/text/jinja/jinja_template.h"
#include "core/text/tokenizers/tokenizer.h"

namespace cloister {

struct Turn {
  enum class Role { System, User, Assistant } role = Role::User;
  std::string text;
};

/// A conversation in tokens.
struct ChatTokens {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> answer;  ///< per token: 0 given, k of the k-th answer, which counts in the loss
  std::int32_t last = 0;             ///< number of the last answer
  QStringList notes;                 ///< answers that do not count, and why
};

struct ChatForm;

class ChatTemplate {
 public:
  /// The built-in forms: deepseek-llm, deepseek-coder, deepseek-v3, llama3, chatml, alpaca.
  static QStringList names();
  /// folder: the template that the tokenizer's folder states. auto: that one, and without one the built-in form whose special tokens the
  /// vocabulary has, else deepseek-llm. date: YYYY-MM-DD for templates that ask for the day, empty: they are told none. InvalidArgument for
  /// a name nobody knows and for a folder without a template, TemplateFailed.
  static Result<ChatTemplate> named(const QString& name, const Tokenizer&, const QString& date = {});

  /// The template that a configuration states for conversations without tools; empty: none, or several of which none is named default.
  static QString statedIn(const QJsonObject& config);

  /// "folder" or the name of a built-in form.
  const QString& name() const { return name_; }
  /// Whatever decides about the tokens besides the tokenizer: the date where it is asked for.
  QJsonObject identity() const;

  /// The conversation as it is written. Ends where the assistant's answer begins (open), or behind the last turn.
  Result<std::string> text(std::span<const Turn> turns, bool open) const;
  /// For training: the last turn is an answer. TemplateFailed also where an answer cannot be found in what the template writes.
  Result<ChatTokens> tokens(const Tokenizer&, std::span<const Turn> turns) const;
  /// For generation: ends where the answer begins; a last turn of the assistant is left open, to be continued.
  Result<std::vector<std::int32_t>> prompt(const Tokenizer&, std::span<const Turn> turns) const;
  /// The special token that ends an answer, -1 when none does.
  std::int32_t endOfAnswer(const Tokenizer&) const;

 private:
  struct Segment {
    std::string text;
    std::int32_t token = -1;
    bool answer = false;
  };
  struct Span {
    std::size_t from = 0, to = 0;
    std::int32_t answer = 0;
  };
  ChatTemplate(const ChatForm& form, const Tokenizer&);
  ChatTemplate(std::shared_ptr<const JinjaTemplate> jinja, const Tokenizer&);

  // Built-in forms: every stretch is encoded by itself.
  std::vector<Segment> segments(std::span<const Turn> turns, bool continued) const;
  Result<ChatTokens> segmentTokens(const Tokenizer&, const std::vector<Segment>&) const;

  // Templates of folders: the whole is encoded at once.
  Result<jinja::Output> render(std::span<const Turn> turns, bool open) const;
  Result<std::string> continued(std::span<const Turn> turns) const;
  Result<std::vector<Span>> answers(std::span<const Turn> turns, const jinja::Output& whole, QStringList& notes) const;
  Result<Span> answerAt(std::span<const Turn> upTo, const std::string& text) const;
  Failure failed(const QString& why) const;

  QString name_;
  const ChatForm* form_ = nullptr;
  std::int32_t begin_ = -1, end_ = -1;
  std::shared_ptr<const JinjaTemplate> jinja_;
  std::vector<std::pair<std::string, jinja::Value>> known_;  ///< bos_token and the others, as the configuration names them
  std::vector<std::string> specials_;
  std::optional<jinja::Date> date_;
  bool asksForDate_ = false;
  QString path_;
};

/// System first or not at all, then user and assistant in turn, an answer last. Empty when it is so, else what is wrong.
QString wrongTurns(std::span<const Turn> turns);

}  // namespace cloister
