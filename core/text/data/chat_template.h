// How a conversation is written for a model: the built-in templates of the families, cut into what is given and what the model has to
// answer. A conversation becomes the same tokens in training and in generation because each stretch up to an answer is encoded by itself.
// Immutable; any thread. Sources: the README and tokenizer_config.json files of DeepSeek, Llama 3, Qwen 2 and Stanford Alpaca.
#pragma once
#include <span>
#include <string>
#include <vector>

#include <QStringList>

#include "core/text/tokenizers/tokenizer.h"

namespace cloister {

struct Turn {
  enum class Role { System, User, Assistant } role = Role::User;
  std::string text;
};

/// A stretch that is encoded by itself (without added begin and end tokens), or one token.
struct ChatSegment {
  std::string text;
  std::int32_t token = -1;
  bool answer = false;  ///< counts in the loss
};

struct ChatForm;

class ChatTemplate {
 public:
  /// deepseek-llm, deepseek-coder, deepseek-v3, llama3, chatml, alpaca.
  static QStringList names();
  /// auto: from the chat_template of the tokenizer's configuration, else from its special tokens, else deepseek-llm. InvalidArgument for a
  /// name nobody knows.
  static Result<ChatTemplate> named(const QString& name, const Tokenizer&);

  const QString& name() const { return name_; }
  /// The whole conversation. When the last turn is not the assistant's it ends where the assistant's answer begins.
  std::vector<ChatSegment> render(std::span<const Turn> turns) const;

 private:
  ChatTemplate(const ChatForm& form, const Tokenizer&);

  QString name_;
  const ChatForm* form_;
  std::int32_t begin_ = -1, end_ = -1;
};

/// System first or not at all, then user and assistant in turn, an answer last. Empty when it is so, else what is wrong.
QString wrongTurns(std::span<const Turn> turns);

}  // namespace cloister
