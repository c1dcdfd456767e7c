// The words of a report in English and Chinese. A report is a document with a language of its own: it may be written in Chinese by a worker
// on an English desktop, where no translator of the program is loaded. Hence this table instead of tr(). Any thread.
#pragma once
#include <QString>

namespace cloister {

class ReportTexts {
 public:
  /// "zh…": Chinese, anything else: English.
  explicit ReportTexts(const QString& language) : chinese_(language.startsWith(QStringLiteral("zh"))) {}
  bool chinese() const { return chinese_; }
  QString code() const { return chinese_ ? QStringLiteral("zh-CN") : QStringLiteral("en"); }
  /// The text of a key; an unknown key is shown as it is (a metric of a newer program).
  QString operator()(const QString& key) const;
  static QStringList keys();
  /// 1,006 · 0.941 · 12.3 ms as the language writes them.
  QString count(qint64) const;
  /// "1 sample", "1,006 samples"; noun: sample, patient or group.
  QString counted(const QString& noun, qint64) const;

 private:
  bool chinese_;
};

}  // namespace cloister
