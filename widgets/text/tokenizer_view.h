// How a text is cut: a tokenizer, a text, its pieces as chips or as a table, the counts, and what the tokenizer is. The tokenizer and the
// text are read by a child of cloister-ingest. Main thread.
#pragma once
#include <QJsonObject>
#include <QTimer>
#include <QWidget>

#include "core/domain/failure.h"

class QComboBox;
class QLabel;
class QPlainTextEdit;
class QStackedLayout;
class QTableWidget;
class QToolButton;

namespace cloister {

class IngestTask;
class PathEdit;
class PieceView;
class StoreClient;

class TokenizerView : public QWidget {
  Q_OBJECT
 public:
  TokenizerView(StoreClient& store, QWidget* parent);
  /// name → folder; keeps the choice where it is still there.
  void setTokenizers(const QList<QPair<QString, QString>>&);
  void show_(const QString& folder);  ///< chooses one of them
  void setText(const QString&);

 Q_SIGNALS:
  void failed(cloister::Failure);

 private:
  QWidget* buildCut();
  QWidget* buildAbout();
  void chooseFolder();
  void ask();
  void showAnswer();
  void fillTable();
  void retranslate();

  StoreClient& store_;
  IngestTask* task_;
  QTimer later_;
  QJsonObject answer_;
  QString chosen_;
  QLabel *boxLabel_, *textLabel_, *fileLabel_, *counts_, *empty_, *aboutTitle_, *about_, *specialTitle_;
  QComboBox* box_;
  QPlainTextEdit* text_;
  PathEdit* file_;
  QToolButton* asTable_;
  QStackedLayout* stack_;
  PieceView* pieces_;
  QTableWidget *table_, *special_;
  QWidget* body_;
};

}  // namespace cloister
