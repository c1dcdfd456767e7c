// What the user chose, kept in the user's configuration folder (ini): language, theme, text size, scale, recent projects, window. Values
// are read once and small; main thread.
#pragma once
#include <QByteArray>
#include <QString>
#include <QStringList>

namespace cloister::settings {

QString language();  ///< "" = the desktop's
void setLanguage(const QString&);
QString theme();  ///< light, dark, system
void setTheme(const QString&);
int textStep();
void setTextStep(int);
int scalePercent();  ///< 100…300, applied at the next start
void setScalePercent(int);
QString keysFolder();  ///< "" = the default of KeyStore
void setKeysFolder(const QString&);
QStringList recentProjects();  ///< newest first
void addRecentProject(const QString& dir);
void removeRecentProject(const QString& dir);
QString lastPage();
void setLastPage(const QString&);
QByteArray window(const char* part);
void setWindow(const char* part, const QByteArray&);

}  // namespace cloister::settings
