// What a family, source or target lets the user set, as data: read from a plugin's JSON, drawn as a form by the GUI, checked by the
// core before a run and by the child again. Any thread.
//
// JSON: {"parameters":[{"key":"learning_rate","type":"number","default":0.001,"minimum":0,"maximum":1,"unit":"","group":"basic",
//   "label":"Learning rate","help":"…"}, {"key":"optimizer","type":"choice","choices":["adamw","sgd"],"choiceLabels":["AdamW","SGD"],
//   "default":"adamw",…}]}
#pragma once
#include <QJsonObject>
#include <QJsonValue>
#include <QList>
#include <QStringList>

#include "core/domain/result.h"

namespace cloister {

enum class ParameterType { Integer, Number, Boolean, Choice, Text, File };

struct Parameter {
  QString key;  ///< snake_case word of the field: learning_rate
  ParameterType type = ParameterType::Text;
  QJsonValue defaultValue;  ///< null: decided at start ("auto"), help says how
  double minimum = -1e308, maximum = 1e308;
  QStringList choices;
  QStringList choiceLabels;  ///< what a person reads for each; as many as choices. English, translated like label
  QString unit;
  QString label, help;  ///< English source text; translated with context "Parameters"
  bool basic = false;   ///< one of the six fields shown first; the rest stands under More
};

class ParameterSchema {
 public:
  static Result<ParameterSchema> fromJson(const QJsonObject&);
  const QList<Parameter>& parameters() const { return parameters_; }
  const Parameter* find(const QString& key) const;
  QJsonObject defaults() const;
  /// Defaults filled in, types converted ("8" → 8), ranges checked. InvalidArgument names the parameter and what is allowed.
  Result<QJsonObject> complete(const QJsonObject& given) const;

 private:
  QList<Parameter> parameters_;
};

}  // namespace cloister
