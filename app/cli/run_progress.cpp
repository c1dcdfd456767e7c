#include "app/cli/run_progress.h"

#include <unistd.h>

#include "app/cli/run_session.h"

namespace cloister::cli {
namespace {

constexpr int kLogEveryMs = 15'000;

}  // namespace

RunProgress::RunProgress(Context& context) : context_(context), terminal_(::isatty(STDERR_FILENO)) {}

void RunProgress::take(const QList<RunEvent>& events) {
  for (const RunEvent& e : events) {
    if (e.type == u"started") {
      steps_ = e.body["steps"].toInteger();
      step_ = e.body["resumedFrom"].toInteger();
      firstStep_ = -1;
    } else if (e.type == u"phase") {
      phase_ = e.body["name"].toString();
      done_ = total_ = 0;
      secondsLeft_ = -1;
    } else if (e.type == u"progress") {
      done_ = e.body["done"].toInteger();
      total_ = e.body["total"].toInteger();
      secondsLeft_ = e.body["secondsLeft"].toDouble(-1);
    } else if (e.type == u"metric" || e.type == u"evaluation") {
      step_ = e.body["step"].toInteger(step_);
      const QJsonObject values = e.body["values"].toObject();
      for (auto it = values.begin(); it != values.end(); ++it) values_[it.key()] = it.value();
      if (firstStep_ < 0) {
        firstStep_ = step_;
        sinceFirst_.start();
      }
    } else if (e.type == u"sample") {
      context_.note(tr("Step %1 writes: %2")
                        .arg(e.body["step"].toInteger())
                        .arg((e.body["prompt"].toString() + e.body["text"].toString()).simplified()));
    } else if (e.type == u"warning") {
      context_.note(tr("Warning: %1").arg(e.body["message"].toString()));
    }
  }
  if (!events.isEmpty()) show();
}

QString RunProgress::text() const {
  QString line = phase_;
  const auto add = [&](const char* key, const char* label) {
    const QJsonValue v = values_[QLatin1String(key)];
    if (v.isDouble()) line += QStringLiteral("  %1 %2").arg(QLatin1String(label), shortNumber(v.toDouble()));
  };
  if (phase_ == u"training" || phase_ == u"validating" || phase_.isEmpty()) {
    add("train/loss", "loss");
    add("validation/loss", "val.loss");
    add("validation/auc", "val.auc");
    add("validation/accuracy", "val.accuracy");
    add("samples_per_second", "samples/s");
    add("tokens_per_second", "tokens/s");
  }
  return line;
}

void RunProgress::show() {
  const bool training = steps_ > 0 && (phase_ == u"training" || phase_.isEmpty() || total_ == 0);
  double left = secondsLeft_;
  if (training && left < 0 && firstStep_ >= 0 && step_ > firstStep_)
    left = double(sinceFirst_.elapsed()) / 1000 * double(steps_ - step_) / double(step_ - firstStep_);
  const qint64 done = training ? step_ : done_, total = training ? steps_ : total_;
  if (terminal_) context_.progress().show(done, total, text(), left);
  else if (total <= 0 && text().isEmpty()) return;
  else if (!sinceLogged_.isValid() || sinceLogged_.elapsed() >= kLogEveryMs) {
    sinceLogged_.start();
    context_.note(total > 0 ? QStringLiteral("%1/%2 %3").arg(done).arg(total).arg(text()) : text());
  }
}

}  // namespace cloister::cli
