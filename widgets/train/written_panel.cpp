#include "widgets/train/written_panel.h"

#include <QEvent>
#include <QLabel>
#include <QTextCursor>
#include <QTextEdit>
#include <QVBoxLayout>

#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {

WrittenPanel::WrittenPanel(QWidget* parent) : QWidget(parent) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  title_ = new QLabel(this);
  setRole(title_, "section");
  text_ = new QTextEdit(this);
  text_->setReadOnly(true);
  text_->setTabChangesFocus(true);
  text_->setMinimumHeight(4 * fontMetrics().lineSpacing());
  column->addWidget(title_);
  column->addWidget(text_, 1);
  setVisible(false);
  retranslate();
}

void WrittenPanel::show(const QList<RunCurves::Written>& written) {
  setVisible(!written.isEmpty());
  if (written.size() == shown_.size() && (written.isEmpty() || written.last().step == shown_.last().step) &&
      (written.isEmpty() || written.last().text == shown_.last().text))
    return;
  shown_ = written;
  render();
}

void WrittenPanel::render() {
  text_->clear();
  QTextCursor cursor(text_->document());
  QTextCharFormat step, given, own;
  step.setFontWeight(QFont::DemiBold);
  given.setForeground(Theme::current().tokens().quiet);
  own.setForeground(Theme::current().tokens().text);
  for (qsizetype i = shown_.size() - 1; i >= 0; --i) {
    cursor.insertText(tr("Step %1").arg(words::number(qint64(shown_[i].step))) + '\n', step);
    QString prompt = shown_[i].prompt;
    while (prompt.startsWith('\n')) prompt.remove(0, 1);
    cursor.insertText(prompt, given);
    cursor.insertText(shown_[i].text + (i > 0 ? QStringLiteral("\n\n") : QString()), own);
  }
  text_->moveCursor(QTextCursor::Start);
}

void WrittenPanel::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange) render();
  QWidget::changeEvent(event);
}

void WrittenPanel::retranslate() {
  title_->setText(tr("What the model writes"));
  text_->setAccessibleName(tr("What the model writes at each validation, the newest first"));
  render();
}

}  // namespace cloister
