#include "app/cli/progress_line.h"

#include <sys/ioctl.h>
#include <unistd.h>
#include <algorithm>
#include <cmath>
#include <cstdio>

namespace cloister::cli {
namespace {

int terminalColumns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

}  // namespace

QString durationText(double seconds) {
  const auto s = qint64(std::llround(std::max(0.0, seconds)));
  if (s < 60) return QStringLiteral("%1 s").arg(s);
  const QString tail = QStringLiteral("%1").arg(s % 60, 2, 10, QLatin1Char('0'));
  if (s < 3600) return QStringLiteral("%1:%2 min").arg(s / 60).arg(tail);
  return QStringLiteral("%1:%2:%3 h").arg(s / 3600).arg(s / 60 % 60, 2, 10, QLatin1Char('0')).arg(tail);
}

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO)) {}

void ProgressLine::show(qint64 done, qint64 total, const QString& text, double secondsLeft) {
  if (!terminal_) return;
  const bool last = total > 0 && done >= total;
  if (visible_ && !last && sinceDrawn_.isValid() && sinceDrawn_.elapsed() < 100) return;
  sinceDrawn_.start();
  QString line;
  if (total > 0) {
    constexpr int kWidth = 24;
    const int filled = int(kWidth * std::clamp(double(done) / double(total), 0.0, 1.0));
    line = QStringLiteral("[%1%2] %3/%4  ").arg(QString(filled, '#'), QString(kWidth - filled, '.')).arg(done).arg(total);
  }
  line += text;
  if (secondsLeft >= 0) line += QStringLiteral("  ~%1").arg(durationText(secondsLeft));
  const QByteArray bytes = "\r\x1b[2K" + line.left(terminalColumns() - 1).toLocal8Bit();
  std::fwrite(bytes.constData(), 1, size_t(bytes.size()), stderr);
  std::fflush(stderr);
  visible_ = true;
}

void ProgressLine::clear() {
  if (!visible_) return;
  std::fputs("\r\x1b[2K", stderr);
  std::fflush(stderr);
  visible_ = false;
}

}  // namespace cloister::cli
