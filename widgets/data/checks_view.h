// What a person should know before training, in three columns: files, meaning, distribution. Each finding opens its samples. The checks run
// on the reading thread with the split that would be frozen. Main thread.
#pragma once
#include <QWidget>

#include "core/curation/dataset.h"

class QLabel;
class QVBoxLayout;

namespace cloister {

class StoreClient;

class ChecksView : public QWidget {
  Q_OBJECT
 public:
  explicit ChecksView(StoreClient& store, QWidget* parent = nullptr);
  void run();
  int warnings() const;
  int blocking() const;
  const QList<Finding>& findings() const { return findings_; }

 Q_SIGNALS:
  void changed();
  void samplesWanted(QStringList keys, QString why);
  void filesWanted(bool refused);
  void failed(cloister::Failure);

 private:
  void show_();
  QWidget* card(const Finding&);
  struct Column {
    QLabel* title = nullptr;
    QVBoxLayout* cards = nullptr;
  };
  StoreClient& store_;
  Column columns_[3];
  QLabel* status_;
  QList<Finding> findings_;
  bool running_ = false, again_ = false, ran_ = false;
};

/// All samples of a project in order; any thread with its own Project.
Result<QList<Sample>> allSamples(const Project&, bool includeExcluded);

}  // namespace cloister
