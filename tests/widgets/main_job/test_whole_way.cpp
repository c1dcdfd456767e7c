// The main job by mouse and keyboard, offscreen, with the real children: sample project, freeze, train, evaluate, export, sign, verify.
// What a person sees decides every step: buttons are found by their words, pages by the keys a person presses.
#include <QComboBox>
#include <QDir>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include "tests/widgets/controls.h"
#include "tests/widgets/watchdog.h"
#include "widgets/common/language.h"
#include "widgets/common/parameter_form.h"
#include "widgets/common/shell.h"
#include "widgets/common/store_client.h"
#include "widgets/pages.h"

using namespace cloister;

class TestWholeWay : public QObject {
  Q_OBJECT
  QTemporaryDir home_;
  std::unique_ptr<StoreClient> store_;
  std::unique_ptr<MainWindow> window_;

  template <typename Button>
  Button* visibleButton(const QString& words) const {
    for (auto* b : window_->findChildren<Button*>())
      if (b->isVisible() && b->text() == words) return b;
    return nullptr;
  }
  /// Waits until a button with these words can be pressed, then presses it with the mouse.
  bool press(const QString& words, int timeoutMs = 20'000) {
    QPushButton* button = nullptr;
    const bool there = QTest::qWaitFor([&] { return (button = visibleButton<QPushButton>(words)) && button->isEnabled(); }, timeoutMs);
    if (!there) {
      qWarning() << "no button to press:" << words << "banner:" << bannerText();
      return false;
    }
    QTest::mouseClick(button, Qt::LeftButton);
    return true;
  }
  QString bannerText() const {
    QStringList texts;
    for (auto* l : window_->currentPage()->findChildren<QLabel*>())
      if (l->isVisible() && l->text().size() > 20) texts << l->text();
    return texts.join(" | ").left(600);
  }
  QLineEdit* field(const QString& accessibleName) const {
    for (auto* e : window_->findChildren<QLineEdit*>())
      if (e->isVisible() && e->accessibleName() == accessibleName) return e;
    return nullptr;
  }
  bool type(const QString& accessibleName, const QString& text) {
    QLineEdit* edit = nullptr;
    if (!QTest::qWaitFor([&] { return (edit = field(accessibleName)) != nullptr; }, 5000)) return false;
    edit->setFocus();
    edit->selectAll();
    QTest::keyClicks(edit, text);
    return edit->text() == text;
  }
  void page(Qt::Key number) { QTest::keyClick(window_.get(), number, Qt::ControlModifier); }

 private Q_SLOTS:
  void initTestCase() {
    qputenv("HOME", home_.path().toUtf8());
    qputenv("XDG_DATA_HOME", home_.filePath("data").toUtf8());
    qputenv("XDG_CONFIG_HOME", home_.filePath("config").toUtf8());
    qputenv("XDG_DOCUMENTS_DIR", home_.filePath("documents").toUtf8());
    qputenv("CLOISTER_KEYS", home_.filePath("keys").toUtf8());
    qputenv("CLOISTER_BIN_DIR", CLOISTER_BIN_DIR);
    qputenv("CLOISTER_PLUGINS", CLOISTER_BIN_DIR "/../plugins");
    Language::current().set("en");
    store_ = std::make_unique<StoreClient>();
    window_ = std::make_unique<MainWindow>(*store_);
    addPages(*window_);
    window_->resize(1366, 768);
    window_->show_("project");
    window_->show();
    QVERIFY(QTest::qWaitForWindowExposed(window_.get()));
    // Pages are made while idle; what a first showing costs is measured elsewhere.
    for (const QString& id : window_->pageIds()) window_->pageOf(id);
  }

  void fromNothingToAVerifiedBundle() {
    static_cast<WatchedApplication*>(qApp)->watch(true);
    QVERIFY(press("Try the sample project"));
    QVERIFY2(
        QTest::qWaitFor([&] { return store_->state().counts.samples >= 60 && !store_->importing() && store_->pending() == 0; }, 240'000),
        qPrintable(bannerText()));
    QCOMPARE(store_->state().counts.refused, qint64(0));  // the table of labels beside the images is no refused image

    page(Qt::Key_2);
    QCOMPARE(window_->currentPage()->id(), QStringLiteral("data"));
    QVERIFY(press("Freeze snapshot"));          // opens the sheet
    QVERIFY(press("Freeze snapshot", 60'000));  // when the preview of the split is there
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().snapshots.isEmpty(); }, 60'000), qPrintable(bannerText()));
    QVERIFY(store_->state().snapshots.first().groups > 10);

    page(Qt::Key_3);
    QCOMPARE(window_->currentPage()->id(), QStringLiteral("train"));
    auto* form = window_->currentPage()->findChild<ParameterForm*>();
    QVERIFY(form);
    QVERIFY(QTest::qWaitFor([&] { return form->field("epochs") != nullptr; }, 20'000));
    form->setValues({{"epochs", 2}});
    QVERIFY(press("Start training"));
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().runs.isEmpty() && store_->state().runs.first().state == u"finished"; }, 600'000),
             qPrintable(bannerText()));

    page(Qt::Key_4);
    QVERIFY(press("Evaluate on the test split"));
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().evaluated.isEmpty(); }, 600'000), qPrintable(bannerText()));
    QVERIFY(press("Export this model", 30'000));
    QCOMPARE(window_->currentPage()->id(), QStringLiteral("export"));

    QVERIFY(press("Make the candidates"));
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().exported.isEmpty(); }, 600'000), qPrintable(bannerText()));
    QVERIFY(type("Name of the key", "ward7"));
    QVERIFY(type("Passphrase", "correct horse"));
    QVERIFY(type("Passphrase again", "correct horse"));
    QVERIFY(press("Create key"));
    QVERIFY(press("Create signed bundle", 60'000));
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().bundles.isEmpty(); }, 120'000), qPrintable(bannerText()));
    QVERIFY(press("Verify the bundle", 30'000));

    QCOMPARE(window_->currentPage()->id(), QStringLiteral("verify"));
    QVERIFY2(QTest::qWaitFor(
                 [&] {
                   for (auto* l : window_->currentPage()->findChildren<QLabel*>())
                     if (l->isVisible() && l->text().contains("This bundle is whole")) return true;
                   return false;
                 },
                 60'000),
             qPrintable(bannerText()));
  }

  void theWindowNeverHeldStill() {
    auto* app = static_cast<WatchedApplication*>(qApp);
    const bool held = app->longestNs() >= WatchedApplication::kLimitNs;
    if (held && WatchedApplication::machineIsBusy()) QSKIP("this machine has more to do than processors; the limit is not judged");
    QVERIFY2(!held, app->report().constData());
  }

  // With a project that has everything, in both languages: report cards, tables, the viewer, the sheets.
  void everyControlOfAFullProjectHasAName() {
    static_cast<WatchedApplication*>(qApp)->watch(false);
    for (const char* language : {"en", "zh_CN"}) {
      Language::current().set(language);
      for (const QString& id : window_->pageIds()) {
        window_->show_(id);
        for (const QString& view : QStringList{QString()} + window_->currentPage()->views()) {
          window_->currentPage()->openView(view);
          QVERIFY(QTest::qWaitFor([&] { return store_->pending() == 0; }, 60'000));
          int controls = 0;
          const QStringList nameless = namelessControls(window_.get(), controls);
          QVERIFY2(nameless.isEmpty(), qPrintable(language + QLatin1Char(' ') + id + ' ' + view + '\n' + nameless.join('\n')));
          QVERIFY(controls > 80);
        }
      }
    }
    Language::current().set("en");
  }

  void cleanupTestCase() {
    window_.reset();
    store_.reset();
  }
};

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  qputenv("QTEST_FUNCTION_TIMEOUT", "1400000");  // the whole job in one function: minutes, and more on a busy machine
  WatchedApplication app(argc, argv);
  TestWholeWay test;
  return QTest::qExec(&test, argc, argv);
}
#include "test_whole_way.moc"
