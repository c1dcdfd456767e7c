#include "widgets/common/parameter_form.h"

#include <cmath>
#include <limits>

#include <QCheckBox>
#include <QComboBox>
#include <QCoreApplication>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QLineEdit>
#include <QSpinBox>
#include <QStyle>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/path_edit.h"
#include "widgets/common/theme.h"

namespace cloister {
namespace {

QString translated(const QString& english) { return QCoreApplication::translate("Parameters", english.toUtf8().constData()); }

// A spin box suits a small whole number with a default; anything else (3e-05, "decided at start") is typed.
bool usesSpinBox(const Parameter& p) {
  constexpr double limit = std::numeric_limits<int>::max();
  return p.type == ParameterType::Integer && !p.defaultValue.isNull() && p.minimum >= -limit && p.minimum > -1e300 && p.maximum <= 1e9;
}

QString shownNumber(const QJsonValue& v) {
  if (!v.isDouble()) return v.toVariant().toString();
  const double n = v.toDouble();
  return n != 0 && std::fabs(n) < 1e-3 ? QString::number(n, 'g', 6) : QString::number(n, 'g', 10);
}

void markWrong(QWidget* editor, bool wrong) {
  if (editor->property("wrong").toBool() == wrong) return;
  editor->setProperty("wrong", wrong);
  editor->style()->unpolish(editor);
  editor->style()->polish(editor);
}

}  // namespace

ParameterForm::ParameterForm(QWidget* parent) : QWidget(parent) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(space::kS);
  basicBox_ = new QWidget(this);
  restBox_ = new QWidget(this);
  more_ = new QToolButton(this);
  setRole(more_, "link");
  more_->setCheckable(true);
  more_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  column->addWidget(basicBox_);
  column->addWidget(more_, 0, Qt::AlignLeft);
  column->addWidget(restBox_);
  column->addStretch(1);
  restBox_->hide();
  more_->hide();
  connect(more_, &QToolButton::toggled, this, [this](bool open) {
    restBox_->setVisible(open);
    retranslate();
  });
  connect(&Language::current(), &Language::changed, this, &ParameterForm::retranslate);
}

void ParameterForm::setSchema(const ParameterSchema& schema, const QJsonObject& values) {
  schema_ = schema;
  fields_.clear();
  for (QWidget* box : {basicBox_, restBox_}) {
    qDeleteAll(box->findChildren<QWidget*>(Qt::FindDirectChildrenOnly));
    delete box->layout();
  }
  const auto formIn = [](QWidget* box) {
    auto* form = new QFormLayout(box);
    form->setContentsMargins(0, 0, 0, 0);
    form->setHorizontalSpacing(space::kM);
    form->setVerticalSpacing(space::kS);
    form->setFieldGrowthPolicy(QFormLayout::ExpandingFieldsGrow);
    form->setRowWrapPolicy(QFormLayout::WrapLongRows);
    return form;
  };
  basic_ = formIn(basicBox_);
  rest_ = formIn(restBox_);
  bool anyBasic = false;
  for (const Parameter& p : schema_.parameters()) anyBasic = anyBasic || p.basic;
  int advanced = 0;
  for (const Parameter& p : schema_.parameters()) {
    const bool first = p.basic || !anyBasic;
    Field field = makeField(p);
    (first ? basic_ : rest_)->addRow(field.label, field.row);
    fields_.insert(p.key, field);
    if (!first) ++advanced;
  }
  more_->setVisible(advanced > 0);
  setValues(values);
  retranslate();
}

ParameterForm::Field ParameterForm::makeField(const Parameter& p) {
  Field f;
  QWidget* box = p.basic ? basicBox_ : restBox_;
  f.label = new QLabel(box);
  f.row = new QWidget(box);
  auto* column = new QVBoxLayout(f.row);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(2);
  auto* line = new QHBoxLayout;
  line->setSpacing(space::kS);
  column->addLayout(line);
  if (p.type == ParameterType::Boolean) {
    auto* check = new QCheckBox(f.row);
    connect(check, &QCheckBox::toggled, this, &ParameterForm::edited);
    f.editor = check;
  } else if (p.type == ParameterType::Choice) {
    auto* combo = new QComboBox(f.row);
    combo->setMinimumContentsLength(8);
    combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    for (qsizetype i = 0; i < p.choices.size(); ++i) combo->addItem(p.choiceLabels.value(i), p.choices[i]);
    connect(combo, &QComboBox::currentIndexChanged, this, &ParameterForm::edited);
    f.editor = combo;
  } else if (usesSpinBox(p)) {
    auto* spin = new QSpinBox(f.row);
    spin->setRange(int(p.minimum), int(p.maximum));
    spin->setGroupSeparatorShown(true);
    connect(spin, &QSpinBox::valueChanged, this, &ParameterForm::edited);
    f.editor = spin;
  } else if (p.type == ParameterType::File) {
    auto* path = new PathEdit(PathEdit::Kind::OpenFile, f.row);
    connect(path, &PathEdit::changed, this, &ParameterForm::edited);
    f.editor = path;
  } else {
    auto* edit = new QLineEdit(f.row);
    connect(edit, &QLineEdit::textChanged, this, &ParameterForm::edited);
    f.editor = edit;
  }
  f.label->setBuddy(f.editor);
  line->addWidget(f.editor, 1);
  if (!p.unit.isEmpty()) {
    f.unit = new QLabel(f.row);
    setRole(f.unit, "quiet");
    line->addWidget(f.unit);
  }
  f.error = new QLabel(f.row);
  f.error->setWordWrap(true);
  setRole(f.error, "error");
  f.error->hide();
  column->addWidget(f.error);
  return f;
}

void ParameterForm::retranslate() {
  const int hidden = rest_ ? rest_->rowCount() : 0;
  more_->setText(moreOpen() ? tr("Fewer settings") : tr("More settings (%1)").arg(hidden));
  more_->setIcon(themedIcon(moreOpen() ? "chevron-down" : "chevron-right", Role::Accent));
  more_->setAccessibleName(more_->text());
  for (const Parameter& p : schema_.parameters()) {
    const Field& f = fields_[p.key];
    const QString label = translated(p.label), help = p.help.isEmpty() ? QString() : translated(p.help);
    f.label->setText(label);
    f.label->setToolTip(help);
    f.editor->setToolTip(help);
    f.editor->setAccessibleName(label);
    f.editor->setAccessibleDescription(help);
    if (auto* path = qobject_cast<PathEdit*>(f.editor)) path->setName(label);
    if (auto* combo = qobject_cast<QComboBox*>(f.editor))
      for (int i = 0; i < combo->count(); ++i) combo->setItemText(i, translated(p.choiceLabels.value(i)));
    if (f.unit) f.unit->setText(translated(p.unit));
    if (auto* edit = qobject_cast<QLineEdit*>(f.editor)) edit->setPlaceholderText(p.defaultValue.isNull() ? tr("Automatic") : QString());
  }
}

QJsonValue ParameterForm::valueOf(const Parameter& p) const {
  QWidget* editor = fields_[p.key].editor;
  if (auto* check = qobject_cast<QCheckBox*>(editor)) return check->isChecked();
  if (auto* combo = qobject_cast<QComboBox*>(editor)) return combo->currentData().toString();
  if (auto* spin = qobject_cast<QSpinBox*>(editor)) return spin->value();
  const QString text =
      qobject_cast<PathEdit*>(editor) ? static_cast<PathEdit*>(editor)->path() : static_cast<QLineEdit*>(editor)->text().trimmed();
  if (text.isEmpty() && p.type != ParameterType::Text && p.type != ParameterType::File) return {};
  if (text.isEmpty() && p.defaultValue.isNull()) return {};
  if (p.type == ParameterType::Integer || p.type == ParameterType::Number) {
    bool ok = false;
    const double n = text.toDouble(&ok);
    if (ok) return p.type == ParameterType::Integer && n == std::floor(n) ? QJsonValue(qint64(n)) : QJsonValue(n);
  }
  return text;  // not a number: the schema refuses it and says what is allowed
}

void ParameterForm::setValue(const Parameter& p, const QJsonValue& v) {
  QWidget* editor = fields_[p.key].editor;
  if (auto* check = qobject_cast<QCheckBox*>(editor)) check->setChecked(v.toBool());
  else if (auto* combo = qobject_cast<QComboBox*>(editor)) combo->setCurrentIndex(std::max(0, combo->findData(v.toString())));
  else if (auto* spin = qobject_cast<QSpinBox*>(editor)) spin->setValue(v.toInt());
  else if (auto* path = qobject_cast<PathEdit*>(editor)) path->setPath(v.toString());
  else static_cast<QLineEdit*>(editor)->setText(v.isNull() || v.isUndefined() ? QString() : shownNumber(v));
}

QJsonObject ParameterForm::values() const {
  QJsonObject o;
  for (const Parameter& p : schema_.parameters()) {
    const QJsonValue v = valueOf(p);
    if (!v.isNull() && v != p.defaultValue) o[p.key] = v;
  }
  return o;
}

void ParameterForm::setValues(const QJsonObject& values) {
  filling_ = true;
  for (const Parameter& p : schema_.parameters()) setValue(p, values.contains(p.key) ? values[p.key] : p.defaultValue);
  filling_ = false;
  edited();
}

Result<QJsonObject> ParameterForm::complete() {
  for (const Field& f : fields_) {
    f.error->hide();
    markWrong(f.editor, false);
  }
  auto result = schema_.complete(values());
  if (!result) {
    const QString key = result.error().args["name"].toString();
    if (const auto it = fields_.constFind(key); it != fields_.constEnd()) {
      it->error->setText(tr("Allowed: %1").arg(result.error().args["allowed"].toString()));
      it->error->show();
      markWrong(it->editor, true);
      const Parameter* p = schema_.find(key);
      if (p && !p->basic) setMoreOpen(true);
    }
  }
  return result;
}

void ParameterForm::edited() {
  if (filling_) return;
  (void)complete().operator bool();
  Q_EMIT changed();
}

void ParameterForm::setLabelWidth(int width) {
  for (const Parameter& p : schema_.parameters()) fields_[p.key].label->setMinimumWidth(p.basic ? width : 0);
}

int ParameterForm::labelWidth() const {
  int width = 0;
  for (const Parameter& p : schema_.parameters())
    if (p.basic) width = std::max(width, fields_[p.key].label->sizeHint().width());
  return width;
}

void ParameterForm::setMoreOpen(bool open) { more_->setChecked(open); }
bool ParameterForm::moreOpen() const { return more_->isChecked(); }
QWidget* ParameterForm::field(const QString& key) const { return fields_.value(key).editor; }

}  // namespace cloister
