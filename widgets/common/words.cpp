#include "widgets/common/words.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>

namespace cloister::words {
namespace {
QString tr(const char* text, int n = -1) { return QCoreApplication::translate("Words", text, nullptr, n); }
}  // namespace

QString number(qint64 n) { return QLocale().toString(n); }

QString figures(double value, int significant) {
  if (!std::isfinite(value)) return value != value ? QStringLiteral("NaN") : QStringLiteral("∞");
  if (value == 0) return QStringLiteral("0");
  const double size = std::fabs(value);
  if (size < 0.001 || size >= 1e9) return QString::number(value, 'e', significant - 1);
  const int digits = std::max(0, significant - 1 - int(std::floor(std::log10(size))));
  return QLocale().toString(value, 'f', digits);
}

QString interval(double value, double low, double high) {
  const QLocale l;
  return QStringLiteral("%1 (%2–%3)").arg(l.toString(value, 'f', 2), l.toString(low, 'f', 2), l.toString(high, 'f', 2));
}

QString percent(double fraction, int decimals) {
  const double step = std::pow(10.0, decimals), rounded = std::round(100 * fraction * step) / step;
  return QStringLiteral("%1\u00a0%").arg(QLocale().toString(rounded == 0 ? 0.0 : 100 * fraction, 'f', decimals));  // never -0.00
}

QString bytes(double n) { return QLocale().formattedDataSize(qint64(n), n < 1024 ? 0 : 1); }

QString duration(double seconds) {
  const qint64 s = qint64(std::llround(std::max(0.0, seconds)));
  if (s < 60) return tr("%n second(s)", int(s));
  if (s < 90 * 60) return tr("%n minute(s)", int((s + 30) / 60));
  const int hours = int(s / 3600), minutes = int(s % 3600 / 60);
  if (s < 48 * 3600) return tr("%1 h %2 min").arg(hours).arg(minutes);
  return tr("%n day(s)", int((s + 43200) / 86400));
}

QString timeLeft(double seconds) {
  if (seconds < 0 || !std::isfinite(seconds)) return {};
  if (seconds < 5) return tr("nearly done");
  return tr("%1 left").arg(duration(seconds));
}

QString dateTime(const QString& iso) {
  const QDateTime t = QDateTime::fromString(iso, Qt::ISODateWithMs);
  return t.isValid() ? QLocale().toString(t.toLocalTime(), QLocale::ShortFormat) : iso;
}

QString counted(qint64 n, Noun noun) {
  const int count = int(std::min<qint64>(n, std::numeric_limits<int>::max()));
  switch (noun) {
    case Noun::Sample:
      return tr("%Ln sample(s)", count);
    case Noun::Image:
      return tr("%Ln image(s)", count);
    case Noun::Patient:
      return tr("%Ln patient(s)", count);
    case Noun::Label:
      return tr("%Ln label(s)", count);
    case Noun::File:
      return tr("%Ln file(s)", count);
    case Noun::Row:
      return tr("%Ln row(s)", count);
    case Noun::Conflict:
      return tr("%Ln conflict(s)", count);
    case Noun::Core:
      return tr("%Ln core(s)", count);
    case Noun::Record:
      return tr("%Ln record(s)", count);
    case Noun::Token:
      return tr("%Ln token(s)", count);
    case Noun::Thread:
      return tr("%Ln thread(s)", count);
  }
  return {};
}

QString architecture(const QString& id) {
  if (id == u"small_cnn") return tr("Small CNN");
  if (id.startsWith(u"resnet")) return QStringLiteral("ResNet-") + id.mid(6);
  if (id == u"vit_s_16") return QStringLiteral("ViT-S/16");
  if (id == u"image_classifier") return tr("Image classifier");
  if (id == u"decoder_lm") return tr("Language model");
  if (id.startsWith(u"llama-")) return QStringLiteral("LLaMA ") + id.mid(6).toUpper();
  return id;  // newer than this program
}

QString metric(const QString& series) {
  const QString name = series.section('/', -1);
  if (name == u"auc" || name == u"auc_macro") return QStringLiteral("AUC");
  if (name == u"loss") return tr("loss");
  if (name == u"perplexity") return tr("perplexity");
  if (name == u"accuracy") return tr("accuracy");
  if (name == u"balanced_accuracy") return tr("balanced accuracy");
  return name;
}

QString shortDigest(const QString& hex) { return hex.left(8); }

QString milliseconds(double ms) { return QStringLiteral("%1 ms").arg(figures(ms)); }

}  // namespace cloister::words
