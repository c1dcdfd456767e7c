// Progress of things that take longer than a blink: one line a task with name, bar, figures, time left and Stop. As the run strip it stands
// below every page; pages may place one of their own. Hidden while nothing runs. Main thread.
#pragma once
#include <QFrame>
#include <QMap>

class QLabel;
class QProgressBar;
class QToolButton;
class QVBoxLayout;

namespace cloister {

class ProgressStrip : public QFrame {
  Q_OBJECT
 public:
  struct Task {
    QString title;            ///< "Run r-0012"
    QString detail;           ///< "ResNet-18 · loss 0.214 · 2,310 images/s"
    double fraction = -1;     ///< 0…1, negative: unknown
    double secondsLeft = -1;  ///< negative: unknown
    bool canStop = true;
    bool opens = false;  ///< the title is a link: opened() is sent
  };
  explicit ProgressStrip(QWidget* parent = nullptr);
  void setTask(const QString& id, const Task&);
  void removeTask(const QString& id);
  bool isEmpty() const { return rows_.isEmpty(); }

 Q_SIGNALS:
  void stopRequested(QString id);
  void opened(QString id);

 private:
  struct Row {
    QWidget* widget;
    QToolButton* title;
    QLabel *detail, *left, *percent;
    QProgressBar* bar;
    QToolButton* stop;
    Task task;
  };
  void fill(Row&);
  QMap<QString, Row> rows_;
  QVBoxLayout* layout_;
};

}  // namespace cloister
