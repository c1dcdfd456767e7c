// cloister: the desktop program. Starts the frame, opens the project that was named or used last, and hands over to the event loop.
#include <cstdio>

#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QFileInfo>
#include <QProcess>
#include <QSettings>
#include <QTemporaryDir>
#include <QTimer>

#include "app/gui/tour.h"
#include "core/domain/version.h"
#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/page.h"
#include "widgets/common/process_age.h"
#include "widgets/common/settings.h"
#include "widgets/common/shell.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/pages.h"
#include "widgets/system/settings_page.h"

namespace {

using namespace cloister;

// Qt reads the scale before QApplication exists, so this one option is looked for by hand.
void applyScale(int argc, char** argv) {
  QByteArray percent;
  for (int i = 1; i < argc; ++i) {
    const QByteArray arg(argv[i]);
    if (arg == "--scale" && i + 1 < argc) percent = argv[i + 1];
    if (arg.startsWith("--scale=")) percent = arg.mid(8);
  }
  double scale = percent.isEmpty() ? settings::scalePercent() / 100.0 : percent.toDouble();
  if (scale > 10) scale /= 100;  // 200 and 2 both mean twice
  if (scale >= 1 && scale <= 3 && scale != 1) qputenv("QT_SCALE_FACTOR", QByteArray::number(scale));
}

Theme::Kind themeNamed(const QString& name) {
  return name == u"dark" ? Theme::Kind::Dark : name == u"light" ? Theme::Kind::Light : Theme::Kind::System;
}

int usage(const QString& text) {
  std::fprintf(stderr, "cloister: %s\n", qPrintable(text));
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication::setOrganizationName(QStringLiteral("cloister"));
  QCoreApplication::setApplicationName(QStringLiteral("cloister"));
  QCoreApplication::setApplicationVersion(programVersion() + " (" + codeCommit() + ')');
  applyScale(argc, argv);
  QGuiApplication::setHighDpiScaleFactorRoundingPolicy(Qt::HighDpiScaleFactorRoundingPolicy::PassThrough);
  QApplication app(argc, argv);

  QCommandLineParser parser;
  parser.setApplicationDescription(QStringLiteral("Train, evaluate and hand out models in closed networks."));
  parser.addHelpOption();
  parser.addVersionOption();
  parser.addOptions({{"project", "Open the project in DIR.", "DIR"},
                     {"language", "Language of the screen: en or zh_CN.", "CODE"},
                     {"theme", "light, dark or system.", "NAME"},
                     {"scale", "1 to 3, or 100 to 300 percent.", "FACTOR"},
                     {"font-size", "Type size in points instead of the desktop's.", "POINTS"},
                     {"page", "Start on this page.", "ID"},
                     {"tour", "Write every page as PNG to DIR and end.", "DIR"},
                     {"size", "Size of the window in a tour.", "WxH", "1366x768"},
                     {"measure-start", "Print the milliseconds from process start to the first frame as JSON and end."}});
  parser.process(app);
  // A tour shows the program, not its user: no recent projects, and nothing of it is remembered.
  QTemporaryDir noSettings;
  if (parser.isSet("tour")) QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, noSettings.path());
  const QString themeName = parser.isSet("theme") ? parser.value("theme") : settings::theme();
  if (!QStringList{"light", "dark", "system"}.contains(themeName)) return usage("--theme takes light, dark or system");
  QString language = parser.isSet("language") ? parser.value("language") : settings::language();
  if (language == u"zh") language = QStringLiteral("zh_CN");
  if (parser.isSet("language") && !Language::available().contains(language)) return usage("--language takes en or zh_CN");

  if (const double points = parser.value("font-size").toDouble(); points >= 6 && points <= 24) {
    QFont font = QApplication::font();
    font.setPointSizeF(points);
    QApplication::setFont(font);
  }
  Theme::current().setTextStep(settings::textStep());
  Theme::current().set(themeNamed(themeName));
  Language::current().set(language);
  app.setWindowIcon(themedIcon("logo", Role::Accent));

  StoreClient store;
  MainWindow window(store);
  addPages(window);
  const bool touring = parser.isSet("tour");
  const QStringList recent = settings::recentProjects();
  QString project = parser.value("project");
  if (project.isEmpty() && !touring && !recent.isEmpty() && QFileInfo::exists(recent.first() + "/project.json")) project = recent.first();
  if (!project.isEmpty()) store.openProject(QDir(project).absolutePath());

  if (touring) window.resize(parser.value("size").section('x', 0, 0).toInt(), parser.value("size").section('x', 1, 1).toInt());
  else window.restoreWindow();
  QString first = parser.value("page");
  if (first.isEmpty() && !project.isEmpty() && !touring) first = settings::lastPage();
  if (!window.pageIds().contains(first)) first = QLatin1String(page::kProject);
  window.show_(first);
  window.show();
  if (Page* shown = window.currentPage()) shown->setFocus();
  if (auto* page = qobject_cast<SettingsPage*>(window.pageOf(page::kSettings)))
    QObject::connect(page, &SettingsPage::restartWanted, &window, [&window] {
      qunsetenv("QT_SCALE_FACTOR");
      QProcess::startDetached(QCoreApplication::applicationFilePath(), {});
      window.close();
    });
  if (parser.isSet("measure-start"))
    QTimer::singleShot(0, &app, [] {
      std::printf("{\"first_frame_ms\":%.1f}\n", processAgeMilliseconds());
      QCoreApplication::quit();
    });
  if (touring) {
    auto* tour = new Tour(window, store, parser.value("tour"), &window);
    QObject::connect(tour, &Tour::finished, &app, [](int code) { QCoreApplication::exit(code); });
    tour->start();
  }
  return QApplication::exec();
}
