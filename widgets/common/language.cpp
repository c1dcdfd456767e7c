#include "widgets/common/language.h"

#include <QCoreApplication>
#include <QLibraryInfo>
#include <QTranslator>

namespace cloister {

Language& Language::current() {
  static Language language;
  return language;
}

Language::~Language() = default;

void Language::set(const QString& wanted) {
  QString code = wanted;
  if (!available().contains(code)) code = QLocale::system().language() == QLocale::Chinese ? QStringLiteral("zh_CN") : QStringLiteral("en");
  if (code == code_ && own_) return;
  if (own_) QCoreApplication::removeTranslator(own_.get());
  if (qt_) QCoreApplication::removeTranslator(qt_.get());
  own_.reset();
  qt_.reset();
  code_ = code;
  // Qt's own dialogs first, so that our words win. English has a file as well: it holds the plural forms.
  qt_ = std::make_unique<QTranslator>();
  if (code != u"en" &&
      (qt_->load(":/i18n/qtbase_" + code + ".qm") || qt_->load("qtbase_" + code, QLibraryInfo::path(QLibraryInfo::TranslationsPath))))
    QCoreApplication::installTranslator(qt_.get());
  own_ = std::make_unique<QTranslator>();
  if (own_->load(":/i18n/cloister_" + code + ".qm")) QCoreApplication::installTranslator(own_.get());
  const QLocale system = QLocale::system();
  QLocale::setDefault(code == u"en" ? (system.language() == QLocale::English ? system : QLocale(QLocale::English)) : QLocale(code));
  Q_EMIT changed();
}

}  // namespace cloister
