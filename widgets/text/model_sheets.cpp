#include "widgets/text/model_sheets.h"

#include <QComboBox>
#include <QFileInfo>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/common/language.h"
#include "widgets/common/path_edit.h"
#include "widgets/common/theme.h"

namespace cloister {
namespace {

constexpr int kWidth = 640;

/// A column of fields under a sentence that says what the sheet is for.
QFormLayout* formOf(QFrame* sheet, QVBoxLayout* column, QLabel*& intro) {
  intro = new QLabel(sheet);
  intro->setWordWrap(true);
  intro->setMaximumWidth(kWidth);
  setRole(intro, "quiet");
  column->addWidget(intro);
  auto* holder = new QWidget(sheet);
  holder->setMaximumWidth(kWidth);
  auto* form = new QFormLayout(holder);
  form->setContentsMargins(0, 0, 0, 0);
  form->setHorizontalSpacing(space::kM);
  form->setVerticalSpacing(space::kS);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  column->addWidget(holder);
  column->addStretch(1);
  return form;
}

QLabel* row(QFormLayout* form, QWidget* field, QWidget* buddy = nullptr) {
  auto* label = new QLabel(form->parentWidget());
  label->setBuddy(buddy ? buddy : field);
  form->addRow(label, field);
  return label;
}

}  // namespace

ModelSheet::ModelSheet(QWidget* parent) : QFrame(parent) {
  QVBoxLayout* column = beginSheet(this, header_);
  QFormLayout* form = formOf(this, column, intro_);
  from_ = new PathEdit(PathEdit::Kind::Folder, this);
  name_ = new QLineEdit(this);
  type_ = new QComboBox(this);
  for (const char* type : {"stored", "bfloat16", "float32"}) type_->addItem(QString(), type);
  adapter_ = new PathEdit(PathEdit::Kind::Folder, this);
  fromLabel_ = row(form, from_, from_->line());
  nameLabel_ = row(form, name_);
  typeLabel_ = row(form, type_);
  adapterLabel_ = row(form, adapter_, adapter_->line());
  connect(header_.close, &QToolButton::clicked, this, &ModelSheet::closed);
  connect(from_, &PathEdit::changed, this, [this] {
    naming_ = true;
    if (!named_) name_->setText(QFileInfo(from_->path()).fileName());
    naming_ = false;
    Q_EMIT changed();
  });
  connect(name_, &QLineEdit::textChanged, this, [this] {
    if (!naming_) named_ = !name_->text().isEmpty();
    Q_EMIT changed();
  });
  connect(adapter_, &PathEdit::changed, this, &ModelSheet::changed);
  whenTranslated(this, [this] { retranslate(); });
}

void ModelSheet::begin() {
  named_ = false;
  from_->setPath({});
  adapter_->setPath({});
  name_->clear();
  from_->setFocus();
}

void ModelSheet::setFolder(const QString& folder) { from_->setPath(folder); }

bool ModelSheet::complete() const { return !from_->path().isEmpty() && !name_->text().simplified().isEmpty(); }

ModelImport ModelSheet::request() const {
  return {from_->path(), name_->text().simplified(), adapter_->path(), type_->currentData().toString()};
}

void ModelSheet::retranslate() {
  header_.setTexts(tr("Import a model"), tr("Close without importing"));
  intro_->setText(
      tr("Choose a folder with config.json, safetensors files and the tokenizer's files, as Hugging Face lays them out; a tokenizer "
         "alone will do as well. Everything is checked, then copied into the project; the originals stay as they are."));
  fromLabel_->setText(tr("Folder"));
  from_->setName(tr("Folder of the model"));
  nameLabel_->setText(tr("Name in the project"));
  name_->setAccessibleName(tr("Name in the project"));
  typeLabel_->setText(tr("Numbers as"));
  type_->setAccessibleName(tr("Type of the copied weights"));
  type_->setItemText(0, tr("As stored"));
  type_->setItemText(1, tr("bfloat16, half the memory of float32"));
  type_->setItemText(2, tr("float32"));
  adapterLabel_->setText(tr("Merge a LoRA adapter"));
  adapter_->setName(tr("Folder of a LoRA adapter to merge"));
  adapter_->line()->setPlaceholderText(tr("None"));
}

TokenizerSheet::TokenizerSheet(QWidget* parent) : QFrame(parent) {
  QVBoxLayout* column = beginSheet(this, header_);
  QFormLayout* form = formOf(this, column, intro_);
  name_ = new QLineEdit(this);
  kind_ = new QComboBox(this);
  for (const char* kind : {"bpe", "unigram"}) kind_->addItem(QString(), kind);
  size_ = new QSpinBox(this);
  size_->setRange(300, 1'000'000);
  size_->setSingleStep(1000);
  size_->setGroupSeparatorShown(true);
  size_->setValue(8000);
  nameLabel_ = row(form, name_);
  kindLabel_ = row(form, kind_);
  sizeLabel_ = row(form, size_);
  connect(header_.close, &QToolButton::clicked, this, &TokenizerSheet::closed);
  connect(name_, &QLineEdit::textChanged, this, &TokenizerSheet::changed);
  whenTranslated(this, [this] { retranslate(); });
}

void TokenizerSheet::begin() {
  name_->setText(QStringLiteral("tokenizer"));
  name_->selectAll();
  name_->setFocus();
}

QString TokenizerSheet::name() const { return name_->text().simplified(); }

bool TokenizerSheet::complete() const { return !name().isEmpty(); }

TokenizerTraining TokenizerSheet::request() const { return {{}, {}, kind_->currentData().toString(), size_->value(), true}; }

void TokenizerSheet::retranslate() {
  header_.setTexts(tr("Train a tokenizer"), tr("Close without training"));
  intro_->setText(
      tr("For a model from scratch: learns from the training texts of the newest snapshot which pieces to cut texts into. An imported "
         "model keeps its own tokenizer."));
  nameLabel_->setText(tr("Name in the project"));
  name_->setAccessibleName(tr("Name in the project"));
  kindLabel_->setText(tr("Kind"));
  kind_->setAccessibleName(tr("Kind of tokenizer"));
  kind_->setItemText(0, tr("BPE: joins frequent neighbours"));
  kind_->setItemText(1, tr("Unigram: keeps the likeliest pieces"));
  sizeLabel_->setText(tr("Vocabulary, at most"));
  size_->setSuffix(tr(" pieces"));
  size_->setAccessibleName(tr("Pieces of the vocabulary"));
}

}  // namespace cloister
