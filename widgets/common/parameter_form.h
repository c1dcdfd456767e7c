// A form drawn from a ParameterSchema: the basic fields first (six at most by convention), *More* opens the rest. Used for sources,
// families and targets. Texts are translated with context "Parameters". Main thread.
#pragma once
#include <QMap>
#include <QWidget>

#include "core/domain/parameter_schema.h"

class QFormLayout;
class QLabel;
class QToolButton;

namespace cloister {

class ParameterForm : public QWidget {
  Q_OBJECT
 public:
  explicit ParameterForm(QWidget* parent = nullptr);
  /// Builds the fields. values: what differs from the defaults.
  void setSchema(const ParameterSchema&, const QJsonObject& values = {});
  const ParameterSchema& schema() const { return schema_; }
  /// Only what differs from the defaults, ready for TrainRequest::parameters and ImportRequest::options.
  QJsonObject values() const;
  void setValues(const QJsonObject&);
  /// Every key, checked. A refusal is also written beside its field.
  Result<QJsonObject> complete();
  void setMoreOpen(bool);
  /// Labels at least this wide, so that several forms stand in one column. labelWidth(): what the widest label of the first fields needs.
  void setLabelWidth(int);
  int labelWidth() const;
  bool moreOpen() const;
  /// The editing widget of a key (tests, focus after a refusal); null when unknown.
  QWidget* field(const QString& key) const;

 Q_SIGNALS:
  void changed();

 private:
  struct Field {
    QLabel* label = nullptr;
    QWidget* editor = nullptr;  ///< spin box, combo box, check box, line edit
    QWidget* row = nullptr;     ///< editor with unit and browse button
    QLabel* unit = nullptr;     ///< null without one
    QLabel* error = nullptr;
  };
  Field makeField(const Parameter&);
  QJsonValue valueOf(const Parameter&) const;
  void setValue(const Parameter&, const QJsonValue&);
  void retranslate();
  void edited();

  ParameterSchema schema_;
  QMap<QString, Field> fields_;
  QFormLayout *basic_ = nullptr, *rest_ = nullptr;
  QWidget *basicBox_, *restBox_;
  QToolButton* more_;
  bool filling_ = false;
};

}  // namespace cloister
