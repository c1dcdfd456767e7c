// A text cut into the pieces of a tokenizer: coloured by turns, light and strong so that the cuts are seen without colour too; selectable;
// the piece, its number and its bytes under the pointer. Main thread.
#pragma once
#include <QJsonArray>
#include <QTextEdit>

namespace cloister {

class PieceView : public QTextEdit {
  Q_OBJECT
 public:
  static constexpr int kMostShown = 4000;
  explicit PieceView(QWidget* parent = nullptr);
  /// "pieces" of `tokenizer inspect`.
  void setPieces(const QJsonArray&);
  /// What stands on chip i: the text with its white space made visible, or the piece where it has no text of its own (begin and end
  /// tokens, bytes of a character).
  static QString shown(const QJsonArray& pieces, int i);
  static QString bytes(const QJsonObject& piece);
  /// A tokenizer's kind or model as its authors write it: SentencePiece, BPE, Unigram.
  static QString kindName(const QString& id);

 protected:
  bool event(QEvent*) override;

 private:
  void draw();
  QJsonArray pieces_;
  QList<int> ends_;  ///< position behind each piece in the document
};

}  // namespace cloister
