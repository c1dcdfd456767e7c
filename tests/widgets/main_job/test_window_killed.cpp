// The window is killed in mid-training and started again: the training goes on meanwhile, the new window finds it, and its curve has every
// point that the worker wrote once. The windows are this program started anew with an argument; worker, store and files are the real ones.
#include <signal.h>

#include <QAbstractItemModel>
#include <QApplication>
#include <QComboBox>
#include <QJsonArray>
#include <QJsonDocument>
#include <QPainter>
#include <QProcess>
#include <QPushButton>
#include <QRandomGenerator>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

#include "core/domain/files.h"
#include "core/domain/process_identity.h"
#include "core/runs/worker_launch.h"
#include "widgets/common/language.h"
#include "widgets/common/parameter_form.h"
#include "widgets/common/plot.h"
#include "widgets/common/shell.h"
#include "widgets/common/store_client.h"
#include "widgets/pages.h"
#include "widgets/train/run_chart.h"

using namespace cloister;

namespace {

constexpr int kPatienceMs = 60'000;
constexpr int kPointsBeforeKill = 5, kPointsWithoutWindow = 5, kPointsAfterReturn = 5;
using Series = QMap<QString, QList<QPair<double, double>>>;  // step, value

// ---- one window

class Window {
 public:
  explicit Window(const QString& project) : window_(store_) {
    Language::current().set("en");
    addPages(window_);
    window_.resize(1366, 768);
    window_.show_("train");
    window_.show();
    store_.openProject(project);
  }

  /// Starts a long training by the button a person presses and says so once points are on the chart; then it waits to be killed.
  int startTraining() {
    auto* form = window_.currentPage()->findChild<ParameterForm*>();
    if (!QTest::qWaitFor([&] { return form->field("epochs") != nullptr; }, kPatienceMs)) return complain("no recipe");
    form->setValues({{"architecture", "small_cnn"}, {"epochs", 10000}});
    if (!press("Start training")) return complain("cannot start");
    if (!QTest::qWaitFor([&] { return points("Training loss") >= kPointsBeforeKill; }, kPatienceMs)) return complain("no points");
    say({{"run", store_.state().runs.first().id}});
    return QApplication::exec();
  }

  /// Finds the training, waits for further points, stops it by the button and writes what the chart holds.
  int comeBack(const QString& dir) {
    if (!QTest::qWaitFor([&] { return points("Training loss") > 0; }, kPatienceMs)) return complain("the curve did not come back");
    const int atReturn = points("Training loss");
    if (!QTest::qWaitFor([&] { return points("Training loss") >= atReturn + kPointsAfterReturn; }, kPatienceMs))
      return complain("no new points arrive");
    const QString run = store_.state().runs.first().id;
    if (!queueAnotherAndThinkAgain()) return complain("the queue");
    if (!choose(run) || !press("Stop with checkpoint")) return complain("cannot stop");
    const auto settled = [&] { return stateOf(run) == u"stopped" && store_.pending() == 0; };
    if (!QTest::qWaitFor(settled, kPatienceMs)) return complain("did not stop");
    QTest::qWait(300);  // the chart's own frame
    if (!chart()->saveCsv(dir + "/chart.csv")) return complain("no CSV");
    say({{"atReturn", atReturn}, {"graphs", graphs()}, {"tableRows", chart()->findChild<QTableView*>()->model()->rowCount()}});
    return 0;
  }

 private:
  QString stateOf(const QString& run) const {
    for (const RunRecord& r : store_.state().runs)
      if (r.id == run) return r.state;
    return {};
  }
  /// A second run waits for the first and is taken out again, by the buttons.
  bool queueAnotherAndThinkAgain() {
    const qsizetype runs = store_.state().runs.size();
    if (!press("Queue after the current run")) return false;
    const auto queued = [&] { return store_.state().runs.size() == runs + 1 && store_.state().runs.first().state == u"queued"; };
    if (!QTest::qWaitFor(queued, kPatienceMs) || !press("Take out of the queue")) return false;
    return QTest::qWaitFor([&] { return store_.state().runs.first().state == u"stopped"; }, kPatienceMs);
  }
  /// By a click on its row.
  bool choose(const QString& run) {
    for (auto* table : window_.currentPage()->findChildren<QTableView*>())
      for (int row = 0; table->accessibleName() == "Runs of this project" && row < table->model()->rowCount(); ++row)
        if (const QModelIndex index = table->model()->index(row, 1); index.siblingAtColumn(0).data() == run) {
          QTest::mouseClick(table->viewport(), Qt::LeftButton, {}, table->visualRect(index).center());
          return true;
        }
    return false;
  }
  static int complain(const char* what) {
    qWarning("window: %s", what);
    return 1;
  }
  static void say(const QJsonObject& what) {
    std::printf("%s\n", QJsonDocument(what).toJson(QJsonDocument::Compact).constData());
    std::fflush(stdout);
  }
  RunChart* chart() { return window_.currentPage()->findChild<RunChart*>(); }
  bool press(const QString& words) {
    QPushButton* found = nullptr;
    const auto there = [&] {
      for (auto* b : window_.findChildren<QPushButton*>())
        if (b->isVisible() && b->isEnabled() && b->text() == words) found = b;
      return found != nullptr;
    };
    if (!QTest::qWaitFor(there, kPatienceMs)) return false;
    QTest::mouseClick(found, Qt::LeftButton);
    return true;
  }
  QCPGraph* graph(const QString& name) {
    for (int i = 0; i < chart()->plot()->graphCount(); ++i)
      if (chart()->plot()->graph(i)->name() == name) return chart()->plot()->graph(i);
    return nullptr;
  }
  int points(const QString& name) {
    QCPGraph* g = graph(name);
    return g ? g->dataCount() : 0;
  }
  /// Every series as the plot holds it: the two of the upper chart, and each choice of the lower one.
  QJsonObject graphs() {
    QJsonObject all;
    const auto add = [&](const QString& series, const QString& name) {
      QJsonArray list;
      if (QCPGraph* g = graph(name))
        for (const QCPGraphData& d : *g->data()) list << QJsonArray{d.key, d.value};
      all[series] = list;
    };
    add("train/loss", "Training loss");
    add("validation/loss", "Validation loss");
    QComboBox* metric = nullptr;
    for (auto* box : chart()->findChildren<QComboBox*>())
      if (box->accessibleName() == "Metric of the lower chart") metric = box;
    for (int i = 0; metric && i < metric->count(); ++i) {
      chart()->setMetric(metric->itemData(i).toString());
      add(metric->itemData(i).toString(), metric->itemText(i));
    }
    return all;
  }

  StoreClient store_;
  MainWindow window_;
};

// ---- what the worker wrote, read without any of our readers

Series seriesOf(const QString& eventsFile) {
  Series all;
  QFile file(eventsFile);
  if (!file.open(QIODevice::ReadOnly)) return all;
  for (const QByteArray& line : file.readAll().split('\n')) {
    const QJsonObject event = QJsonDocument::fromJson(line).object();
    if (event["type"] != QStringLiteral("metric")) continue;
    const QJsonObject values = event["values"].toObject();
    for (auto it = values.begin(); it != values.end(); ++it) all[it.key()] << qMakePair(event["step"].toDouble(), it.value().toDouble());
  }
  return all;
}

Series seriesOf(const QJsonObject& graphs) {
  Series all;
  for (auto it = graphs.begin(); it != graphs.end(); ++it)
    for (const QJsonValue& point : it.value().toArray()) all[it.key()] << qMakePair(point[0].toDouble(), point[1].toDouble());
  return all;
}

Series seriesOfCsv(const QString& path) {
  Series all;
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return all;
  file.readLine();
  while (!file.atEnd()) {
    const QList<QByteArray> cells = file.readLine().trimmed().split(',');
    all[QString::fromUtf8(cells.value(3))] << qMakePair(cells.value(1).toDouble(), cells.value(4).toDouble());
  }
  return all;
}

/// Bright discs and bright bars on noise, for a network of a few seconds.
bool drawImages(const QString& dir) {
  QRandomGenerator random(11);
  for (const QString& label : {QStringLiteral("disc"), QStringLiteral("bar")}) {
    if (!QDir().mkpath(dir + '/' + label)) return false;
    for (int i = 0; i < 24; ++i) {
      QImage image(32, 32, QImage::Format_Grayscale8);
      for (int y = 0; y < 32; ++y)
        for (int x = 0; x < 32; ++x) image.scanLine(y)[x] = uchar(random.bounded(90));
      QPainter painter(&image);
      painter.setBrush(Qt::white);
      const int at = random.bounded(12);
      if (label == u"disc") painter.drawEllipse(at, at, 14, 14);
      else painter.drawRect(at, 2, 4, 28);
      painter.end();
      if (!image.save(QStringLiteral("%1/%2/%3.png").arg(dir, label).arg(i))) return false;
    }
  }
  return true;
}

}  // namespace

class TestWindowKilled : public QObject {
  Q_OBJECT
  QTemporaryDir home_;
  QString project_;

  static bool cli(const QStringList& arguments) {
    QProcess process;
    process.start(QStringLiteral(CLOISTER_BIN_DIR) + "/cloister-cli", arguments);
    const bool ended = process.waitForFinished(kPatienceMs);
    if (!ended || process.exitCode() != 0) qWarning("%s", process.readAllStandardError().constData());
    return ended && process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0;
  }
  std::unique_ptr<QProcess> window(const QString& what) {
    auto process = std::make_unique<QProcess>();
    process->setProcessChannelMode(QProcess::ForwardedErrorChannel);
    process->start(QCoreApplication::applicationFilePath(), {"--window", what, project_, home_.path()});
    return process;
  }
  static QJsonObject said(QProcess& process) {
    while (!process.canReadLine() && process.waitForReadyRead(2 * kPatienceMs)) {
    }
    return QJsonDocument::fromJson(process.readLine()).object();
  }

 private Q_SLOTS:
  void initTestCase() {
    qputenv("HOME", home_.path().toUtf8());
    qputenv("XDG_CONFIG_HOME", home_.filePath("config").toUtf8());
    qputenv("CLOISTER_BIN_DIR", CLOISTER_BIN_DIR);
    qputenv("CLOISTER_PLUGINS", CLOISTER_BIN_DIR "/../plugins");
    project_ = home_.filePath("p");
    QVERIFY(drawImages(home_.filePath("images")));
    QVERIFY(cli({"project", "create", "--project", project_}));
    QVERIFY(cli({"data", "import", "--project", project_, "--source", "images", home_.filePath("images")}));
    QVERIFY(
        cli({"data", "snapshot", "--project", project_, "--group", "sample", "--override-reason", "drawn for this test", "--size", "32"}));
  }

  void theCurveIsWholeAfterwards() {
    auto first = window("start");
    const QString run = said(*first)["run"].toString();
    QVERIFY(!run.isEmpty());
    const QString attempt = project_ + "/runs/" + run + "/attempt-001", events = attempt + "/rank-0.events.jsonl";
    const QList<ProcessIdentity> workers = readWorkerFile(attempt);
    QCOMPARE(workers.size(), 1);

    ::kill(pid_t(first->processId()), SIGKILL);
    QVERIFY(first->waitForFinished(kPatienceMs));
    QCOMPARE(first->exitStatus(), QProcess::CrashExit);

    const qsizetype atKill = seriesOf(events)["train/loss"].size();
    QVERIFY(QTest::qWaitFor([&] { return seriesOf(events)["train/loss"].size() >= atKill + kPointsWithoutWindow; }, kPatienceMs));
    QCOMPARE(int(livenessOf(workers.first())), int(Liveness::Alive));
    const qsizetype beforeReturn = seriesOf(events)["train/loss"].size();

    auto second = window("again");
    const QJsonObject report = said(*second);
    QVERIFY(second->waitForFinished(kPatienceMs));
    QCOMPARE(second->exitCode(), 0);
    QVERIFY(report["atReturn"].toInt() >= beforeReturn);

    const Series written = seriesOf(events);
    QCOMPARE(QDir(project_ + "/runs/" + run).entryList({"attempt-*"}, QDir::Dirs).size(), 1);
    QVERIFY(written["train/loss"].size() >= beforeReturn + kPointsAfterReturn);
    QVERIFY(!written["validation/loss"].isEmpty());
    int rows = 0;
    for (auto it = written.begin(); it != written.end(); ++it) {
      rows += int(it->size());
      for (qsizetype i = 1; i < it->size(); ++i) QVERIFY2((*it)[i].first > (*it)[i - 1].first, qPrintable(it.key()));
    }
    const Series drawn = seriesOf(report["graphs"].toObject()), saved = seriesOfCsv(home_.filePath("chart.csv"));
    QCOMPARE(drawn.keys(), written.keys());
    QCOMPARE(saved.keys(), written.keys());
    for (auto it = written.begin(); it != written.end(); ++it) {
      QVERIFY2(drawn[it.key()] == *it, qPrintable(it.key()));
      QVERIFY2(saved[it.key()] == *it, qPrintable(it.key()));
    }
    QCOMPARE(report["tableRows"].toInt(), rows);
  }

  void cleanupTestCase() {  // whatever failed above, no worker stays behind
    for (const QString& run : QDir(project_ + "/runs").entryList({"r-*"}, QDir::Dirs))
      for (const ProcessIdentity& p : readWorkerFile(project_ + "/runs/" + run + "/attempt-001")) signalProcess(p, SIGKILL);
  }
};

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  QApplication app(argc, argv);
  const QStringList arguments = QCoreApplication::arguments();
  if (arguments.value(1) == u"--window") {
    Window window(arguments.value(3));
    return arguments.value(2) == u"start" ? window.startTraining() : window.comeBack(arguments.value(4));
  }
  TestWindowKilled test;
  return QTest::qExec(&test, argc, argv);
}
#include "test_window_killed.moc"
