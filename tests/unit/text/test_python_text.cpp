// Python's notion of text. The expected values were printed by CPython 3.11.
#include <QtTest>

#include "core/text/scores/python_text.h"

using namespace cloister::scores;

class TestPythonText : public QObject {
  Q_OBJECT

  static std::string lowered(std::string_view text) {
    std::string out;
    lower(text, out);
    return out;
  }

 private Q_SLOTS:
  void lowerCase_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected");
    QTest::newRow("ascii") << QByteArray("ABC xyz [@`{") << QByteArray("abc xyz [@`{");
    QTest::newRow("dotted I") << QByteArray("İI") << QByteArray("i\xCC\x87i");
    QTest::newRow("Kelvin") << QByteArray("\xE2\x84\xAA") << QByteArray("k");
    QTest::newRow("final sigma") << QByteArray("ΟΔΟΣ ΣΑΣ") << QByteArray("οδος σας");
    QTest::newRow("sigma alone") << QByteArray("Σ") << QByteArray("σ");
    QTest::newRow("sigma before a mark and a letter") << QByteArray("ΑΣ'Α") << QByteArray("ασ'α");
    QTest::newRow("sigma before a mark") << QByteArray("ΑΣ'") << QByteArray("ας'");
    QTest::newRow("title case") << QByteArray("ǅ") << QByteArray("ǆ");
    QTest::newRow("no case") << QByteArray("今天ß𠀀") << QByteArray("今天ß𠀀");
  }
  void lowerCase() {
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, expected);
    QCOMPARE(QByteArray::fromStdString(lowered(text.toStdString())), expected);
  }

  void whiteSpaceIsPythons() {
    // "".join(c for c in map(chr, range(0x110000)) if c.isspace())
    const std::u32string all =
        U"\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028"
        U"\u2029\u202f\u205f\u3000";
    std::u32string found;
    for (char32_t c = 0; c < 0x110000; ++c)
      if (isSpace(c)) found += c;
    QVERIFY(found == all);
  }

  void splitAndStrip() {
    const std::string text =
        " \xE3\x80\x80"
        "ein\xC2\xA0 zwei\x1C"
        "drei\xE2\x80\xA8今天\xC2\x85";
    std::vector<std::string_view> words;
    split(text, words);
    QCOMPARE(words.size(), std::size_t(4));
    QVERIFY(words[0] == "ein" && words[1] == "zwei" && words[2] == "drei" && words[3] == "今天");
    QVERIFY(strip(text).starts_with("ein") && strip(text).ends_with("今天"));
    QVERIFY(stripRight(text).starts_with(" \xE3") && stripRight(text).ends_with("今天"));
    QVERIFY(strip(" \xE3\x80\x80").empty() && stripRight("").empty());
  }

  void whereTextEnds_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("bad");
    QTest::newRow("all lengths") << QByteArray("a\xC3\xA4\xE4\xBB\x8A\xF0\xA0\x80\x80 z, long enough for eight at once") << -1;
    QTest::newRow("NUL") << QByteArray("0123456789\0ab", 13) << 10;
    QTest::newRow("overlong") << QByteArray("ab\xC0\xAF") << 2;
    QTest::newRow("overlong of three") << QByteArray("\xE0\x80\xAF") << 0;
    QTest::newRow("surrogate") << QByteArray("abc\xED\xA0\x80") << 3;
    QTest::newRow("beyond Unicode") << QByteArray("\xF4\x90\x80\x80") << 0;
    QTest::newRow("last of Unicode") << QByteArray("\xF4\x8F\xBF\xBF") << -1;
    QTest::newRow("cut short") << QByteArray("012345678\xE4\xBB") << 9;
    QTest::newRow("continuation alone") << QByteArray("01234567\x80") << 8;
    QTest::newRow("Latin-1") << QByteArray(
                                    "Gr\xFC\xDF"
                                    "e")
                             << 2;
  }
  void whereTextEnds() {
    QFETCH(QByteArray, bytes);
    QFETCH(int, bad);
    QCOMPARE(qint64(validText({bytes.constData(), std::size_t(bytes.size())})), bad < 0 ? bytes.size() : bad);
  }
};

QTEST_APPLESS_MAIN(TestPythonText)
#include "test_python_text.moc"
