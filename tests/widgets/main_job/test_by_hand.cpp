// What a person does by hand on the Data page, by mouse and keyboard, offscreen, with the real reader: window and level, frames, header,
// labels by number keys with undo and redo, exclusion, filters and search. The files are written here.
#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QSlider>
#include <QTabWidget>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include "tests/widgets/watchdog.h"
#include "widgets/common/language.h"
#include "widgets/common/shell.h"
#include "widgets/common/store_client.h"
#include "widgets/data/image_canvas.h"
#include "widgets/data/sample_model.h"
#include "widgets/data/thumb_grid.h"
#include "widgets/data/viewer.h"
#include "widgets/pages.h"

using namespace cloister;

namespace {

constexpr int kPatienceMs = 60'000;
constexpr int kSide = 32, kFrames = 5;

// ---- a DICOM file, element by element (PS3.5, explicit VR little endian)

void put(QByteArray& out, quint16 group, quint16 element, const char* vr, QByteArray value) {
  if (value.size() % 2) value += qstrcmp(vr, "UI") == 0 || qstrcmp(vr, "OB") == 0 ? '\0' : ' ';
  const auto u16 = [&out](quint32 n) { out += char(n & 0xff), out += char(n >> 8 & 0xff); };
  u16(group);
  u16(element);
  out += vr;
  const bool wide = qstrcmp(vr, "OW") == 0 || qstrcmp(vr, "OB") == 0;
  if (wide) u16(0);
  u16(quint32(value.size()) & 0xffff);
  if (wide) u16(quint32(value.size()) >> 16);
  out += value;
}

QByteArray us(int n) {
  QByteArray b(2, '\0');
  b[0] = char(n & 0xff);
  b[1] = char(n >> 8);
  return b;
}

/// A ramp of 0…4095, brighter by 100 in each frame; window 2000/1000.
bool writeDicom(const QString& path, int number, int frames) {
  const QByteArray uid = "1.2.826.0.1.3680043.8.498." + QByteArray::number(1000 + number);
  const QByteArray sopClass = frames > 1 ? "1.2.840.10008.5.1.4.1.1.7.3" : "1.2.840.10008.5.1.4.1.1.7";
  QByteArray meta, data;
  put(meta, 2, 0x0001, "OB", QByteArray("\0\1", 2));
  put(meta, 2, 0x0002, "UI", sopClass);
  put(meta, 2, 0x0003, "UI", uid);
  put(meta, 2, 0x0010, "UI", "1.2.840.10008.1.2.1");
  put(meta, 2, 0x0012, "UI", "1.2.826.0.1.3680043.8.498.1");
  QByteArray head;
  QByteArray length(4, '\0');
  length[0] = char(meta.size() & 0xff);
  length[1] = char(meta.size() >> 8);
  put(head, 2, 0x0000, "UL", length);
  put(data, 0x08, 0x0016, "UI", sopClass);
  put(data, 0x08, 0x0018, "UI", uid);
  put(data, 0x08, 0x0060, "CS", "OT");
  put(data, 0x10, 0x0010, "PN", "Phantom^" + QByteArray::number(number));
  put(data, 0x10, 0x0020, "LO", "P" + QByteArray::number(number));
  put(data, 0x20, 0x000d, "UI", uid + ".1");
  put(data, 0x20, 0x000e, "UI", uid + ".2");
  put(data, 0x28, 0x0002, "US", us(1));
  put(data, 0x28, 0x0004, "CS", "MONOCHROME2");
  if (frames > 1) put(data, 0x28, 0x0008, "IS", QByteArray::number(frames));
  put(data, 0x28, 0x0010, "US", us(kSide));
  put(data, 0x28, 0x0011, "US", us(kSide));
  put(data, 0x28, 0x0100, "US", us(16));
  put(data, 0x28, 0x0101, "US", us(12));
  put(data, 0x28, 0x0102, "US", us(11));
  put(data, 0x28, 0x0103, "US", us(0));
  put(data, 0x28, 0x1050, "DS", "2000");
  put(data, 0x28, 0x1051, "DS", "1000");
  QByteArray pixels;
  for (int f = 0; f < frames; ++f)
    for (int i = 0; i < kSide * kSide; ++i) pixels += us(std::min(4095, i * 3 + 100 * f + 7 * number));
  put(data, 0x7fe0, 0x0010, "OW", pixels);
  QFile file(path);
  return file.open(QIODevice::WriteOnly) && file.write(QByteArray(128, '\0') + "DICM" + head + meta + data) > 0;
}

}  // namespace

class TestByHand : public QObject {
  Q_OBJECT
  QTemporaryDir home_;
  std::unique_ptr<StoreClient> store_;
  std::unique_ptr<MainWindow> window_;

  template <typename T>
  T* part(const QString& accessibleName = {}) const {
    for (auto* w : window_->findChildren<T*>())
      if (accessibleName.isEmpty() || w->accessibleName() == accessibleName) return w;
    return nullptr;
  }
  ThumbGrid* grid() const { return part<ThumbGrid>(); }
  const SampleModel* model() const { return static_cast<const SampleModel*>(grid()->model()); }
  bool rows(int n) const {
    return QTest::qWaitFor([&] { return model()->rowCount() == n && store_->pending() == 0; }, kPatienceMs);
  }
  Sample sample(int row) const {
    const SampleModel::Cell* cell = nullptr;
    if (!QTest::qWaitFor([&] { return (cell = model()->cell(row)) && cell->sample.id > 0 && store_->pending() == 0; }, kPatienceMs))
      return {};
    return cell->sample;
  }
  bool labelled(int row, const QString& label) const {
    return QTest::qWaitFor([&] { return sample(row).label == label; }, kPatienceMs);
  }
  void click(int row, Qt::KeyboardModifiers modifiers = {}) const {
    grid()->scrollTo(grid()->model()->index(row, 0));
    QTest::mouseClick(grid()->viewport(), Qt::LeftButton, modifiers, grid()->visualRect(grid()->model()->index(row, 0)).center());
  }
  bool shown() const {  // the picture of the viewer is there
    auto* level = part<QDoubleSpinBox>("Window level");
    return QTest::qWaitFor([&] { return level->isVisible() && store_->pending() == 0; }, kPatienceMs);
  }
  QImage picture() const { return part<ImageCanvas>()->grab().toImage(); }
  bool pictureChanges(const QImage& before) const {
    return QTest::qWaitFor([&] { return picture() != before; }, kPatienceMs);
  }

 private Q_SLOTS:
  void initTestCase() {
    qputenv("HOME", home_.path().toUtf8());
    qputenv("XDG_CONFIG_HOME", home_.filePath("config").toUtf8());
    qputenv("CLOISTER_BIN_DIR", CLOISTER_BIN_DIR);
    qputenv("CLOISTER_PLUGINS", CLOISTER_BIN_DIR "/../plugins");
    Language::current().set("en");
    QVERIFY(QDir().mkpath(home_.filePath("files")));
    for (int i = 0; i < 6; ++i) QVERIFY(writeDicom(home_.filePath(QStringLiteral("files/%1.dcm").arg(i)), i, i == 5 ? kFrames : 1));
    store_ = std::make_unique<StoreClient>();
    window_ = std::make_unique<MainWindow>(*store_);
    addPages(*window_);
    window_->resize(1366, 768);
    window_->show_("data");
    window_->show();
    store_->createProject(home_.filePath("p"), "By hand", "image-classification");
    QVERIFY(QTest::qWaitFor([&] { return store_->state().open && store_->state().info.name == "By hand"; }, kPatienceMs));
    ImportRequest request;
    request.source = "dicom";
    request.paths = {home_.filePath("files")};
    request.options = {{"frames", "first"}};
    store_->startImport(request);
    QVERIFY(QTest::qWaitFor([&] { return !store_->importing() && store_->state().counts.samples == 6; }, kPatienceMs));
    // The sheet of the import gives way by its own button.
    QPushButton* back = nullptr;
    QVERIFY(QTest::qWaitFor([&] { return (back = part<QPushButton>("Back to the samples")) && back->isVisible() && back->isEnabled(); },
                            kPatienceMs));
    QTest::mouseClick(back, Qt::LeftButton);
    QVERIFY(rows(6));
  }

  void dragSetsTheWindow() {
    click(0);
    QVERIFY(shown());
    auto *level = part<QDoubleSpinBox>("Window level"), *width = part<QDoubleSpinBox>("Window width");
    QTRY_COMPARE_WITH_TIMEOUT(level->value(), 2000.0, kPatienceMs);
    QCOMPARE(width->value(), 1000.0);
    auto* canvas = part<ImageCanvas>();
    const QPoint at = canvas->rect().center();
    const QImage before = picture();
    QTest::mousePress(canvas, Qt::LeftButton, {}, at);
    QMouseEvent move(QEvent::MouseMove, at + QPoint(40, -30), canvas->mapToGlobal(at + QPoint(40, -30)), Qt::NoButton, Qt::LeftButton, {});
    QApplication::sendEvent(canvas, &move);
    QTest::mouseRelease(canvas, Qt::LeftButton, {}, at + QPoint(40, -30));
    QVERIFY(width->value() > 1000);
    QVERIFY(level->value() < 2000);
    QVERIFY(pictureChanges(before));
    QTest::mouseDClick(canvas, Qt::LeftButton, {}, at);  // back to the file's own
    QCOMPARE(level->value(), 2000.0);
    QCOMPARE(width->value(), 1000.0);
    QTest::keyClick(canvas, Qt::Key_Right);  // the same without a mouse
    QVERIFY(width->value() > 1000);
    level->setFocus();
    level->selectAll();
    QTest::keyClicks(level, "1500\r");
    QCOMPARE(level->value(), 1500.0);
  }

  void presetsOfTheFile() {
    auto* presets = part<QComboBox>("Window presets");
    QStringList names;
    for (int i = 0; i < presets->count(); ++i) names << presets->itemText(i);
    QVERIFY2(names.contains("Whole range"), qPrintable(names.join('|')));
    presets->setFocus();
    presets->setCurrentIndex(names.indexOf("Whole range"));
    Q_EMIT presets->activated(presets->currentIndex());
    QCOMPARE(part<QDoubleSpinBox>("Window width")->value(), double((kSide * kSide - 1) * 3));
  }

  void wheelAndSpaceTurnFrames() {
    int row = 0;
    while (row < 6 && sample(row).frames < 2) ++row;
    QVERIFY(row < 6);
    click(row);
    QVERIFY(shown());
    auto* slider = part<QSlider>("Frame");
    QTRY_VERIFY_WITH_TIMEOUT(slider->isVisible() && slider->maximum() == kFrames - 1, kPatienceMs);
    auto* canvas = part<ImageCanvas>();
    const QImage before = picture();
    QWheelEvent wheel(canvas->rect().center(), canvas->mapToGlobal(canvas->rect().center()), {}, QPoint(0, -120), Qt::NoButton, {},
                      Qt::NoScrollPhase, false);
    QApplication::sendEvent(canvas, &wheel);
    QCOMPARE(slider->value(), 1);
    QVERIFY(pictureChanges(before));
    canvas->setFocus();
    QTest::keyClick(canvas, Qt::Key_Space);
    QTRY_VERIFY_WITH_TIMEOUT(slider->value() >= 2, kPatienceMs);  // it plays
    QTest::keyClick(canvas, Qt::Key_Space);
    QTest::keyClick(canvas, Qt::Key_PageUp);
  }

  void headerIsATableToSearch() {
    auto* tabs = part<QTabWidget>("Facts and header of the sample");
    QVERIFY(tabs);
    tabs->setCurrentIndex(1);
    auto* header = part<QTableView>("DICOM header");
    QTRY_VERIFY_WITH_TIMEOUT(header->model()->rowCount() > 15, kPatienceMs);
    auto* search = part<QLineEdit>("Search the header");
    search->setFocus();
    QTest::keyClicks(search, "PatientID");
    QCOMPARE(header->model()->rowCount(), 1);
    QCOMPARE(header->model()->index(0, 2).data().toString(), QStringLiteral("P5"));
    search->clear();
    tabs->setCurrentIndex(0);
  }

  void numbersLabelAndUndoTakesBack() {
    click(0);
    auto* name = part<QLineEdit>("New label for the selection; Enter applies it");
    QTRY_VERIFY(name->isEnabled());
    name->setFocus();
    QTest::keyClicks(name, "sick\r");
    QVERIFY(labelled(0, "sick"));
    click(1);
    name->setFocus();
    QTest::keyClicks(name, "well\r");
    QVERIFY(labelled(1, "well"));
    QTRY_VERIFY_WITH_TIMEOUT(part<QPushButton>("Label the selection as well (key 2)"), kPatienceMs);
    click(2);
    grid()->setFocus();
    QTest::keyClick(grid(), Qt::Key_2);  // labels this one and goes on to the next
    QVERIFY(labelled(2, "well"));
    QTest::keyClick(grid(), Qt::Key_1);
    QVERIFY(labelled(3, "sick"));
    QTest::keyClick(grid(), Qt::Key_Z, Qt::ControlModifier);
    QVERIFY(labelled(3, {}));
    QTest::keyClick(grid(), Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
    QVERIFY(labelled(3, "sick"));
    click(4);
    click(5, Qt::ShiftModifier);  // two at once
    QTest::keyClick(grid(), Qt::Key_2);
    QVERIFY(labelled(4, "well"));
    QVERIFY(labelled(5, "well"));
    QTest::keyClick(grid(), Qt::Key_Z, Qt::ControlModifier);
    QVERIFY(labelled(5, {}));
    QVERIFY(labelled(4, {}));
  }

  void filtersNarrowTheGrid() {
    QVERIFY(rows(6));
    auto* labels = part<QListWidget>("Filter by label");
    const auto row = [&](const QString& text) {
      for (int i = 0; i < labels->count(); ++i)
        if (labels->item(i)->text().startsWith(text)) return i;
      return -1;
    };
    QTRY_VERIFY_WITH_TIMEOUT(row("sick") > 0, kPatienceMs);
    labels->setCurrentRow(row("sick"));
    QVERIFY(rows(2));
    labels->setCurrentRow(row("No label"));
    QVERIFY(rows(2));
    QTest::mouseClick(part<QPushButton>("Previous filter"), Qt::LeftButton);
    QVERIFY(rows(2));
    QTest::mouseClick(part<QPushButton>("Clear filters"), Qt::LeftButton);
    QVERIFY(rows(6));
    auto* patient = part<QLineEdit>("Filter by patient");
    patient->setFocus();
    QTest::keyClicks(patient, "P3\r");
    QVERIFY(rows(1));
    QTest::mouseClick(part<QPushButton>("Clear filters"), Qt::LeftButton);
    QVERIFY(rows(6));
    auto* search = part<QLineEdit>("Search samples by key, patient or label");
    QTest::keyClick(window_.get(), Qt::Key_F, Qt::ControlModifier);
    QTRY_VERIFY(search->hasFocus());
    QTest::keyClicks(search, "4.dcm");
    QVERIFY(rows(1));
    search->clear();
    QVERIFY(rows(6));
  }

  void excludedIsLeftOutAndComesBack() {
    click(0);
    grid()->setFocus();
    QTest::keyClick(grid(), Qt::Key_X);
    QTRY_COMPARE_WITH_TIMEOUT(store_->state().counts.excluded, qint64(1), kPatienceMs);
    QTest::keyClick(grid(), Qt::Key_Z, Qt::ControlModifier);
    QTRY_COMPARE_WITH_TIMEOUT(store_->state().counts.excluded, qint64(0), kPatienceMs);
  }

  void cleanupTestCase() {
    window_.reset();
    store_.reset();
  }
};

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  WatchedApplication app(argc, argv);
  TestByHand test;
  return QTest::qExec(&test, argc, argv);
}
#include "test_by_hand.moc"
