#include "app/cli/scale_print.h"

#include <QJsonArray>
#include <QLocale>

namespace cloister::cli {
namespace {

QString gigabytes(double bytes) { return QLocale().toString(bytes / 1e9, 'f', 1) + " GB"; }
QString percent(double share) { return QLocale().toString(100 * share, 'f', 1) + " %"; }
QString seconds(double s) { return QLocale().toString(s, 'f', s < 10 ? 3 : 1) + " s"; }
QString whole(double n) { return QLocale().toString(n, 'f', 0); }

void printProposal(Context& c, const QJsonObject& p) {
  const QJsonObject s = p["seconds"].toObject(), m = p["memory"].toObject();
  c.print(p["layout"].toString());
  c.print(tr("  a step %1, %2 tokens/s (%3 on each GPU), MFU %4, memory %5 of each GPU")
              .arg(seconds(p["stepSeconds"].toDouble()), whole(p["tokensPerSecond"].toDouble()),
                   whole(p["tokensPerSecond"].toDouble() / p["gpus"].toInt(1)), percent(p["mfu"].toDouble()),
                   gigabytes(m["total"].toDouble())));
  c.print(tr("  seconds: compute %1, computed again %2, tensor %3, experts %4, pipeline %5, bubble %6, data %7, optimizer %8")
              .arg(seconds(s["compute"].toDouble()), seconds(s["recompute"].toDouble()), seconds(s["tensor"].toDouble()),
                   seconds(s["expert"].toDouble()), seconds(s["pipeline"].toDouble()), seconds(s["bubble"].toDouble()),
                   seconds(s["data"].toDouble()), seconds(s["optimizer"].toDouble())));
  c.print(tr("  memory: weights %1, gradients %2, optimizer %3, activations %4, logits %5, overhead %6")
              .arg(gigabytes(m["weights"].toDouble()), gigabytes(m["gradients"].toDouble()), gigabytes(m["optimizer"].toDouble()),
                   gigabytes(m["activations"].toDouble()), gigabytes(m["logits"].toDouble()), gigabytes(m["overhead"].toDouble())));
}

void printChanges(Context& c, const QJsonArray& changes) {
  if (changes.isEmpty()) return c.print(tr("No single change makes it fit."));
  c.print(tr("It fits with one of these:"));
  for (const QJsonValue& v : changes) {
    const QJsonObject change = v.toObject();
    if (change.contains("sequence")) c.print(tr("Sequences of %1 tokens:").arg(change["sequence"].toInteger()));
    if (change.contains("machine")) c.print(tr("On %1:").arg(change["machine"].toString()));
    printProposal(c, change);
  }
}

void printSearch(Context& c, const QJsonObject& report) {
  c.print(tr("Layouts tried: %1; they fit: %2").arg(report["tried"].toInt()).arg(report["fitting"].toInt()));
  for (const QJsonValue& p : report["best"].toArray()) printProposal(c, p.toObject());
  if (report["best"].toArray().isEmpty()) {
    c.print(tr("No layout of %1 GPUs fits.").arg(report["gpus"].toInt()));
    printChanges(c, report["changes"].toArray());
  }
  if (!report["others"].toArray().isEmpty()) c.print(tr("Why not others:"));
  for (const QJsonValue& v : report["others"].toArray()) {
    const QJsonObject o = v.toObject();
    const QString slower =
        o.contains("slower") ? tr("%1 times as long: ").arg(QLocale().toString(o["slower"].toDouble(), 'f', 2)) : QString();
    c.print(QStringLiteral("  tp=%1, pp=%2: ").arg(o["tensor"].toInt()).arg(o["pipeline"].toInt()) + slower + o["sentence"].toString());
  }
}

}  // namespace

void printScale(Context& c, const QJsonObject& report) {
  c.print(tr("Parameters: %1; %2 GPUs %3; batch of %4 sequences of %5 tokens, %6")
              .arg(whole(report["parameters"].toDouble()), whole(report["gpus"].toDouble()),
                   report["machine"].toObject()["name"].toString(), whole(report["globalBatch"].toDouble()),
                   whole(report["sequence"].toDouble()), report["compute"].toString()));
  if (report.contains("given")) {
    const QJsonObject given = report["given"].toObject();
    if (given.contains("stepSeconds")) printProposal(c, given);
    else c.print(given["layout"].toString());
    if (!given["fits"].toBool()) {
      c.print(tr("It does not fit: %1.").arg(given["sentence"].toString()));
      printChanges(c, given["changes"].toArray());
    }
  } else printSearch(c, report);
  if (report.contains("smallest")) {
    const QJsonObject s = report["smallest"].toObject();
    c.print(tr("The fewest GPUs it trains on: %1 (%2, %3 of memory)")
                .arg(whole(s["gpus"].toDouble()), s["layout"].toString(), gigabytes(s["memory"].toObject()["total"].toDouble())));
  } else c.print(tr("Up to 4,096 of these GPUs do not hold it."));
  c.print(tr("Assumed:"));
  for (const QJsonValue& a : report["assumptions"].toArray()) c.print("  " + a.toObject()["text"].toString());
}

}  // namespace cloister::cli
