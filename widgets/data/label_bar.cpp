#include "widgets/data/label_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>

#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {
namespace {
constexpr int kKeys = 9;
constexpr int kLabelWidth = 140;
constexpr int kNewWidth = 130;
}  // namespace

LabelBar::LabelBar(QWidget* parent) : QFrame(parent) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(space::kS);
  selectedLabel_ = new QLabel(this);
  setRole(selectedLabel_, "quiet");
  row->addWidget(selectedLabel_);
  keys_ = new QHBoxLayout;
  keys_->setSpacing(space::kXs);
  row->addLayout(keys_);
  new_ = new QLineEdit(this);
  new_->setMaximumWidth(kNewWidth);
  new_->setMaxLength(64);
  row->addWidget(new_);
  row->addStretch(1);
  const auto tool = [this, row](const char* icon) {
    auto* b = new QToolButton(this);
    b->setIcon(themedIcon(QString::fromLatin1(icon)));
    row->addWidget(b);
    return b;
  };
  exclude_ = tool("exclude");
  undo_ = tool("undo");
  redo_ = tool("redo");
  connect(new_, &QLineEdit::returnPressed, this, [this] {
    const QString label = new_->text().simplified();
    if (label.isEmpty()) return;
    Q_EMIT chosen(label);
    new_->clear();
  });
  connect(exclude_, &QToolButton::clicked, this, &LabelBar::excludeWanted);
  connect(undo_, &QToolButton::clicked, this, &LabelBar::undoWanted);
  connect(redo_, &QToolButton::clicked, this, &LabelBar::redoWanted);
  whenTranslated(this, [this] { retranslate(); });
}

void LabelBar::setLabels(const QStringList& labels) {
  if (labels == labels_) return;
  labels_ = labels;
  rebuild();
}

void LabelBar::setSelected(qint64 n) {
  selected_ = n;
  retranslate();
}

void LabelBar::rebuild() {
  qDeleteAll(buttons_);
  buttons_.clear();
  for (int i = 0; i < labels_.size() && i < kKeys; ++i) {
    auto* b = new QPushButton(this);
    setRole(b, "chip");
    const QString label = labels_[i];
    const QString shown = b->fontMetrics().elidedText(label, Qt::ElideMiddle, kLabelWidth);
    b->setText(QStringLiteral("%1  %2").arg(i + 1).arg(QString(shown).replace('&', "&&")));
    keys_->addWidget(b);
    buttons_ << b;
    connect(b, &QPushButton::clicked, this, [this, label] { Q_EMIT chosen(label); });
  }
  retranslate();
}

void LabelBar::retranslate() {
  selectedLabel_->setText(selected_ > 0 ? tr("%1 selected:").arg(words::number(selected_)) : tr("Select images, then press a number:"));
  for (int i = 0; i < buttons_.size(); ++i) {
    buttons_[i]->setToolTip(tr("Label the selection as %1 (key %2)").arg(labels_[i]).arg(i + 1));
    buttons_[i]->setAccessibleName(buttons_[i]->toolTip());
    buttons_[i]->setEnabled(selected_ > 0);
  }
  new_->setPlaceholderText(tr("New label"));
  new_->setAccessibleName(tr("New label for the selection; Enter applies it"));
  new_->setToolTip(new_->accessibleName());
  new_->setEnabled(selected_ > 0);
  exclude_->setToolTip(tr("Exclude the selection from snapshots, or include it again (X)"));
  exclude_->setEnabled(selected_ > 0);
  undo_->setToolTip(tr("Undo the last change of labels (Ctrl+Z)"));
  redo_->setToolTip(tr("Redo (Ctrl+Shift+Z)"));
  for (QToolButton* b : {exclude_, undo_, redo_}) b->setAccessibleName(b->toolTip());
}

}  // namespace cloister
