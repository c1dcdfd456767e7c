// Try it by mouse and keyboard with real models and the real worker: both write, token by token, what the command line writes for the same
// seed; figures of speed; chat; one after the other; stop; what happens when a model is broken.
#include <QCheckBox>
#include <QComboBox>
#include <QFileDialog>
#include <QJsonArray>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>

#include "tests/widgets/controls.h"
#include "tests/widgets/language/tiny_models.h"
#include "tests/widgets/watchdog.h"
#include "widgets/common/failure_banner.h"
#include "widgets/common/language.h"
#include "widgets/common/shell.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/pages.h"
#include "widgets/tryit/answer_panel.h"
#include "widgets/tryit/transcript.h"

using namespace cloister;

namespace {
constexpr int kPatienceMs = 60'000;
const QString kBeginning = QStringLiteral("The left kidney is");
}  // namespace

class TestTryIt : public QObject {
  Q_OBJECT
  QTemporaryDir home_;
  std::unique_ptr<StoreClient> store_;
  std::unique_ptr<MainWindow> window_;

  template <typename T>
  T* part(const QString& accessibleName) const {
    for (auto* w : window_->currentPage()->findChildren<T*>())
      if (w->accessibleName() == accessibleName || nameOf(w) == accessibleName) return w;
    return nullptr;
  }
  Transcript* answer(const QString& who) const { return part<Transcript>(who + ": what it wrote"); }
  QPushButton* button(const QString& text) const {
    for (auto* b : window_->currentPage()->findChildren<QPushButton*>())
      if (b->text() == text) return b;
    return nullptr;
  }
  QList<AnswerPanel*> panels() const { return window_->currentPage()->findChildren<AnswerPanel*>(); }
  bool writing() const {
    const QList<AnswerPanel*> all = panels();
    return std::any_of(all.begin(), all.end(), [](const AnswerPanel* p) { return p->running(); });
  }
  bool quiet() const {
    return QTest::qWaitFor([&] { return store_->pending() == 0 && !writing(); }, kPatienceMs);
  }
  QString figures(int panel) const {
    QStringList words;
    for (auto* l : panels()[panel]->findChildren<QLabel*>())
      if (l->isVisible()) words << l->text();
    return words.join(' ');
  }
  void type(const QString& name, const QString& text) const {
    auto* edit = part<QPlainTextEdit>(name);
    QVERIFY2(edit, qPrintable(name));
    edit->clear();
    QTest::keyClicks(edit, text);
  }

 private Q_SLOTS:
  void initTestCase() {
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, home_.path());
    QCoreApplication::setOrganizationName("cloister-test");
    qputenv("CLOISTER_WORKER", CLOISTER_BIN_DIR "/cloister-worker");
    qputenv("CLOISTER_PLUGINS", CLOISTER_BIN_DIR "/../plugins");
    QVERIFY(makeLanguageProject(home_.path()));
    Theme::current().set(Theme::Kind::Light);
    Language::current().set("en");
    store_ = std::make_unique<StoreClient>();
    window_ = std::make_unique<MainWindow>(*store_);
    addPages(*window_);
    window_->resize(1366, 768);
    window_->show_(page::kProject);
    window_->show();
    QVERIFY(!window_->shownPageIds().contains("try"));
    store_->openProject(home_.filePath("project"));
    QVERIFY(QTest::qWaitFor([&] { return store_->state().isLanguage(); }, kPatienceMs));
    QVERIFY(window_->shownPageIds().contains("try"));
    QTest::keyClick(window_.get(), Qt::Key_5, Qt::ControlModifier);
    QCOMPARE(window_->currentPage()->id(), "try");
    QVERIFY(quiet());
  }

  void bothModelsAreOffered() {
    QCOMPARE(part<QComboBox>("Base")->currentText(), "base");
    QCOMPARE(part<QComboBox>("Tuned")->currentText(), "tuned");
    QVERIFY(!button("Generate")->isEnabled());  // nothing to go on from
    QVERIFY(answer("Base")->placeholderText().contains("Write a beginning"));
  }

  // The worker is asked twice, by the page and by the command line: the page must show what the command line gets, with the limit kept.
  void bothWriteOn() {
    type("Beginning of the text", kBeginning);
    part<QSpinBox>("Tokens at most")->setValue(24);
    part<QSpinBox>("Seed")->setValue(7);
    QTest::mouseClick(button("Generate"), Qt::LeftButton);
    QVERIFY(quiet());
    for (const QString& name : {QStringLiteral("base"), QStringLiteral("tuned")}) {
      QByteArray out;
      QVERIFY(cli({"generate", home_.filePath("project/models/") + name, "--prompt", kBeginning, "--sample", "--temperature", "0.7",
                   "--top-p", "0.9", "--top-k", "40", "--new-tokens", "24", "--seed", "7", "--json"},
                  &out));
      const QJsonObject expected = QJsonDocument::fromJson(out).object()["sequences"].toArray()[0].toObject();
      QVERIFY(!expected["text"].toString().isEmpty());
      QCOMPARE(answer(name == u"base" ? "Base" : "Tuned")->toPlainText(), kBeginning + expected["text"].toString());
    }
    for (int i : {0, 1})
      QVERIFY2(figures(i).contains(QRegularExpression("[\\d.,]+ tokens/s.*first token after [\\d.]+ s.*token")), qPrintable(figures(i)));
    QVERIFY(answer("Base")->toPlainText() != answer("Tuned")->toPlainText());
  }

  void tokensComeOneByOne() {
    part<QSpinBox>("Tokens at most")->setValue(400);
    QSet<qsizetype> lengths;
    auto* text = answer("Tuned");
    const auto seen = connect(text, &QTextEdit::textChanged, this, [&] { lengths << text->toPlainText().size(); });
    QTest::keyClick(part<QPlainTextEdit>("Beginning of the text"), Qt::Key_Return, Qt::ControlModifier);
    QVERIFY(quiet());
    disconnect(seen);
    QVERIFY2(lengths.size() > 3, qPrintable(QString::number(lengths.size())));  // grew on the screen, not all at the end
  }

  void stopKeepsWhatIsThere() {
    part<QSpinBox>("Tokens at most")->setValue(100'000);
    QTest::mouseClick(button("Generate"), Qt::LeftButton);
    QVERIFY(QTest::qWaitFor([&] { return answer("Base")->toPlainText().size() > kBeginning.size() + 10; }, kPatienceMs));
    QTest::mouseClick(button("Stop"), Qt::LeftButton);
    QVERIFY(quiet());
    QVERIFY(answer("Base")->toPlainText().size() > kBeginning.size() + 10);
    QVERIFY(figures(0).contains("stopped") || figures(0).contains("context"));
    QVERIFY(button("Generate")->isEnabled());
  }

  void oneAfterTheOther() {
    part<QSpinBox>("Tokens at most")->setValue(200);
    auto* box = part<QCheckBox>("One after the other");
    box->setChecked(true);
    QTest::mouseClick(button("Generate"), Qt::LeftButton);
    QVERIFY(QTest::qWaitFor([&] { return panels()[1]->running(); }, kPatienceMs));
    bool together = false;  // the second writes while the first still does
    QVERIFY(QTest::qWaitFor(
        [&] {
          together = together || (panels()[0]->running() && answer("Tuned")->toPlainText().size() > kBeginning.size());
          return !panels()[0]->running() && !panels()[1]->running();
        },
        kPatienceMs));
    QVERIFY(!together);
    QVERIFY(answer("Tuned")->toPlainText().size() > kBeginning.size());
    box->setChecked(false);
    QVERIFY(quiet());
  }

  void chatTakesTurns() {
    QTest::mouseClick(button("Chat"), Qt::LeftButton);
    part<QSpinBox>("Tokens at most")->setValue(16);
    for (int turn = 1; turn <= 2; ++turn) {
      type("Your question", "Is the lung normal?");
      QTest::mouseClick(button("Ask"), Qt::LeftButton);
      QVERIFY(quiet());
      QCOMPARE(answer("Base")->parts().size(), 2 * turn);
      QCOMPARE(answer("Tuned")->parts().size(), 2 * turn);
    }
    QVERIFY(answer("Tuned")->toPlainText().startsWith("You\nIs the lung normal?\nModel\n"));
    QVERIFY2(figures(0).contains("template deepseek-llm"), qPrintable(figures(0)));
    QTest::mouseClick(button("New conversation"), Qt::LeftButton);
    QCOMPARE(answer("Base")->parts().size(), 0);
    QTest::mouseClick(button("Continue a text"), Qt::LeftButton);
  }

  // Answers the dialog that a panel has opened.
  void chooseInDialog(const QString& folder) const {
    QFileDialog* dialog = nullptr;
    QVERIFY(QTest::qWaitFor([&] { return (dialog = window_->findChild<QFileDialog*>()) != nullptr; }, kPatienceMs));
    QVERIFY(QMetaObject::invokeMethod(dialog, "fileSelected", Q_ARG(QString, folder)));
    dialog->close();
    QVERIFY(QTest::qWaitFor([&] { return window_->findChild<QFileDialog*>() == nullptr; }, kPatienceMs));
    QVERIFY(quiet());
  }

  void anAdapterFindsItsBase() {
    QVERIFY(cli({"model", "train", home_.filePath("shards"), "--base", home_.filePath("project/models/base"), "--method", "lora", "--set",
                 "max_steps=2", "--to", home_.filePath("lora")}));
    auto* box = part<QComboBox>("Tuned");
    box->setCurrentIndex(box->findText("Choose a folder…"));
    chooseInDialog(home_.filePath("lora/adapter"));
    auto* base = panels()[1]->findChildren<QComboBox*>().last();
    QCOMPARE(base->accessibleName(), "Model that the adapter is used on");
    QVERIFY(base->isVisible());
    QCOMPARE(base->currentText(), "base");  // named in its description; "tuned" has the same shapes
    QVERIFY(base->findText("tuned") > 0 && base->findText("broken") < 0);
    const auto model = panels()[1]->model();
    QVERIFY(model && model->model == home_.filePath("project/models/base") && model->adapter == home_.filePath("lora/adapter"));
    type("Beginning of the text", kBeginning);
    part<QSpinBox>("Tokens at most")->setValue(8);
    QTest::mouseClick(button("Generate"), Qt::LeftButton);
    QVERIFY(quiet());
    QVERIFY(!panels()[1]->findChild<FailureBanner*>()->isVisible());
    QVERIFY(answer("Tuned")->toPlainText().size() > kBeginning.size());
  }

  void aBaseThatDoesNotFitIsRefused() {
    const QString other = home_.filePath("other");
    QFile config(home_.filePath("project/models/base/config.json"));
    QVERIFY(config.open(QIODevice::ReadOnly));
    QJsonObject json = QJsonDocument::fromJson(config.readAll()).object();
    json["intermediate_size"] = json["intermediate_size"].toInt() * 2;
    QVERIFY(QDir().mkpath(other) && writeFile(other + "/config.json", QJsonDocument(json).toJson()));
    auto* base = panels()[1]->findChildren<QComboBox*>().last();
    base->setCurrentIndex(base->findText("Choose a folder…"));
    chooseInDialog(other);
    QString words;
    for (auto* l : window_->currentPage()->findChildren<QLabel*>())
      if (l->isVisible()) words += l->text() + '\n';
    QVERIFY2(words.contains("The adapter does not fit the model other"), qPrintable(words));
    QCOMPARE(base->currentText(), "base");  // as before
    base->setCurrentIndex(base->findText("None"));
    QVERIFY(!panels()[1]->model());
    auto* box = part<QComboBox>("Tuned");
    box->setCurrentIndex(box->findText("tuned"));
    QVERIFY(!base->isVisible());
  }

  void aBrokenModelSaysWhy() {
    const QString broken = home_.filePath("project/models/broken");
    QVERIFY(QDir().mkpath(broken) && writeFile(broken + "/config.json", "{\"model_type\": \"llama\", \"hidden_size\": -4}"));
    window_->show_(page::kData);
    window_->show_(page::kTry);
    QVERIFY(quiet());
    auto* box = part<QComboBox>("Base");
    box->setCurrentIndex(box->findText("broken"));
    type("Beginning of the text", kBeginning);
    QTest::mouseClick(button("Generate"), Qt::LeftButton);
    QVERIFY(quiet());
    QVERIFY(panels()[0]->findChild<FailureBanner*>()->isVisible());
    QVERIFY(!panels()[1]->findChild<FailureBanner*>()->isVisible());
    QVERIFY(answer("Tuned")->toPlainText().size() > kBeginning.size());
  }

  void everyControlHasAName() {
    int controls = 0;
    for (const char* language : {"zh_CN", "en"}) {
      Language::current().set(language);
      QCOMPARE(namelessControls(window_->currentPage(), controls), QStringList());
    }
    QVERIFY(controls > 30);
  }

  void theMainThreadStaysFree() {
    auto* app = static_cast<WatchedApplication*>(QCoreApplication::instance());
    part<QSpinBox>("Tokens at most")->setValue(300);
    app->watch(true);
    QTest::mouseClick(button("Generate"), Qt::LeftButton);
    QVERIFY(quiet());
    const bool held = app->longestNs() >= WatchedApplication::kLimitNs;
    const QByteArray report = app->report();
    app->watch(false);
    if (held && WatchedApplication::machineIsBusy()) QSKIP("this machine has more to do than processors; the limit is not judged");
    QVERIFY2(!held, report.constData());
  }
};

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  WatchedApplication app(argc, argv);
  TestTryIt test;
  return QTest::qExec(&test, argc, argv);
}
#include "test_try_it.moc"
