#include "widgets/tryit/transcript.h"

#include <QScrollBar>
#include <QTextBlockFormat>
#include <QTextCursor>

#include "widgets/common/language.h"
#include "widgets/common/theme.h"

namespace cloister {

Transcript::Transcript(QWidget* parent) : QTextEdit(parent) {
  setReadOnly(true);
  setAcceptRichText(false);
  setUndoRedoEnabled(false);
  setTabChangesFocus(true);
  setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  whenThemed(this, [this] { rebuild(); });
  connect(&Language::current(), &Language::changed, this, &Transcript::rebuild);
}

void Transcript::clearAll() {
  parts_.clear();
  rebuild();
}

void Transcript::add(Kind kind, const QString& text) {
  parts_ << Part{kind, text};
  write(parts_.last(), parts_.size() == 1);
  verticalScrollBar()->setValue(verticalScrollBar()->maximum());
}

void Transcript::grow(const QString& text) {
  if (parts_.isEmpty() || text.isEmpty()) return;
  parts_.last().text += text;
  const bool follow = verticalScrollBar()->value() >= verticalScrollBar()->maximum() - fontMetrics().height();
  QTextCursor end(document());
  end.movePosition(QTextCursor::End);
  QTextCharFormat format;
  format.setForeground(Theme::current().tokens().text);
  end.insertText(text, format);
  if (follow) verticalScrollBar()->setValue(verticalScrollBar()->maximum());
}

void Transcript::replaceLast(const QString& text) {
  if (parts_.isEmpty() || parts_.last().text == text) return;
  if (text.startsWith(parts_.last().text)) return grow(text.mid(parts_.last().text.size()));
  parts_.last().text = text;
  rebuild();
}

void Transcript::removeLast(int count) {
  parts_.remove(std::max<qsizetype>(0, parts_.size() - count), std::min<qsizetype>(count, parts_.size()));
  rebuild();
}

void Transcript::rebuild() {
  clear();
  for (qsizetype i = 0; i < parts_.size(); ++i) write(parts_[i], i == 0);
  verticalScrollBar()->setValue(verticalScrollBar()->maximum());
}

void Transcript::write(const Part& part, bool first) {
  const Tokens& t = Theme::current().tokens();
  QTextCursor end(document());
  end.movePosition(QTextCursor::End);
  QTextCharFormat words, speaker;
  words.setForeground(part.kind == Kind::Given ? t.quiet : t.text);
  speaker.setForeground(part.kind == Kind::Question ? t.quiet : t.accent);
  speaker.setFontWeight(QFont::DemiBold);
  const bool conversation = part.kind == Kind::Question || (!first && parts_.first().kind == Kind::Question);
  if (conversation) {
    QTextBlockFormat heading, body;
    heading.setTopMargin(first ? 0 : space::kM);
    if (!first) end.insertBlock();
    end.setBlockFormat(heading);
    end.insertText(part.kind == Kind::Question ? tr("You") : tr("Model"), speaker);
    end.insertBlock(body, words);
  }
  end.insertText(part.text, words);
}

}  // namespace cloister
