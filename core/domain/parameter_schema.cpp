#include "core/domain/parameter_schema.h"

#include <cmath>

#include <QJsonArray>

namespace cloister {
namespace {

constexpr std::pair<const char*, ParameterType> kTypes[] = {{"integer", ParameterType::Integer}, {"number", ParameterType::Number},
                                                            {"boolean", ParameterType::Boolean}, {"choice", ParameterType::Choice},
                                                            {"text", ParameterType::Text},       {"file", ParameterType::File}};

Failure refused(const Parameter& p, const QJsonValue& value) {
  QString allowed;
  switch (p.type) {
    case ParameterType::Choice:
      allowed = p.choices.join(", ");
      break;
    case ParameterType::Boolean:
      allowed = QStringLiteral("true, false");
      break;
    case ParameterType::Integer:
    case ParameterType::Number:
      allowed = QString::number(p.minimum) + " – " + QString::number(p.maximum);
      break;
    default:
      allowed = QStringLiteral("text");
  }
  return {FailureKind::InvalidArgument, {{"name", p.key}, {"value", value.toVariant().toString()}, {"allowed", allowed}}, {}};
}

Result<QJsonValue> converted(const Parameter& p, const QJsonValue& given) {
  if (given.isNull() || given.isUndefined()) return p.defaultValue;
  if (given.isString() && given.toString() == u"auto" && p.defaultValue.isNull()) return QJsonValue();
  switch (p.type) {
    case ParameterType::Integer:
    case ParameterType::Number: {
      bool ok = true;
      const double number = given.isString() ? given.toString().toDouble(&ok) : given.toDouble(std::nan(""));
      if (!ok || !std::isfinite(number) || number < p.minimum || number > p.maximum) return refused(p, given);
      if (p.type == ParameterType::Integer) {
        if (number != std::floor(number)) return refused(p, given);
        return QJsonValue(qint64(number));
      }
      return QJsonValue(number);
    }
    case ParameterType::Boolean: {
      if (given.isBool()) return given;
      const QString text = given.toString().toLower();
      if (text == u"true" || text == u"1" || text == u"yes" || text == u"on") return QJsonValue(true);
      if (text == u"false" || text == u"0" || text == u"no" || text == u"off") return QJsonValue(false);
      return refused(p, given);
    }
    case ParameterType::Choice:
      if (!p.choices.contains(given.toString())) return refused(p, given);
      return given;
    case ParameterType::Text:
    case ParameterType::File:
      if (!given.isString()) return refused(p, given);
      return given;
  }
  return refused(p, given);
}

}  // namespace

Result<ParameterSchema> ParameterSchema::fromJson(const QJsonObject& o) {
  ParameterSchema schema;
  const QJsonArray parameters = o["parameters"].toArray();
  for (const QJsonValue& v : parameters) {
    const QJsonObject e = v.toObject();
    Parameter p;
    p.key = e["key"].toString();
    const auto* type =
        std::find_if(std::begin(kTypes), std::end(kTypes), [&](auto& t) { return e["type"].toString() == QLatin1String(t.first); });
    if (p.key.isEmpty() || type == std::end(kTypes))
      return Failure{FailureKind::CorruptFile, {{"path", "parameter schema"}}, "parameter without key or known type: " + p.key};
    p.type = type->second;
    p.defaultValue = e.contains("default") ? e["default"] : QJsonValue();
    p.minimum = e["minimum"].toDouble(p.minimum);
    p.maximum = e["maximum"].toDouble(p.maximum);
    const QJsonArray choices = e["choices"].toArray();
    for (const QJsonValue& c : choices) p.choices << c.toString();
    const QJsonArray words = e["choiceLabels"].toArray();
    for (qsizetype i = 0; i < choices.size(); ++i) p.choiceLabels << words[i].toString(p.choices[i]);
    p.unit = e["unit"].toString();
    p.label = e["label"].toString(p.key);
    p.help = e["help"].toString();
    p.basic = e["group"].toString() == u"basic";
    schema.parameters_ << p;
  }
  return schema;
}

const Parameter* ParameterSchema::find(const QString& key) const {
  for (const Parameter& p : parameters_)
    if (p.key == key) return &p;
  return nullptr;
}

QJsonObject ParameterSchema::defaults() const {
  QJsonObject o;
  for (const Parameter& p : parameters_) o[p.key] = p.defaultValue;
  return o;
}

Result<QJsonObject> ParameterSchema::complete(const QJsonObject& given) const {
  for (auto it = given.begin(); it != given.end(); ++it)
    if (!find(it.key())) {
      QStringList known;
      for (const Parameter& p : parameters_) known << p.key;
      return Failure{FailureKind::InvalidArgument, {{"name", "parameter"}, {"value", it.key()}, {"allowed", known.join(", ")}}, {}};
    }
  QJsonObject o;
  for (const Parameter& p : parameters_) {
    auto value = converted(p, given[p.key]);
    if (!value) return value.error();
    o[p.key] = *value;
  }
  return o;
}

}  // namespace cloister
