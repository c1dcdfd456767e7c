// JsonTokenizer: reading the file. Every id, piece and merge is checked here, so that encoding needs no check.
#include "core/text/tokenizers/json_fields.h"
#include "core/text/tokenizers/json_tokenizer.h"

namespace cloister {
namespace {

const std::string kSpace = "▁";

/// "bos_token": a text or {"content": …}.
std::string nameIn(const QJsonObject& config, const char* key) {
  const QJsonValue value = config[QLatin1String(key)];
  return (value.isObject() ? value.toObject()["content"].toString() : value.toString()).toStdString();
}

/// Whether ▁ follows something else within a piece.
bool goesOnBehindSpace(std::string_view piece) {
  std::size_t at = 0;
  while (piece.substr(at).starts_with(kSpace)) at += kSpace.size();
  return piece.find(kSpace, at) != std::string_view::npos;
}

}  // namespace

JsonTokenizer::JsonTokenizer(const QJsonObject& file, const QJsonObject& config, const QString& path, bool fast) {
  const Place root{path, {}};
  config_ = config;
  normalizer_ = Normalizer::read(file["normalizer"], root.in("normalizer"), fast);
  preTokenizer_ = PreTokenizer::read(file["pre_tokenizer"], root.in("pre_tokenizer"), fast);
  decoder_ = Decoder::read(file["decoder"], root.in("decoder"), fast);
  readModel(objectOf(file["model"], root.in("model")), root.in("model"));
  readAdded(file["added_tokens"], root.in("added_tokens"));
  readTemplate(file["post_processor"], root.in("post_processor"), 0);
  readSpecials();
  frameAsLlama();
  description_ = {{"kind", "tokenizer.json"},
                  {"model", "BPE"},
                  {"byteLevel", preTokenizer_.byteLevel()},
                  {"byteFallback", model_->options().byteFallback},
                  {"normalizer", file["normalizer"].toObject()["type"]},
                  {"preTokenizers", QJsonArray::fromStringList(preTokenizer_.names())},
                  {"decoder", file["decoder"].toObject()["type"]}};
}

void JsonTokenizer::readModel(const QJsonObject& model, const Place& place) {
  const QString type = model["type"].toString(model.contains("merges") ? QStringLiteral("BPE") : QString());
  if (type != u"BPE") unsupported(place.in("type"), QStringLiteral("model ") + type);
  const QJsonValue dropout = model["dropout"];
  if (!dropout.isNull() && !dropout.isUndefined() && dropout.toDouble(1) != 0)
    unsupported(place.in("dropout"), QStringLiteral("BPE dropout"));
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!model[QLatin1String(affix)].toString().isEmpty()) unsupported(place.in(QLatin1String(affix)), QLatin1String(affix));
  const QJsonObject vocabulary = objectOf(model["vocab"], place.in("vocab"));
  for (auto it = vocabulary.begin(); it != vocabulary.end(); ++it) {
    const Place at = place.in("vocab").in(it.key());
    const std::string piece = textOf(QJsonValue(it.key()), at);
    if (!vocabulary_.add(piece, idOfValue(it.value(), at))) refuse(at, QStringLiteral("has the id of another piece"));
  }
  all_ = vocabulary_;
  BpeOptions options;
  options.byteLevel = preTokenizer_.byteLevel();
  options.byteFallback = flagOf(model, "byte_fallback", false, place);
  options.fuseUnknown = flagOf(model, "fuse_unk", false, place);
  options.ignoreMerges = flagOf(model, "ignore_merges", false, place);
  // One that is not in the vocabulary is none: byte-level files name tokens here that they never need.
  options.unknown = vocabulary_.find(model["unk_token"].toString().toStdString()).value_or(-1);
  wordsEndAtSpaces_ = !options.byteLevel && !options.ignoreMerges && vocabulary_.find(kSpace).has_value();
  model_ = std::make_unique<BpeModel>(vocabulary_, readMerges(model, place.in("merges")), options);
}

MergeTable JsonTokenizer::readMerges(const QJsonObject& model, const Place& place) {
  const QJsonArray merges = arrayOf(model["merges"], place);
  MergeTable table(std::size_t(merges.size()));
  const auto idFor = [&](const std::string& piece, qsizetype i) {
    const auto id = vocabulary_.find(piece);
    if (!id) refuse(place.at(i), QStringLiteral("names \"%1\", which is not in the vocabulary").arg(QString::fromStdString(piece)));
    return *id;
  };
  for (qsizetype i = 0; i < merges.size(); ++i) {
    std::string left, right;
    if (merges[i].isArray()) {
      const QJsonArray pair = merges[i].toArray();
      if (pair.size() != 2) refuse(place.at(i), QStringLiteral("is not a pair"));
      left = textOf(pair[0], place.at(i));
      right = textOf(pair[1], place.at(i));
    } else {
      const std::string both = textOf(merges[i], place.at(i));
      const std::size_t space = both.find(' ');
      if (space == std::string::npos || both.find(' ', space + 1) != std::string::npos)
        refuse(place.at(i), QStringLiteral("is not a pair"));
      left = both.substr(0, space);
      right = both.substr(space + 1);
    }
    table.add(idFor(left, i), idFor(right, i), std::uint32_t(i), idFor(left + right, i));
    if (goesOnBehindSpace(left + right)) wordsEndAtSpaces_ = false;
  }
  return table;
}

void JsonTokenizer::readAdded(const QJsonValue& value, const Place& place) {
  if (value.isNull() || value.isUndefined()) return;
  const QJsonArray list = arrayOf(value, place);
  for (qsizetype i = 0; i < list.size(); ++i) {
    const QJsonObject object = objectOf(list[i], place.at(i));
    AddedToken token;
    token.content = textOf(object["content"], place.at(i).in("content"));
    token.id = idOfValue(object["id"], place.at(i).in("id"));
    token.special = flagOf(object, "special", false, place.at(i));
    token.strippedLeft = flagOf(object, "lstrip", false, place.at(i));
    token.strippedRight = flagOf(object, "rstrip", false, place.at(i));
    token.singleWord = flagOf(object, "single_word", false, place.at(i));
    token.normalized = flagOf(object, "normalized", !token.special, place.at(i));
    const auto known = all_.find(token.content);
    if (known ? *known != token.id : !all_.add(token.content, token.id))
      refuse(place.at(i), QStringLiteral("%1 has the id of another piece").arg(QString::fromStdString(token.content)));
    addedList_.push_back(token);
  }
  EditedText text;
  for (const AddedToken& token : addedList_) {
    if (!token.normalized) {
      added_.add(token, token.content);
      continue;
    }
    text.assign(token.content, {});
    normalizer_.apply(text);
    addedNormalized_.add(token, std::string(text.view()));
  }
}

void JsonTokenizer::readTemplate(const QJsonValue& value, const Place& place, int depth) {
  if (value.isNull() || value.isUndefined()) return;
  const QJsonObject object = objectOf(value, place);
  const QString type = object["type"].toString();
  if (depth > kDeepest) refuse(place, QStringLiteral("is nested too deeply"));
  if (type == u"Sequence") {
    const QJsonArray parts = arrayOf(object["processors"], place.in("processors"));
    for (qsizetype i = 0; i < parts.size(); ++i) readTemplate(parts[i], place.in("processors").at(i), depth + 1);
  } else if (type == u"TemplateProcessing") {
    readTemplateItems(object, place);
  } else if (type == u"BertProcessing" || type == u"RobertaProcessing") {
    const auto id = [&](const QString& name) { return idOfValue(arrayOf(object[name], place.in(name)).at(1), place.in(name)); };
    before_.insert(before_.begin(), id(QStringLiteral("cls")));
    behind_.push_back(id(QStringLiteral("sep")));
  } else if (type != u"ByteLevel") {  // that one changes offsets only
    unsupported(place, QStringLiteral("post-processor ") + type);
  }
}

void JsonTokenizer::readTemplateItems(const QJsonObject& object, const Place& place) {
  const QJsonObject known = object["special_tokens"].toObject();
  const QJsonArray items = arrayOf(object["single"], place.in("single"));
  std::vector<std::int32_t> before, behind;
  bool text = false;
  for (qsizetype i = 0; i < items.size(); ++i) {
    const Place at = place.in("single").at(i);
    const QJsonObject item = objectOf(items[i], at);
    if (item.contains("Sequence")) {
      if (text) unsupported(at, QStringLiteral("template with the text twice"));
      text = true;
      continue;
    }
    const QString name = objectOf(item["SpecialToken"], at)["id"].toString();
    const QJsonArray ids = arrayOf(known[name].toObject()["ids"], place.in("special_tokens").in(name));
    for (const QJsonValue& id : ids) (text ? behind : before).push_back(idOfValue(id, place.in("special_tokens").in(name)));
  }
  if (!text) unsupported(place.in("single"), QStringLiteral("template without the text"));
  before_.insert(before_.begin(), before.begin(), before.end());
  behind_.insert(behind_.end(), behind.begin(), behind.end());
}

void JsonTokenizer::readSpecials() {
  isSpecial_.assign(std::size_t(all_.size()), false);
  for (const AddedToken& token : addedList_) {
    isSpecial_[std::size_t(token.id)] = token.special;
    specials_.push_back({token.id, token.content, token.special});
  }
  const auto named = [&](const char* key) { return all_.find(nameIn(config_, key)).value_or(-1); };
  special_ = {named("bos_token"), named("eos_token"), named("pad_token"), named("unk_token")};
  if (special_.unknown < 0) special_.unknown = model_->options().unknown;
  if (special_.begin < 0 && before_.size() == 1) special_.begin = before_[0];
  if (special_.end < 0 && behind_.size() == 1) special_.end = behind_[0];
}

/// The Llama classes of transformers set the template by add_bos_token and add_eos_token, whatever the file says.
void JsonTokenizer::frameAsLlama() {
  if (!config_["tokenizer_class"].toString().startsWith(QStringLiteral("LlamaTokenizer"))) return;
  const auto frame = [](const QJsonValue& wanted, std::int32_t id, std::vector<std::int32_t>& ids) {
    if (!wanted.isBool() || id < 0) return;
    ids.clear();
    if (wanted.toBool()) ids.push_back(id);
  };
  frame(config_["add_bos_token"], special_.begin, before_);
  frame(config_["add_eos_token"], special_.end, behind_);
}

}  // namespace cloister
