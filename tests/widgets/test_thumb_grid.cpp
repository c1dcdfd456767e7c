// The sample model and the grid on a real project: only visible blocks are read, thumbnails are the bytes of the pack, keys move and label,
// a million rows lay out and scroll.
#include <QScrollBar>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include "widgets/common/store_client.h"
#include "widgets/data/sample_model.h"
#include "widgets/data/thumb_grid.h"

using namespace cloister;

namespace {

constexpr int kCount = 3000;
constexpr int kSide = 8;

// Thumbnail i is a kSide × kSide square of grey i % 251.
void makeProject(const QString& dir) {
  auto project = Project::create(dir, "Grid", "image-classification");
  QVERIFY2(bool(project), qPrintable(project ? QString() : project.error().detail));
  auto import = (*project)->beginImport("images", {});
  QVERIFY(bool(import));
  QVERIFY(QDir().mkpath((*project)->importDir(*import)));
  QFile pack((*project)->importDir(*import) + "/thumbs.pack");
  QVERIFY(pack.open(QIODevice::WriteOnly));
  QList<Sample> samples;
  for (int i = 0; i < kCount; ++i) {
    Sample s;
    s.key = QStringLiteral("k%1").arg(i, 5, 10, QChar('0'));
    s.source = "images";
    s.file = "/nowhere/" + s.key;
    s.sha256 = QStringLiteral("%1").arg(i, 64, 16, QChar('0'));
    s.label = i % 3 ? "B" : "A";
    s.width = s.height = s.thumbWidth = s.thumbHeight = kSide;
    s.thumbOffset = qint64(i) * kSide * kSide;
    pack.write(QByteArray(kSide * kSide, char(i % 251)));
    samples << s;
  }
  auto added = (*project)->addSamples(*import, samples);
  QVERIFY(bool(added));
  QCOMPARE(*added, qint64(kCount));
  QVERIFY(bool((*project)->finishImport(*import, "finished", 0)));
}

}  // namespace

class TestThumbGrid : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase();
  void readsOnlyWhatIsSeen();
  void filterAndCounts();
  void keysMoveAndLabel();
  void geometryIsItsOwnInverse();
  void millionRows();

 private:
  QTemporaryDir dir_;
};

void TestThumbGrid::initTestCase() { makeProject(dir_.filePath("p")); }

void TestThumbGrid::readsOnlyWhatIsSeen() {
  StoreClient store;
  SampleModel model(store);
  QSignalSpy filtered(&model, &SampleModel::filtered);
  store.openProject(dir_.filePath("p"));
  QTRY_COMPARE(model.rowCount(), kCount);
  QVERIFY(!model.cell(2500));  // asks for it
  QTRY_VERIFY(model.cell(2500));
  const SampleModel::Cell* cell = model.cell(2500);
  QCOMPARE(cell->sample.key, QString("k02500"));
  QCOMPARE(cell->thumb.size(), QSize(kSide, kSide));
  QCOMPARE(qGray(cell->thumb.pixel(3, 3)), 2500 % 251);
  QCOMPARE(model.rowOf(model.id(1234)), 1234);
}

void TestThumbGrid::filterAndCounts() {
  StoreClient store;
  SampleModel model(store);
  store.openProject(dir_.filePath("p"));
  QTRY_COMPARE(model.rowCount(), kCount);
  SampleFilter f;
  f.label = "A";
  model.setFilter(f);
  QTRY_COMPARE(model.rowCount(), kCount / 3);
  f.label.clear();
  f.keys = QStringList{"k00007", "k00009"};
  model.setFilter(f);
  QTRY_COMPARE(model.rowCount(), 2);
  QTRY_COMPARE(store.state().counts.samples, qint64(kCount));
  QCOMPARE(store.state().counts.byLabel.value("B"), qint64(kCount - kCount / 3));
}

void TestThumbGrid::keysMoveAndLabel() {
  StoreClient store;
  SampleModel model(store);
  ThumbGrid grid;
  grid.setSamples(&model);
  grid.resize(700, 500);
  grid.show();
  QVERIFY(QTest::qWaitForWindowExposed(&grid));
  store.openProject(dir_.filePath("p"));
  QTRY_COMPARE(model.rowCount(), kCount);
  grid.setFocus();
  const int n = grid.columns();
  QVERIFY(n > 3);
  QTest::keyClick(&grid, Qt::Key_Home);
  QCOMPARE(grid.currentIndex().row(), 0);
  QTest::keyClick(&grid, Qt::Key_Right);
  QTest::keyClick(&grid, Qt::Key_Down);
  QCOMPARE(grid.currentIndex().row(), n + 1);
  QTest::keyClick(&grid, Qt::Key_Down, Qt::ShiftModifier);
  QCOMPARE(grid.selectedCount(), qint64(n + 1));  // reading order, not a rectangle
  QTest::keyClick(&grid, Qt::Key_End);
  QCOMPARE(grid.currentIndex().row(), kCount - 1);
  QVERIFY(grid.visualRect(grid.currentIndex()).bottom() <= grid.viewport()->height());
  QTest::keyClick(&grid, Qt::Key_A, Qt::ControlModifier);
  QCOMPARE(grid.selectedCount(), qint64(kCount));
  QSignalSpy label(&grid, &ThumbGrid::labelKey), exclude(&grid, &ThumbGrid::excludeKey), open(&grid, &ThumbGrid::opened);
  QTest::keyClick(&grid, Qt::Key_3);
  QTest::keyClick(&grid, Qt::Key_X);
  QTest::keyClick(&grid, Qt::Key_Return);
  QCOMPARE(label.count(), 1);
  QCOMPARE(label.first().first().toInt(), 3);
  QCOMPARE(exclude.count(), 1);
  QCOMPARE(open.count(), 1);
  QTest::mouseClick(grid.viewport(), Qt::LeftButton, {}, grid.visualRect(grid.currentIndex()).center());
  QCOMPARE(grid.selectedCount(), qint64(1));
}

void TestThumbGrid::geometryIsItsOwnInverse() {
  StoreClient store;
  SampleModel model(store);
  ThumbGrid grid;
  grid.setSamples(&model);
  grid.resize(640, 480);
  grid.show();
  store.openProject(dir_.filePath("p"));
  QTRY_COMPARE(model.rowCount(), kCount);
  for (int scroll : {0, 777, grid.verticalScrollBar()->maximum()}) {
    grid.verticalScrollBar()->setValue(scroll);
    for (int row : {0, 1, 100, 1999, kCount - 1}) {
      const QRect r = grid.visualRect(model.index(row));
      QCOMPARE(grid.indexAt(r.center()).row(), row);
    }
  }
  QVERIFY(!grid.indexAt(QPoint(0, 100)).isValid());                                // the left margin
  QVERIFY(!grid.indexAt(QPoint(50, grid.viewport()->height() + 1000)).isValid());  // below the last row
}

void TestThumbGrid::millionRows() {
  class Rows : public QAbstractListModel {
   public:
    int rowCount(const QModelIndex&) const override { return 1000000; }
    QVariant data(const QModelIndex&, int) const override { return {}; }
  } rows;
  ThumbGrid grid;
  grid.setModel(&rows);
  grid.resize(800, 600);
  grid.show();
  QVERIFY(QTest::qWaitForWindowExposed(&grid));
  grid.setFocus();
  QTest::keyClick(&grid, Qt::Key_End);
  QCOMPARE(grid.currentIndex().row(), 999999);
  QVERIFY(grid.viewport()->rect().contains(grid.visualRect(grid.currentIndex()).center()));
  QTest::keyClick(&grid, Qt::Key_A, Qt::ControlModifier);
  QCOMPARE(grid.selectedCount(), qint64(1000000));
  QCOMPARE(grid.selectionModel()->selection().size(), 1);  // one range, not a million
}

QTEST_MAIN(TestThumbGrid)
#include "test_thumb_grid.moc"
