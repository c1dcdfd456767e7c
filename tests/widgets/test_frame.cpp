// The frame with every page: all created, reachable by keyboard, every control named in both languages, languages and themes switched while
// it stands, and no event that holds the main thread for more than 50 ms once the window is there.
#include <QSettings>
#include <QTemporaryDir>
#include <QtTest>

#include "tests/widgets/controls.h"
#include "tests/widgets/watchdog.h"
#include "widgets/common/language.h"
#include "widgets/common/shell.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/pages.h"

using namespace cloister;

class TestFrame : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase();
  void everyPageIsThere();
  void everyControlHasAName_data();
  void everyControlHasAName();
  void keysSwitchPages();
  void everyControlTakesTheFocus();
  void languageSwitchesWhileItStands();
  void themeSwitchesWhileItStands();
  void missingSaysWhy();
  void mainThreadIsFree();

 private:
  QTemporaryDir config_;
  std::unique_ptr<StoreClient> store_;
  std::unique_ptr<MainWindow> window_;
};

void TestFrame::initTestCase() {
  QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, config_.path());
  QCoreApplication::setOrganizationName("cloister-test");
  QCoreApplication::setApplicationName("frame");
  Theme::current().set(Theme::Kind::Light);
  Language::current().set("en");
  store_ = std::make_unique<StoreClient>();
  window_ = std::make_unique<MainWindow>(*store_);
  addPages(*window_);
  window_->resize(1366, 768);
  window_->show_(page::kProject);
  window_->show();
  window_->activateWindow();
  QVERIFY(QTest::qWaitForWindowActive(window_.get()));
  for (const QString& id : window_->pageIds()) QVERIFY2(window_->pageOf(id), qPrintable(id));
}

void TestFrame::everyPageIsThere() {
  QCOMPARE(window_->pageIds(),
           (QStringList{"project", "data", "texts", "train", "evaluate", "try", "export", "verify", "system", "settings"}));
  for (const QString& id : window_->pageIds()) {
    window_->show_(id);
    QCOMPARE(window_->currentPage()->id(), id);
    QCOMPARE(window_->currentPage()->title(), pageTitle(id));
    QVERIFY(!window_->currentPage()->help().isEmpty());
  }
}

void TestFrame::everyControlHasAName_data() {
  QTest::addColumn<QString>("language");
  QTest::newRow("en") << "en";
  QTest::newRow("zh_CN") << "zh_CN";
}

void TestFrame::everyControlHasAName() {
  QFETCH(QString, language);
  Language::current().set(language);
  int controls = 0;
  const QStringList nameless = namelessControls(window_.get(), controls);
  Language::current().set("en");
  QVERIFY(controls > 80);
  QVERIFY2(nameless.isEmpty(),
           qPrintable(QString::number(nameless.size()) + " of " + QString::number(controls) + " without a name:\n" + nameless.join('\n')));
}

void TestFrame::keysSwitchPages() {
  const QStringList ids = window_->shownPageIds();
  for (int i = 5; i >= 0; --i) {
    QTest::keyClick(window_.get(), Qt::Key(Qt::Key_1 + i), Qt::ControlModifier);
    QCOMPARE(window_->currentPage()->id(), ids[i]);
  }
}

// Tab from control to control must reach each enabled, visible control of the page.
void TestFrame::everyControlTakesTheFocus() {
  for (const QString& id : window_->pageIds()) {
    window_->show_(id);
    QTest::qWait(20);
    QSet<const QWidget*> reached;
    QWidget* w = window_.get();
    for (int i = 0; i < 2000; ++i) {
      w = w->nextInFocusChain();
      if (w == window_.get()) break;
      if ((w->focusPolicy() & Qt::TabFocus) && w->isVisible() && w->isEnabled()) reached << w;
      if (w->focusProxy()) reached << w->focusProxy();
    }
    QStringList missed;
    for (const QWidget* c : window_->currentPage()->findChildren<QWidget*>())
      if (isControl(c) && c->isVisible() && c->isEnabled() && !reached.contains(c) && c->focusPolicy() == Qt::NoFocus &&
          !qobject_cast<const QAbstractSlider*>(c))
        missed << describeWidget(c);
    QVERIFY2(missed.isEmpty(), qPrintable(id + ":\n" + missed.join('\n')));
  }
}

void TestFrame::languageSwitchesWhileItStands() {
  window_->show_(page::kSettings);
  const QString english = window_->currentPage()->title();
  Language::current().set("zh_CN");
  QVERIFY(window_->currentPage()->title() != english);
  Language::current().set("en");
  QCOMPARE(window_->currentPage()->title(), english);
}

void TestFrame::themeSwitchesWhileItStands() {
  const QImage light = window_->grab().toImage();
  Theme::current().set(Theme::Kind::Dark);
  QTest::qWait(10);
  const QImage dark = window_->grab().toImage();
  Theme::current().set(Theme::Kind::Light);
  const QPoint corner(light.width() / 2, light.height() - 40);
  QVERIFY(light.pixelColor(corner).lightness() > 200);
  QVERIFY(dark.pixelColor(corner).lightness() < 60);
}

void TestFrame::missingSaysWhy() {
  for (const char* id : {page::kData, page::kTrain, page::kEvaluate, page::kExport}) {
    const Page::Missing missing = window_->pageOf(QLatin1String(id))->missing();
    QVERIFY2(!missing.reason.isEmpty(), id);
    QVERIFY2(!missing.goTo.isEmpty(), id);
  }
  QVERIFY(window_->pageOf(QLatin1String(page::kVerify))->missing().reason.isEmpty());  // works without a project
}

void TestFrame::mainThreadIsFree() {
  auto* app = static_cast<WatchedApplication*>(QCoreApplication::instance());
  for (const QString& id : window_->pageIds()) {  // first showing lays a page out; measured is the everyday
    window_->show_(id);
    QTest::qWait(30);
  }
  app->watch(true);
  store_->createProject(config_.filePath("p"), "Watched", "image-classification");
  QTRY_VERIFY(store_->state().open && store_->state().info.name == "Watched");
  for (const QString& id : window_->pageIds()) {
    window_->show_(id);
    QTest::qWait(100);
  }
  const qint64 longest = app->longestNs();
  const QByteArray report = app->report();
  app->watch(false);
  qInfo("longest event: %s", report.constData());
  const bool held = longest >= WatchedApplication::kLimitNs;
  // And the watchdog can bark: an event that sleeps is caught.
  app->watch(true);
  QTimer::singleShot(0, this, [] { QThread::msleep(80); });
  QTRY_VERIFY(app->longestNs() > WatchedApplication::kLimitNs);
  app->watch(false);
  if (held && WatchedApplication::machineIsBusy()) QSKIP("this machine has more to do than processors; the limit is not judged");
  QVERIFY2(!held, report.constData());
}

int main(int argc, char** argv) {
  WatchedApplication app(argc, argv);
  TestFrame test;
  return QTest::qExec(&test, argc, argv);
}
#include "test_frame.moc"
