#include "widgets/common/long_task.h"

#include <algorithm>

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QPointer>

#include "widgets/common/words.h"

namespace cloister {
namespace {
constexpr int kTellEveryMs = 200, kNoGuessMs = 2000;
}

LongTask::Told LongTask::teller() {
  struct Last {
    QElapsedTimer told, began;
    int phase = -1;
    qint64 first = 0;  // what was done when the phase began
  };
  return [guard = QPointer<LongTask>(this), stop = stop_, last = std::make_shared<Last>()](qint64 done, qint64 total, int phase) {
    const bool next = last->phase != phase;
    if (next) {
      last->phase = phase;
      last->first = done;
      last->began.start();
    }
    if (next || last->told.elapsed() >= kTellEveryMs) {
      last->told.start();
      const qint64 more = done - last->first, ms = last->began.elapsed();
      const double left = ms > kNoGuessMs && more > 0 && total > 0 ? double(total - done) / double(more) * double(ms) / 1000 : -1;
      QMetaObject::invokeMethod(QCoreApplication::instance(), [guard, stop, done, total, phase, left] {
        if (guard && guard->running_ && guard->stop_ == stop) Q_EMIT guard->progressed(done, total, phase, left);
      });
    }
    return !stop->load();
  };
}

QString bytesOf(qint64 done, qint64 total) {
  if (total <= 0) return {};
  return QCoreApplication::translate("LongTask", "%1 of %2").arg(words::bytes(double(done)), words::bytes(double(total)));
}

double fractionOf(qint64 done, qint64 total) { return total > 0 ? std::clamp(double(done) / double(total), 0.0, 1.0) : -1; }

}  // namespace cloister
