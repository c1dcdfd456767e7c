// The language of the screen, switched while running. Main thread only.
#pragma once
#include <memory>

#include <QLocale>
#include <QObject>
#include <QStringList>

class QTranslator;

namespace cloister {

class Language : public QObject {
  Q_OBJECT
 public:
  static Language& current();
  ~Language() override;
  /// "en" or "zh_CN". Anything else, and empty, falls back to what the desktop speaks, then English.
  void set(const QString& code);
  QString code() const { return code_; }
  static QStringList available() { return {QStringLiteral("en"), QStringLiteral("zh_CN")}; }

 Q_SIGNALS:
  void changed();

 private:
  Language() = default;
  QString code_ = QStringLiteral("en");
  std::unique_ptr<QTranslator> own_, qt_;
};

/// Runs f now (it sets texts) and again after each change of language, as long as context lives.
template <typename F>
void whenTranslated(QObject* context, F f) {
  f();
  QObject::connect(&Language::current(), &Language::changed, context, f);
}

}  // namespace cloister
