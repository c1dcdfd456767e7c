// One line of progress on stderr, redrawn in place, only when stderr is a terminal. Main thread.
#pragma once
#include <QElapsedTimer>
#include <QString>

namespace cloister::cli {

class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { clear(); }
  /// total 0: unknown, only the text is shown. At most ten redraws a second, the last step always. secondsLeft below 0: unknown.
  void show(qint64 done, qint64 total, const QString& text = {}, double secondsLeft = -1);
  /// Takes the line away, so that other text can be printed.
  void clear();

 private:
  bool terminal_ = false, visible_ = false;
  QElapsedTimer sinceDrawn_;
};

/// "12 s", "3:05 min", "1:02:11 h".
QString durationText(double seconds);

}  // namespace cloister::cli
