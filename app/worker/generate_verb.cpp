// generate and filter-logits: tokens from a language model, and the logits filters alone for comparison with other implementations.
#include <algorithm>
#include <chrono>

#include <ATen/ops/tensor.h>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>

#include "app/worker/text_stream.h"
#include "app/worker/token_ids.h"
#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/engine/engine_failure.h"
#include "core/engine/generate/generator.h"
#include "core/engine/models/decoder/adapter.h"
#include "core/engine/models/decoder/decoder_folder.h"
#include "core/text/data/chat_template.h"
#include "core/text/tokenizers/tokenizer.h"

namespace cloister {
namespace {

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

WeightsAs precisionOf(const QString& word) {
  if (word == u"stored") return WeightsAs::Stored;
  if (word == u"fp32") return WeightsAs::Float32;
  if (word == u"bf16") return WeightsAs::BFloat16;
  throw EngineFailure({FailureKind::InvalidArgument, {{"name", "precision"}, {"value", word}, {"allowed", "stored, fp32, bf16"}}, {}});
}

// generation_config.json says what ends a text where it differs from config.json (chat models).
TokenIds endsOf(const QString& dir, const DecoderConfig& config) {
  const QString path = dir + "/generation_config.json";
  if (!QFileInfo::exists(path)) return config.eos;
  const QJsonValue eos = orThrow(readJson(path, 1 << 20))["eos_token_id"];
  TokenIds ends;
  for (const QJsonValue& v : eos.isArray() ? eos.toArray() : QJsonArray{eos})
    if (v.toInteger(-1) >= 0) ends.push_back(v.toInteger());
  return ends.empty() ? config.eos : ends;
}

QJsonArray toJson(const TokenIds& tokens) {
  QJsonArray list;
  for (auto t : tokens) list.append(qint64(t));
  return list;
}

// What generate was asked for, opened.
struct Conversation {
  GenerateSettings settings;
  std::unique_ptr<DecoderModel> model;
  std::shared_ptr<Tokenizer> tokenizer;  ///< null: token numbers in and out
  std::vector<TokenIds> prompts;
  std::vector<std::string> stops;
  QString form;  ///< name of the chat template, with messages
};

// Ends where a stop string is complete in the last tokens; a string of n bytes cannot span more than n tokens that say something.
void stopAtStrings(Conversation& c) {
  if (c.stops.empty()) return;
  std::size_t window = 8;
  for (const std::string& stop : c.stops) window = std::max(window, stop.size() + 8);
  c.settings.stopsHere = [&c, window](std::int64_t sequence, const TokenIds& tokens) {
    const std::size_t count = std::min(window, tokens.size());
    TokenIds before =
        count < tokens.size() ? TokenIds(tokens.begin(), tokens.end() - std::ptrdiff_t(count)) : c.prompts[std::size_t(sequence)];
    const std::string text = textOf(*c.tokenizer, before, TokenIds(tokens.end() - std::ptrdiff_t(count), tokens.end()));
    return std::any_of(c.stops.begin(), c.stops.end(), [&](const std::string& stop) { return text.find(stop) != std::string::npos; });
  };
}

std::vector<Turn> turnsOf(const QJsonArray& messages) {
  std::vector<Turn> turns;
  for (const QJsonValue& m : messages) {
    const QString role = m["role"].toString();
    turns.push_back({role == u"system"      ? Turn::Role::System
                     : role == u"assistant" ? Turn::Role::Assistant
                                            : Turn::Role::User,
                     m["content"].toString().toStdString()});
  }
  return turns;
}

// The conversation as the chat template writes it. What ends an answer in the template ends it here too: a tuned model has learnt it, and
// its base's configuration may name another token.
void addMessages(Conversation& c, const QJsonObject& request) {
  const ChatTemplate form = orThrow(ChatTemplate::named(request["template"].toString(), *c.tokenizer, request["date"].toString()));
  c.form = form.name();
  const auto prompt = orThrow(form.prompt(*c.tokenizer, turnsOf(request["messages"].toArray())));
  c.prompts.emplace_back(prompt.begin(), prompt.end());
  const std::int32_t end = form.endOfAnswer(*c.tokenizer);
  if (end >= 0 && !request["ignore_end"].toBool()) c.settings.ends.push_back(end);
}

std::unique_ptr<Conversation> openConversation(const QJsonObject& request) {
  auto c = std::make_unique<Conversation>();
  c->settings = orThrow(GenerateSettings::fromJson(request));
  const QString dir = request["model"].toString();
  DecoderFolder folder = readDecoderFolder(dir, precisionOf(request["precision"].toString("stored")));
  if (!request["ignore_end"].toBool()) c->settings.ends = endsOf(dir, folder.config);
  c->model = std::make_unique<DecoderModel>(folder.config, std::move(folder.tensors));
  if (const QString adapter = request["adapter"].toString(); !adapter.isEmpty()) readAdapter(adapter, *c->model);
  const QJsonArray texts = request["prompts"].toArray(), stops = request["stop"].toArray(), messages = request["messages"].toArray();
  if (!texts.isEmpty() || !stops.isEmpty() || !messages.isEmpty()) {
    const QString words = request["tokenizer"].toString(dir);
    c->tokenizer = orThrow(openTokenizer(words));
    orThrow(checkVocabulary(*c->tokenizer, c->model->config().vocabulary, words));
  }
  for (const QJsonValue& text : texts) {
    const auto ids = orThrow(c->tokenizer->encode(text.toString().toStdString()));
    c->prompts.emplace_back(ids.begin(), ids.end());
  }
  if (!messages.isEmpty()) addMessages(*c, request);
  else if (texts.isEmpty()) c->prompts = readTokenIds(request["ids"].toString());
  for (const QJsonValue& stop : stops)
    if (!stop.toString().isEmpty()) c->stops.push_back(stop.toString().toStdString());
  stopAtStrings(*c);
  return c;
}

// The text up to the stop string that ended it.
QString shownText(const Conversation& c, std::size_t sequence, const Generated& g) {
  std::string text = textOf(*c.tokenizer, c.prompts[sequence], g.tokens);
  for (const std::string& stop : c.stops) text.resize(std::min(text.size(), text.find(stop)));
  return QString::fromStdString(text);
}

}  // namespace

// request: {"model","adapter","tokenizer": another folder than the model's, "prompts":[texts] or "ids":FILE or
// "messages":[{"role","content"}] with "template" and "date","stop":[texts],"precision","ignore_end", and the members of GenerateSettings}
int generateVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    const auto c = openConversation(orThrow(readJson(option(arguments, "request"))));
    std::vector<TextStream> streams;
    if (c->tokenizer)
      for (const TokenIds& prompt : c->prompts) streams.emplace_back(*c->tokenizer, prompt);
    QJsonObject ready{{"type", "ready"}, {"context", qint64(c->model->config().context)}};
    if (!c->form.isEmpty()) ready["template"] = c->form;
    QJsonArray lengths;
    for (const TokenIds& prompt : c->prompts) lengths.append(qint64(prompt.size()));
    ready["promptTokens"] = lengths;
    say(ready);
    const Clock::time_point start = Clock::now();
    double first = 0;
    qint64 count = 0;
    const std::vector<Generated> all = generate(*c->model, c->prompts, c->settings, [&](std::int64_t sequence, std::int64_t token) {
      if (first == 0) first = secondsSince(start);
      if (token < 0) return true;
      QJsonObject line{{"type", "token"}, {"sequence", qint64(sequence)}, {"token", qint64(token)}, {"seconds", secondsSince(start)}};
      if (c->tokenizer) line["text"] = QString::fromStdString(streams[std::size_t(sequence)].add(token));
      say(line);
      return true;
    });
    const double seconds = std::max(1e-9, secondsSince(start));
    QJsonArray sequences;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Generated& g = all[i];
      count += qint64(g.tokens.size());
      QJsonObject one{{"tokens", toJson(g.tokens)}, {"reason", g.reason}};
      if (c->settings.beams > 1) one["score"] = g.score;
      if (c->tokenizer) one["text"] = shownText(*c, i, g);
      sequences.append(one);
    }
    say({{"type", "finished"},
         {"sequences", sequences},
         {"newTokens", count},
         {"firstTokenSeconds", first},
         {"tokensPerSecond", double(count) / seconds}});
  });
}

// The input holds "logits" F32 [B, V] and "history" I64 [B, T] (every token counts); settings as JSON text.
int filterLogitsVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    const NamedTensors given = readTensors(option(arguments, "input"));
    const QJsonObject o = QJsonDocument::fromJson(option(arguments, "settings").toUtf8()).object();
    const SamplingSettings settings = orThrow(SamplingSettings::fromJson(o));
    const at::Tensor history = given.at("history").contiguous();
    std::vector<TokenIds> rows;
    for (std::int64_t i = 0; i < history.size(0); ++i) {
      const std::int64_t* p = history.const_data_ptr<std::int64_t>() + i * history.size(1);
      rows.emplace_back(p, p + history.size(1));
    }
    const at::Tensor processed = processedLogits(given.at("logits"), rows, settings);
    TokenIds drawn;
    std::vector<std::int64_t> sequence;
    for (std::int64_t i = 0; i < history.size(0); ++i) sequence.push_back(i);
    for (std::int64_t step = 0; step < o["draws"].toInteger(0); ++step)
      for (std::int64_t t : chooseTokens(processed, settings, sequence, step)) drawn.push_back(t);
    saveTensors(option(arguments, "to"), {{"logits", processed}, {"drawn", at::tensor(drawn, at::kLong)}});
    say({{"type", "finished"}});
  });
}

}  // namespace cloister
