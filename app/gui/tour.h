// cloister --tour DIR: shows every page with the project's real content, waits until nothing is loading, and writes it as PNG. Works
// offscreen; used by the README and by tests. Main thread, event-driven.
#pragma once
#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

namespace cloister {

class MainWindow;
class StoreClient;

class Tour : public QObject {
  Q_OBJECT
 public:
  Tour(MainWindow& window, StoreClient& store, QString dir, QObject* parent = nullptr);
  void start();

 Q_SIGNALS:
  void finished(int exitCode);

 private:
  void look();
  void plan();
  bool save();
  MainWindow& window_;
  StoreClient& store_;
  QString dir_;
  struct Stop {
    QString page, view;
    int part = 1;  ///< of a page that is longer than the window
  };
  bool scrollOn();
  QList<Stop> stops_;
  int index_ = -1;
  int quiet_ = 0;  ///< looks in a row with nothing under way
  QElapsedTimer since_;
  QTimer timer_;
};

}  // namespace cloister
