// A language project by hand, with the real reader and worker: new project, texts imported and looked at, frozen, a tokenizer trained and
// shown at work, a model brought in, and a run that trains on both.
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QSettings>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTabBar>
#include <QTableView>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include "tests/widgets/controls.h"
#include "tests/widgets/language/tiny_models.h"
#include "tests/widgets/watchdog.h"
#include "widgets/common/language.h"
#include "widgets/common/path_edit.h"
#include "widgets/common/progress_strip.h"
#include "widgets/common/shell.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/data/import_sheet.h"
#include "widgets/pages.h"
#include "widgets/project/new_project_sheet.h"
#include "widgets/text/freeze_texts_sheet.h"
#include "widgets/text/piece_view.h"
#include "widgets/text/record_view.h"

using namespace cloister;

namespace {
constexpr int kPatienceMs = 60'000;
}

class TestTexts : public QObject {
  Q_OBJECT
  QTemporaryDir home_;
  std::unique_ptr<StoreClient> store_;
  std::unique_ptr<MainWindow> window_;

  template <typename T>
  T* part(const QString& name) const {
    T* hidden = nullptr;  // sheets that are not shown may call a field the same
    for (auto* w : window_->currentPage()->findChildren<T*>()) {
      if (w->accessibleName() != name && nameOf(w) != name) continue;
      if (w->isVisible()) return w;
      hidden = w;
    }
    return hidden;
  }
  QPushButton* button(const QString& text) const {
    for (auto* b : window_->currentPage()->findChildren<QPushButton*>())
      if (b->text() == text && b->isVisible()) return b;
    return nullptr;
  }
  bool press(const QString& text) const {
    if (!QTest::qWaitFor([&] { return button(text) && button(text)->isEnabled(); }, kPatienceMs)) return false;
    QTest::mouseClick(button(text), Qt::LeftButton);
    return true;
  }
  bool quiet() const {
    return QTest::qWaitFor([&] { return store_->pending() == 0 && !store_->importing(); }, kPatienceMs);
  }
  void tab(int index) const { part<QTabBar>("Views of the data")->setCurrentIndex(index); }

 private Q_SLOTS:
  void initTestCase() {
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, home_.path());
    QCoreApplication::setOrganizationName("cloister-test");
    qputenv("HOME", home_.path().toUtf8());
    qputenv("CLOISTER_WORKER", CLOISTER_BIN_DIR "/cloister-worker");
    qputenv("CLOISTER_PLUGINS", CLOISTER_BIN_DIR "/../plugins");
    qputenv("OMP_NUM_THREADS", "1");
    qputenv("CLOISTER_BIN_DIR", CLOISTER_BIN_DIR);
    QVERIFY(makeLanguageProject(home_.path()));  // for its model and its text
    Theme::current().set(Theme::Kind::Light);
    Language::current().set("en");
    store_ = std::make_unique<StoreClient>();
    window_ = std::make_unique<MainWindow>(*store_);
    addPages(*window_);
    window_->resize(1366, 768);
    window_->show_(page::kProject);
    window_->show();
  }

  void aProjectForALanguageModel() {
    QVERIFY(press("New project"));
    auto* sheet = window_->currentPage()->findChild<NewProjectSheet*>();
    QCOMPARE(sheet->task(), "image-classification");
    part<QRadioButton>("Language model")->click();
    QCOMPARE(sheet->task(), "language-model");
    QTest::keyClicks(part<QLineEdit>("Name of the project"), "By hand");
    sheet->findChild<PathEdit*>()->setPath(home_.filePath("by-hand"));
    QVERIFY(press("Create project"));
    QVERIFY(QTest::qWaitFor([&] { return store_->state().isLanguage(); }, kPatienceMs));
    QVERIFY(window_->shownPageIds().contains("texts") && !window_->shownPageIds().contains("data"));
    QVERIFY(press("Continue with data"));
    QCOMPARE(window_->currentPage()->id(), "texts");
    QVERIFY(quiet());
  }

  void textsAreImportedAndLookedAt() {
    QVERIFY(press("Import texts"));
    auto* sheet = window_->currentPage()->findChild<ImportSheet*>();
    sheet->addPaths({home_.filePath("corpus.txt")});
    auto* each = part<QComboBox>("One document is");
    QVERIFY(each);
    each->setCurrentIndex(each->findText("A line"));
    QVERIFY(press("Start import"));
    QVERIFY(press("Back to the texts"));
    QVERIFY(quiet());
    auto* table = part<QTableView>("Text files");
    QCOMPARE(table->model()->rowCount(), 1);
    const auto text = [&](int column) { return table->model()->index(0, column).data().toString(); };
    QCOMPARE(text(0), "corpus.txt");
    QCOMPARE(text(1), "Running text");
    QCOMPARE(text(2), "400");
    auto* look = part<RecordView>("First records of the chosen file");
    QVERIFY(QTest::qWaitFor([&] { return look->toPlainText().contains("The heart is of normal size in image 0."); }, kPatienceMs));
    QVERIFY(look->toPlainText().contains("Line or record 2"));
  }

  void aTextThatIsLeftOutSaysSo() {
    auto* table = part<QTableView>("Text files");
    const auto state = [&] { return table->model()->index(0, 4).data().toString(); };
    QVERIFY(press("Leave out"));
    QVERIFY(QTest::qWaitFor([&] { return state() == u"Left out"; }, kPatienceMs));
    table->selectRow(0);
    QVERIFY(press("Take in again"));
    QVERIFY(QTest::qWaitFor([&] { return state() == u"Good"; }, kPatienceMs));
  }

  void checksCanBeStopped() {
    QVERIFY(press("Freeze snapshot"));
    window_->currentPage()->findChild<FreezeTextsSheet*>()->stop();
    QVERIFY(QTest::qWaitFor([&] { return button("Check again"); }, kPatienceMs));
    QVERIFY(quiet());
    QVERIFY(!button("Freeze snapshot")->isEnabled());
    QVERIFY(press("Check again"));
    QVERIFY(QTest::qWaitFor([&] { return button("Freeze snapshot")->isEnabled(); }, kPatienceMs));
    QVERIFY(!button("Check again"));
    part<QToolButton>("Close without freezing")->click();
    QVERIFY(store_->state().snapshots.isEmpty());
  }

  void theSplitIsShownAndFrozen() {
    QVERIFY(press("Freeze snapshot"));
    auto* training = part<QSpinBox>("Training");
    training->setValue(80);
    QVERIFY(!button("Freeze snapshot")->isEnabled());  // 80 + 5 + 5
    part<QSpinBox>("Test")->setValue(15);
    QVERIFY(press("Freeze snapshot"));
    QVERIFY(QTest::qWaitFor([&] { return !store_->state().snapshots.isEmpty(); }, kPatienceMs));
    const SnapshotRecord s = store_->state().snapshots.first();
    QCOMPARE(s.samples, 400);
    QVERIFY(s.splitCounts["train"] > 250 && s.splitCounts["test"] > 20);
    QVERIFY(quiet());
  }

  void aTokenizerIsTrainedAndShown() {
    tab(1);
    QVERIFY(press("Train a tokenizer…"));
    part<QSpinBox>("Pieces of the vocabulary")->setValue(320);
    QVERIFY(press("Train tokenizer"));
    auto* table = part<QTableWidget>("Models and tokenizers");
    QVERIFY(QTest::qWaitFor([&] { return table->rowCount() == 1; }, kPatienceMs));
    QCOMPARE(table->item(0, 5)->text(), "320");
    tab(2);
    QVERIFY(quiet());
    auto* box = part<QPlainTextEdit>("Text to cut");
    box->setPlainText("The heart\nis ä well.");
    auto* pieces = part<PieceView>("Pieces of the text");
    // The pieces must be those of the command line.
    QByteArray out;
    QVERIFY(cli({"tokenizer", "inspect", home_.filePath("by-hand/models/tokenizer"), "--text", "The heart\nis ä well.", "--json"}, &out));
    const QJsonArray expected = QJsonDocument::fromJson(out).object()["pieces"].toArray();
    QString drawn;
    for (int i = 0; i < expected.size(); ++i) drawn += PieceView::shown(expected, i);
    QVERIFY(drawn.contains("↵") && expected.size() > 5);
    QVERIFY(drawn.contains("<0xC3><0xA4>"));  // ä has no piece: its two bytes, each once
    QVERIFY2(QTest::qWaitFor([&] { return pieces->toPlainText() == drawn; }, kPatienceMs), qPrintable(pieces->toPlainText()));
    part<QToolButton>("As a table")->click();
    QCOMPARE(part<QTableWidget>("Pieces of the text as a table")->rowCount(), int(expected.size()));
    part<QToolButton>("As a table")->click();
  }

  QStringList inModels() const {
    return QDir(home_.filePath("by-hand/models")).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot);
  }

  void aStoppedImportLeavesNothing() {
    tab(1);
    const QStringList before = inModels();
    QVERIFY(press("Import a model…"));
    part<QLineEdit>("Folder of the model")->setText(home_.filePath("project/models/tuned"));
    QVERIFY(press("Import model"));
    QVERIFY(!button("Import a model…")->isEnabled());
    auto* strip = window_->findChild<ProgressStrip*>();
    QToolButton* stop = nullptr;
    for (auto* b : strip->findChildren<QToolButton*>())
      if (b->isVisible() && b->accessibleName().startsWith("Stop")) stop = b;
    QVERIFY(stop);
    stop->click();
    QVERIFY(QTest::qWaitFor([&] { return button("Import a model…")->isEnabled(); }, kPatienceMs));
    QCOMPARE(inModels(), before);
    QCOMPARE(part<QTableWidget>("Models and tokenizers")->rowCount(), 1);
  }

  void aModelIsBroughtIn() {
    tab(1);
    QSignalSpy told(window_->currentPage(), &Page::taskChanged);
    QVERIFY(press("Import a model…"));
    part<QLineEdit>("Folder of the model")->setText(home_.filePath("project/models/tuned"));
    QCOMPARE(part<QLineEdit>("Name in the project")->text(), "tuned");
    QVERIFY(press("Import model"));
    auto* table = part<QTableWidget>("Models and tokenizers");
    QVERIFY(QTest::qWaitFor([&] { return table->rowCount() == 2; }, kPatienceMs));
    QCOMPARE(table->item(1, 1)->text(), "llama");
    QVERIFY(quiet());
    QVERIFY(std::any_of(told.begin(), told.end(), [](const QList<QVariant>& line) {
      return line[2].toString().startsWith("recording the digest, ") && line[3].toDouble() > 0 && line[3].toDouble() <= 1;
    }));
    QCOMPARE(inModels(), QStringList({"tokenizer", "tuned"}));
    QString words;
    for (auto* l : window_->currentPage()->findChildren<QLabel*>())
      if (l->isVisible()) words += l->text() + '\n';
    QVERIFY2(words.contains("Train with LoRA") && words.contains("fits"), qPrintable(words));
  }

  void aFolderThatIsNoModelIsRefused() {
    QVERIFY(press("Import a model…"));
    QVERIFY(QDir().mkpath(home_.filePath("empty")));
    part<QLineEdit>("Folder of the model")->setText(home_.filePath("empty"));
    QVERIFY(press("Import model"));
    QVERIFY(quiet());
    QCOMPARE(part<QTableWidget>("Models and tokenizers")->rowCount(), 2);
    QVERIFY(!QDir(home_.filePath("by-hand/models/empty")).exists());
  }

  void aRunTrainsOnThem() {
    QVERIFY(press("Continue with training"));
    QCOMPARE(window_->currentPage()->id(), "train");
    QVERIFY(quiet());
    auto* base = part<QComboBox>("Base model to start from");
    auto* tokenizer = part<QComboBox>("Tokenizer that cuts the texts");
    QCOMPARE(tokenizer->currentText(), "tokenizer");
    base->setCurrentIndex(base->findText("tuned"));
    QCOMPARE(tokenizer->currentText(), "That of the base model");
    QVERIFY(!tokenizer->isEnabled());
    auto* length = part<QSpinBox>("Sequence length");
    QVERIFY(length);
    length->setValue(64);
    QVERIFY(press("Start training"));
    QVERIFY(
        QTest::qWaitFor([&] { return !store_->state().runs.isEmpty() && store_->state().runs.first().state == u"finished"; }, kPatienceMs));
    QVERIFY(quiet());
    QString words;
    for (auto* l : window_->currentPage()->findChildren<QLabel*>()) words += l->text() + '\n';
    QVERIFY2(words.contains("perplexity") && words.contains("tokens/s"), qPrintable(words));
  }

  // A stranger without data: made-up texts, named as such, ready to be frozen.
  void theSampleTextsAreMade() {
    window_->show_(page::kProject);
    QVERIFY(press("Try the sample texts"));
    QVERIFY(QTest::qWaitFor([&] { return store_->state().info.name.contains("Synthetic") && store_->importing(); }, kPatienceMs));
    QVERIFY(store_->state().isLanguage());
    QVERIFY(quiet());
    QVERIFY(press("Back to the texts"));
    QVERIFY(quiet());
    auto* table = part<QTableView>("Text files");
    QCOMPARE(table->model()->rowCount(), 1);
    QCOMPARE(table->model()->index(0, 0).data().toString(), "synthetic-reports.jsonl");
    QCOMPARE(table->model()->index(0, 1).data().toString(), "Instructions with answers");
    auto* look = part<RecordView>("First records of the chosen file");
    QVERIFY(QTest::qWaitFor([&] { return look->toPlainText().contains("Synthetic report."); }, kPatienceMs));
    QVERIFY(press("Freeze snapshot"));
    QVERIFY(press("Freeze snapshot"));
    QVERIFY(QTest::qWaitFor([&] { return !store_->state().snapshots.isEmpty(); }, kPatienceMs));
    QCOMPARE(store_->state().snapshots.first().samples, 6000);
    QVERIFY(quiet());
    // Asked again, it is opened and not made anew.
    window_->show_(page::kProject);
    QVERIFY(press("Try the sample texts"));
    QVERIFY(quiet());
    QCOMPARE(store_->state().snapshots.size(), 1);
  }

  void everyControlHasAName() {
    int controls = 0;
    for (const char* id : {page::kTexts, page::kTrain, page::kProject})
      for (const char* language : {"zh_CN", "en"}) {
        window_->show_(id);
        Language::current().set(language);
        QCOMPARE(namelessControls(window_->currentPage(), controls), QStringList());
      }
    QVERIFY(controls > 60);
  }
};

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  WatchedApplication app(argc, argv);
  TestTexts test;
  return QTest::qExec(&test, argc, argv);
}
#include "test_texts.moc"
