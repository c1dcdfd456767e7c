// The first records of a text file: running text as it is, conversations as turns, pairs as source and target, preferences with the better
// and the worse answer. Read by a child of cloister-ingest; shown as plain text. Main thread.
#pragma once
#include <QJsonObject>
#include <QTextEdit>

#include "core/domain/result.h"
#include "core/domain/sample.h"

namespace cloister {

class IngestTask;
class StoreClient;

class RecordView : public QTextEdit {
  Q_OBJECT
 public:
  RecordView(StoreClient& store, QWidget* parent);
  void show_(const Sample&, const QString& objectPath);
  void clear_();

 private:
  void draw();
  void part(QTextCursor&, const QString& heading, const QString& text, const QColor& colour);

  IngestTask* task_;
  QJsonObject answer_;
  QString kind_, note_;
};

}  // namespace cloister
