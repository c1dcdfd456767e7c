// Reading a DICOM object in place against DCMTK reading it, and a JPEG 2000 preview against the whole decode: on sound files of every
// syntax we write, and on thousands of damaged copies. Both ways must give the same values or refuse for the same kind of reason.
#include <random>

#include <QDirIterator>
#include <QTemporaryDir>
#include <QTest>

#include "plugins/sources/dicom/codecs.h"
#include "plugins/sources/dicom/fragments.h"
#include "plugins/sources/dicom/frame_values.h"
#include "plugins/sources/dicom/phantom_writer.h"

using namespace cloister;
using namespace cloister::dicom;

namespace {

struct Seen {
  QString failure;  ///< kind, empty when read
  QStringList words;
  std::vector<std::uint8_t> stored;
  bool plain = false;
  bool operator==(const Seen& o) const { return failure == o.failure && words == o.words && stored == o.stored; }
};

Seen readIt(const QByteArray& bytes, File::Way way) {
  Seen seen;
  try {
    auto file = File::open(QStringLiteral("a.dcm"), bytes, way);
    seen.plain = file->plain() != nullptr;
    PixelReader reader(*file);
    const PixelFormat& f = reader.format();
    for (const DcmTagKey& tag : {DCM_Modality, DCM_InstitutionName, DCM_PatientID, DCM_StudyInstanceUID, DCM_SOPInstanceUID, DCM_PatientAge,
                                 DCM_ImageComments, DCM_PhotometricInterpretation, DCM_WindowCenter, DCM_RescaleSlope})
      seen.words << file->text(tag);
    seen.words << file->personName(DCM_PatientName) << file->transferSyntax() << QString::number(f.rows) << QString::number(f.columns)
               << QString::number(f.bitsStored) << QString::number(f.highBit) << QString::number(f.frames) << QString::number(f.isSigned);
    for (const DcmTagKey& tag : {DCM_RescaleSlope, DCM_RescaleIntercept})
      seen.words << QString::number(file->number(nullptr, tag).value_or(-1));
    for (const WindowPreset& w : voiOf(*file, 0, true).windows) seen.words << QString::number(w.center) << QString::number(w.width);
    seen.stored = reader.read(0).frame.bytes;
  } catch (const SourceError& e) {
    seen = {failureKindName(e.failure.kind), {}, {}, seen.plain};
  } catch (const std::bad_alloc&) {
    seen = {QStringLiteral("memory"), {}, {}, seen.plain};
  }
  return seen;
}

QByteArray damaged(QByteArray b, std::mt19937& random) {
  const auto below = [&](qsizetype n) { return qsizetype(random() % std::uint32_t(n)); };
  const qsizetype header = std::min<qsizetype>(b.size(), 1800);
  switch (random() % 5) {
    case 0:
      return b.left(200 + below(b.size() - 200));
    case 1:
      for (int i = 0; i < 4; ++i) b[132 + below(header - 132)] = char(random());
      return b;
    case 2: {
      static const char* const marks[] = {"\xff\xff\xff\xff", "\xfe\xff\x00\xe0", "\xfe\xff\xdd\xe0", "\xff\xff\xff\x7f",
                                          "\x02\x00\x00\x00"};
      return b.replace(140 + below(header - 140), 4, marks[random() % 5], 4);
    }
    case 3:
      return b.remove(140 + below(header - 140), 1 + below(30));
    default:
      return b.insert(140 + below(header - 140), QByteArray(1 + below(12), char(random())));
  }
}

}  // namespace

class TestPlainObject : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  QList<QByteArray> files_;

 private Q_SLOTS:
  void initTestCase() {
    QVERIFY(folder_.isValid());
    (void)writePhantoms(folder_.path(), {{"patients", 12}, {"seed", 5}}, [](qint64, qint64) { return true; });
    QDirIterator it(folder_.path(), {"*.dcm"}, QDir::Files, QDirIterator::Subdirectories);
    while (it.hasNext()) {
      QFile file(it.next());
      QVERIFY(file.open(QIODevice::ReadOnly));
      files_ << file.readAll();
    }
    QVERIFY(files_.size() >= 12);
  }

  void soundFilesAreReadInPlaceAndTheSame() {
    QSet<QString> syntaxes;
    for (const QByteArray& bytes : std::as_const(files_)) {
      const Seen here = readIt(bytes, File::Way::PlainFirst), there = readIt(bytes, File::Way::DcmtkOnly);
      QVERIFY2(here.plain, "an ordinary object was left to DCMTK");
      QVERIFY(!there.plain);
      QCOMPARE(here.failure, QString());
      QVERIFY(!here.stored.empty());
      QCOMPARE(here.words, there.words);
      QVERIFY(here.stored == there.stored);
      syntaxes << here.words[11];
    }
    QCOMPARE(syntaxes.size(), 6);
  }

  void damagedFilesAreJudgedTheSame() {
    std::mt19937 random(20);
    int inPlace = 0, refused = 0;
    for (int i = 0; i < 1500; ++i) {
      const QByteArray bytes = damaged(files_[i % files_.size()], random);
      const Seen here = readIt(bytes, File::Way::PlainFirst), there = readIt(bytes, File::Way::DcmtkOnly);
      inPlace += here.plain;
      refused += !here.failure.isEmpty();
      if (!(here == there)) {
        QFile keep(QStringLiteral("plain-object-%1.dcm").arg(i));
        (void)(keep.open(QIODevice::WriteOnly) && keep.write(bytes));
        QFAIL(qPrintable(QStringLiteral("copy %1: %2 here, %3 by DCMTK").arg(i).arg(here.failure, there.failure)));
      }
    }
    QVERIFY2(inPlace > 50 && refused > 200, qPrintable(QStringLiteral("%1 in place, %2 refused").arg(inPlace).arg(refused)));
  }

  void unusualFilesAreLeftToDcmtk() {
    QByteArray bytes = files_.first();
    QVERIFY(!PlainObject::read(bytes.mid(132)));  // no preamble
    QVERIFY(!PlainObject::read(QByteArray(bytes).replace("DICM", 4, "DICX", 4)));
    QVERIFY(!PlainObject::read(bytes.left(bytes.size() - 2)));  // cut
    QVERIFY(!PlainObject::read(bytes + QByteArray(6, 0)));      // something after the last element
    QVERIFY(!PlainObject::read({}));
  }

  void previewRefusesWhatTheWholeDecodeRefuses() {
    std::mt19937 random(21);
    int smaller = 0, refused = 0, streams = 0;
    for (const QByteArray& bytes : std::as_const(files_)) {
      const auto object = PlainObject::read(bytes);
      if (!object || !object->transferSyntax().endsWith(u".4.90")) continue;
      ++streams;
      const std::vector<std::uint8_t> sound = assembleFrame(object->fragments(), {}, 1, 0);
      const auto us = [&](std::uint32_t tag) { return int(object->find(tag)->data[0] | object->find(tag)->data[1] << 8); };
      const int rows = us(0x00280010), columns = us(0x00280011), bits = us(0x00280101);
      for (int i = 0; i < 150; ++i) {
        std::vector<std::uint8_t> s = sound;
        if (i % 3 == 0 && i > 0) s.resize(20 + random() % (s.size() - 20));
        for (int k = 0; i > 0 && k < 3; ++k) s[i % 3 == 1 ? 2 + random() % 138 : random() % s.size()] = std::uint8_t(random());
        QString whole, preview;
        try {
          (void)decodeJpeg2000(s.data(), s.size(), columns, rows);
        } catch (const SourceError& e) {
          whole = failureKindName(e.failure.kind);
        }
        try {
          const CodecImage image = previewJpeg2000(s.data(), s.size(), columns, rows, 128, bits, false);
          smaller += image.width < columns;
          QVERIFY(std::max(image.width, image.height) >= 128);
        } catch (const SourceError& e) {
          preview = failureKindName(e.failure.kind);
        }
        QCOMPARE(preview, whole);
        refused += !whole.isEmpty();
      }
    }
    QVERIFY(streams >= 2);
    QVERIFY2(smaller > 50 && refused > 50, qPrintable(QStringLiteral("%1 smaller, %2 refused").arg(smaller).arg(refused)));
  }
};

QTEST_GUILESS_MAIN(TestPlainObject)
#include "test_plain_object.moc"
