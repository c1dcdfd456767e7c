// The look as numbers: contrast of every pair that meets on the screen, both themes; no colour outside the tokens; the style sheet whole.
#include <QDirIterator>
#include <QRegularExpression>
#include <QtTest>

#include "widgets/common/icons.h"
#include "widgets/common/theme.h"

using namespace cloister;

class TestTheme : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void contrastKnown();
  void contrast_data();
  void contrast();
  void seriesReadable();
  void highContrastPalette();
  void styleSheetIsWhole();
  void iconsFollowTheTheme();
  void noColourOutsideTheTokens();
};

// Values from the WCAG 2.1 definition, computed by hand.
void TestTheme::contrastKnown() {
  QCOMPARE(Theme::contrast(Qt::black, Qt::white), 21.0);
  QCOMPARE(qRound(100 * Theme::contrast(QColor(0x77, 0x77, 0x77), Qt::white)), 448);
}

void TestTheme::contrast_data() {
  QTest::addColumn<QColor>("front");
  QTest::addColumn<QColor>("ground");
  QTest::addColumn<double>("least");
  for (const Tokens& t : {Theme::light(), Theme::dark()}) {
    const char* theme = t.dark ? "dark" : "light";
    const std::pair<const char*, QColor> grounds[] = {
        {"window", t.window}, {"panel", t.panel}, {"raised", t.raised}, {"selection", t.selection}};
    const std::pair<const char*, QColor> texts[] = {{"text", t.text}, {"quiet", t.quiet},     {"accent", t.accent},
                                                    {"good", t.good}, {"warning", t.warning}, {"bad", t.bad}};
    for (const auto& [groundName, ground] : grounds) {
      for (const auto& [name, colour] : texts) QTest::addRow("%s %s on %s", theme, name, groundName) << colour << ground << 4.5;
      QTest::addRow("%s line on %s", theme, groundName) << t.line << ground << 3.0;
    }
    QTest::addRow("%s onAccent on accent", theme) << t.onAccent << t.accent << 4.5;
  }
}

void TestTheme::contrast() {
  QFETCH(QColor, front);
  QFETCH(QColor, ground);
  QFETCH(double, least);
  const double found = Theme::contrast(front, ground);
  QVERIFY2(found >= least, qPrintable(QStringLiteral("%1 on %2 has %3").arg(front.name(), ground.name()).arg(found)));
}

void TestTheme::seriesReadable() {
  for (Theme::Kind kind : {Theme::Kind::Light, Theme::Kind::Dark}) {
    Theme::current().set(kind);
    for (int i = 0; i < 7; ++i) QVERIFY(Theme::contrast(Theme::current().series(i), Theme::current().tokens().panel) >= 3.0);
    for (int i = 1; i < 5; ++i) QVERIFY(Theme::current().dash(i) != Theme::current().dash(0));
  }
}

void TestTheme::highContrastPalette() {
  QPalette p;
  p.setColor(QPalette::Window, Qt::black);
  p.setColor(QPalette::Base, Qt::black);
  p.setColor(QPalette::WindowText, Qt::yellow);
  p.setColor(QPalette::Highlight, Qt::blue);
  p.setColor(QPalette::HighlightedText, Qt::white);
  const Tokens t = Theme::fromPalette(p);
  QVERIFY(t.dark);
  QCOMPARE(t.text, QColor(Qt::yellow));
  for (const QColor& c : {t.text, t.quiet, t.accent, t.good, t.warning, t.bad}) QVERIFY(Theme::contrast(c, t.raised) >= 4.5);
}

void TestTheme::styleSheetIsWhole() {
  const QString sheet = Theme::current().styleSheet();
  QVERIFY(!QRegularExpression("\\{[A-Za-z]+\\}").match(sheet).hasMatch());
  QVERIFY(!sheet.contains("pt]") && !sheet.contains("[small]"));
  for (QRegularExpressionMatchIterator it = QRegularExpression("url\\(([^)]*)\\)").globalMatch(sheet); it.hasNext();) {
    const QString file = it.next().captured(1);
    QVERIFY2(QFile::exists(file), qPrintable(file));
  }
}

void TestTheme::iconsFollowTheTheme() {
  Theme::current().set(Theme::Kind::Light);
  const QImage light = themedPixmap("data", Role::Text, 20, 1).toImage();
  Theme::current().set(Theme::Kind::Dark);
  const QImage dark = themedPixmap("data", Role::Text, 20, 1).toImage();
  QVERIFY(!light.isNull() && light != dark);
}

void TestTheme::noColourOutsideTheTokens() {
  const QRegularExpression literal(
      "#[0-9A-Fa-f]{6}\\b|QColor\\(\\s*(0x|\\d)|QColor\\(Qt::|Qt::(red|blue|green|gray|darkGray|lightGray|black|white)\\b|qRgb\\(");
  QStringList found;
  int files = 0;
  for (const char* folder : {"/widgets", "/app/gui"})
    for (QDirIterator it(QStringLiteral(CLOISTER_SOURCE_DIR) + folder, {"*.cpp", "*.h"}, QDir::Files, QDirIterator::Subdirectories);
         it.hasNext();) {
      const QString path = it.next();
      if (path.endsWith("/theme.cpp")) continue;
      ++files;
      QFile file(path);
      QVERIFY(file.open(QIODevice::ReadOnly));
      const QString text = QString::fromUtf8(file.readAll());
      const auto match = literal.match(text);
      if (match.hasMatch()) found << path.section('/', -2) + ": " + match.captured(0);
    }
  QVERIFY(files > 40);
  QVERIFY2(found.isEmpty(), qPrintable(found.join('\n')));
}

QTEST_MAIN(TestTheme)
#include "test_theme.moc"
