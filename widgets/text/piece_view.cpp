#include "widgets/text/piece_view.h"

#include <algorithm>

#include <QHelpEvent>
#include <QJsonObject>
#include <QTextCursor>
#include <QToolTip>

#include "widgets/common/language.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {
namespace {

constexpr int kHues = 4;

QColor tint(const Tokens& t, const QColor& hue, double share) {
  return QColor::fromRgbF(float(t.panel.redF() * (1 - share) + hue.redF() * share),
                          float(t.panel.greenF() * (1 - share) + hue.greenF() * share),
                          float(t.panel.blueF() * (1 - share) + hue.blueF() * share));
}

}  // namespace

PieceView::PieceView(QWidget* parent) : QTextEdit(parent) {
  setReadOnly(true);
  setUndoRedoEnabled(false);
  setTabChangesFocus(true);
  setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  whenThemed(this, [this] { draw(); });
}

QString PieceView::shown(const QJsonArray& pieces, int i) {
  const QJsonObject piece = pieces[i].toObject();
  const QString text = piece["text"].toString();
  const qint64 from = piece["from"].toInteger(), to = piece["to"].toInteger();
  const auto shared = [&](int other) {  // bytes of one character stand for the same stretch of text
    if (other < 0 || other >= pieces.size()) return false;
    return pieces[other]["from"].toInteger() < to && from < pieces[other]["to"].toInteger();
  };
  if (text.isEmpty() || text.contains(QChar(0xFFFD)) || shared(i - 1) || shared(i + 1)) return piece["piece"].toString();
  QString visible = text;
  return visible.replace(' ', QChar(0xB7)).replace('\t', QChar(0x21E5)).replace('\n', QStringLiteral("↵\n"));
}

QString PieceView::bytes(const QJsonObject& piece) {
  const qint64 n = piece["to"].toInteger() - piece["from"].toInteger();
  if (n <= 0) return QStringLiteral("–");
  const QByteArray raw = piece["text"].toString().toUtf8();
  return raw.size() == n && n <= 32 ? QString::fromLatin1(raw.toHex(' ')) : words::number(n);
}

void PieceView::setPieces(const QJsonArray& pieces) {
  pieces_ = pieces;
  draw();
}

void PieceView::draw() {
  const Theme& theme = Theme::current();
  const Tokens& t = theme.tokens();
  clear();
  ends_.clear();
  QTextCursor cursor(document());
  cursor.beginEditBlock();
  for (int i = 0; i < std::min<int>(kMostShown, int(pieces_.size())); ++i) {
    const QJsonObject piece = pieces_[i].toObject();
    QTextCharFormat format;
    format.setForeground(t.text);
    const bool special = piece["special"].toBool();
    if (special) {
      format.setForeground(t.accent);
      format.setFontWeight(QFont::DemiBold);
    } else {
      format.setBackground(tint(t, theme.series(i % kHues), i % 2 ? 0.34 : 0.14));
    }
    cursor.insertText(shown(pieces_, i), format);
    ends_ << cursor.position();
  }
  cursor.endEditBlock();
}

bool PieceView::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QTextEdit::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const int at = cursorForPosition(viewport()->mapFrom(this, help->pos())).position();
  const auto end = std::upper_bound(ends_.begin(), ends_.end(), at);
  if (end == ends_.end()) {
    QToolTip::hideText();
    return true;
  }
  const QJsonObject piece = pieces_[int(end - ends_.begin())].toObject();
  QToolTip::showText(
      help->globalPos(),
      tr("Piece %1\nNumber %2\nBytes %3").arg(piece["piece"].toString(), words::number(piece["id"].toInteger()), bytes(piece)), this);
  return true;
}

QString PieceView::kindName(const QString& id) {
  const QString word = id.toLower();
  if (word == u"sentencepiece") return QStringLiteral("SentencePiece");
  if (word == u"unigram") return QStringLiteral("Unigram");
  return word == u"bpe" ? QStringLiteral("BPE") : id;
}

}  // namespace cloister
