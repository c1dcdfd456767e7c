#include "core/engine/train/attempt.h"

#include <csignal>

#include <QFile>

#include "core/domain/run_event.h"

namespace cloister {
namespace {

using Clock = std::chrono::steady_clock;

volatile std::sig_atomic_t terminated = 0;
void onTerminate(int) { terminated = 1; }

double secondsSince(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

}  // namespace

Attempt::Attempt(const TrainJob& j) : job(j), started_(Clock::now()), lastCheckpoint_(started_) { std::signal(SIGTERM, onTerminate); }

void Attempt::event(const QString& type, QJsonObject body, bool sync) {
  if (auto written = job.events->append(type, std::move(body), sync); !written)
    qWarning("event not written: %s", qUtf8Printable(describe(written.error())));
}

bool Attempt::stopRequested() const { return terminated || QFile::exists(job.runDir + "/stop.request"); }

double Attempt::secondsSinceStart() const { return secondsSince(started_); }

bool Attempt::checkpointDue(double minutes) const { return secondsSince(lastCheckpoint_) >= minutes * 60; }

void Attempt::checkpointWritten() { lastCheckpoint_ = Clock::now(); }

}  // namespace cloister
