// Numbers, sizes, times and intervals as people read them, in the language of the screen. Main thread (uses the default QLocale).
#pragma once
#include <QString>

namespace cloister::words {

QString number(qint64);                                   ///< 1,006
QString figures(double, int significant = 3);             ///< 0.214, 2,310, 3.0e-05 below 0.001
QString interval(double value, double low, double high);  ///< 0.94 (0.91–0.96)
QString percent(double fraction, int decimals = 0);       ///< 63 %
QString bytes(double);                                    ///< 1.3 GiB
QString timeLeft(double seconds);                         ///< "4 minutes left"; empty when unknown (negative)
QString duration(double seconds);                         ///< "3 minutes"
QString dateTime(const QString& iso);                     ///< ISO UTC → local, in the locale's short form
QString shortDigest(const QString& hex);                  ///< first 8 characters
QString milliseconds(double);                             ///< 4.31 ms
QString architecture(const QString& id);                  ///< ResNet-18 for resnet18
QString metric(const QString& series);                    ///< "balanced accuracy" for validation/balanced_accuracy

enum class Noun { Sample, Image, Patient, Label, File, Row, Conflict, Core, Thread, Record, Token };
QString counted(qint64 n, Noun);  ///< "1 sample", "1,006 samples"

}  // namespace cloister::words
