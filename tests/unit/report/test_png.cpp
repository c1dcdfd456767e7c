// Our PNG, read back by Qt's reader (libpng) in another process would need Qt Gui; so the bytes are checked against the format itself here
// and by Pillow in tests/interop.
#include <QTest>
#include <QtEndian>

#include "core/report/png.h"

using namespace cloister;

class TestPng : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void chunksAsTheFormatWants() {
    const std::vector<std::uint8_t> pixels{0, 128, 255, 1, 2, 3};
    const QByteArray png = encodePng(pixels, 3, 2, 1);
    QVERIFY(png.startsWith("\x89PNG\r\n\x1a\n"));
    // The end chunk of every PNG is the same twelve bytes, its CRC included (W3C PNG, 11.2.5).
    QCOMPARE(png.right(12).toHex(), QByteArray("0000000049454e44ae426082"));
    QCOMPARE(qFromBigEndian<quint32>(png.constData() + 16), 3U);
    QCOMPARE(qFromBigEndian<quint32>(png.constData() + 20), 2U);
    QCOMPARE(png.mid(24, 2), QByteArray("\x08\x00", 2));
    const qsizetype data = png.indexOf("IDAT");
    const quint32 length = qFromBigEndian<quint32>(png.constData() + data - 4);
    QByteArray stream(4, '\0');
    qToBigEndian<quint32>(8, stream.data());
    stream += png.mid(data + 4, length);
    QCOMPARE(qUncompress(stream), QByteArray("\0\x00\x80\xff\0\x01\x02\x03", 8));
  }

  void sizesThatDoNotFitGiveNothing() {
    const std::vector<std::uint8_t> pixels(6);
    QVERIFY(encodePng(pixels, 3, 3, 1).isEmpty());
    QVERIFY(encodePng(pixels, 3, 2, 2).isEmpty());
    QVERIFY(encodePng({}, 0, 0, 1).isEmpty());
    QVERIFY(!encodePng(pixels, 1, 2, 3).isEmpty());
  }
};

QTEST_GUILESS_MAIN(TestPng)
#include "test_png.moc"
