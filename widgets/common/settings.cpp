#include "widgets/common/settings.h"

#include <algorithm>

#include <QDir>
#include <QSettings>

namespace cloister::settings {
namespace {
constexpr int kRecent = 12;
QVariant get(const char* key, const QVariant& otherwise = {}) { return QSettings().value(QLatin1String(key), otherwise); }
void set(const char* key, const QVariant& value) { QSettings().setValue(QLatin1String(key), value); }
}  // namespace

QString language() { return get("language").toString(); }
void setLanguage(const QString& code) { set("language", code); }
QString theme() { return get("theme", "system").toString(); }
void setTheme(const QString& name) { set("theme", name); }
int textStep() { return std::clamp(get("textStep", 0).toInt(), 0, 2); }
void setTextStep(int step) { set("textStep", step); }
int scalePercent() { return std::clamp(get("scale", 100).toInt(), 100, 300); }
void setScalePercent(int percent) { set("scale", percent); }
QString keysFolder() { return get("keysFolder").toString(); }
void setKeysFolder(const QString& dir) { set("keysFolder", dir); }
QStringList recentProjects() { return get("recent").toStringList(); }

void addRecentProject(const QString& dir) {
  QStringList list = recentProjects();
  const QString clean = QDir::cleanPath(dir);
  list.removeAll(clean);
  list.prepend(clean);
  set("recent", QStringList(list.mid(0, kRecent)));
}

void removeRecentProject(const QString& dir) {
  QStringList list = recentProjects();
  list.removeAll(QDir::cleanPath(dir));
  set("recent", list);
}

QString lastPage() { return get("page").toString(); }
void setLastPage(const QString& id) { set("page", id); }
QByteArray window(const char* part) { return get(QByteArray("window/").append(part).constData()).toByteArray(); }
void setWindow(const char* part, const QByteArray& bytes) { set(QByteArray("window/").append(part).constData(), bytes); }

}  // namespace cloister::settings
