// The boundary is the link line: which binary loads which library, read from the loader itself. A part that may not use a library must
// not link it, not even through another one.
#include <QtTest>

class TestLinkLines : public QObject {
  Q_OBJECT

  /// File names of all shared libraries the loader would map for the program, through every library in between.
  static QStringList closure(const QString& program) {
    QProcess ldd;
    ldd.start("ldd", {program}, QIODevice::ReadOnly);
    if (!ldd.waitForFinished(60'000) || ldd.exitCode() != 0) return {};
    QStringList names;
    for (const QByteArray& raw : ldd.readAllStandardOutput().split('\n')) {
      const QString name = QString::fromLocal8Bit(raw).trimmed().section(' ', 0, 0);
      if (!name.isEmpty()) names << QFileInfo(name).fileName();
    }
    return names;
  }

  static const QMap<QString, QStringList>& families() {
    static const QMap<QString, QStringList> all{
        {"LibTorch", {"libtorch", "libc10", "libcloister_engine"}},
        {"ONNX Runtime", {"libonnxruntime", "libcloister_onnx"}},
        {"DCMTK", {"libdcm", "libofstd", "liboflog", "libijg"}},
        {"codecs", {"libgdcm", "libopenjp2", "libcharls", "libtiff", "libjpeg", "libturbojpeg", "libpng"}},
        {"widgets", {"libQt6Widgets", "libQt6Gui", "libqcustomplot"}},
        {"network", {"libQt6Network", "libcurl", "libssl."}},
        {"database", {"libsqlite3"}}};
    return all;
  }

 private Q_SLOTS:
  void programs_data() {
    QTest::addColumn<QString>("program");
    QTest::addColumn<QStringList>("forbidden");
    QTest::addColumn<QStringList>("needed");
    // The desktop draws with Qt Gui, which Debian links to libpng and reads JPEG by a plugin; files of patients never pass through them.
    QTest::newRow("cloister") << "cloister" << QStringList{"LibTorch", "ONNX Runtime", "DCMTK", "network"}
                              << QStringList{"widgets", "database"};
    QTest::newRow("cloister-cli") << "cloister-cli" << QStringList{"LibTorch", "ONNX Runtime", "DCMTK", "codecs", "widgets", "network"}
                                  << QStringList{"database"};
    QTest::newRow("cloister-ingest") << "cloister-ingest"
                                     << QStringList{"LibTorch", "ONNX Runtime", "DCMTK", "codecs", "widgets", "network", "database"}
                                     << QStringList{};
    QTest::newRow("cloister-worker") << "cloister-worker" << QStringList{"DCMTK", "codecs", "widgets", "network", "database"}
                                     << QStringList{"LibTorch", "ONNX Runtime"};
  }

  void programs() {
    QFETCH(QString, program);
    QFETCH(QStringList, forbidden);
    QFETCH(QStringList, needed);
    const QString file = QStringLiteral(CLOISTER_BIN_DIR) + '/' + program;
    if (!QFileInfo::exists(file)) QSKIP("not built in this configuration (no engine or no desktop)");
    const QStringList loaded = closure(file);
    QVERIFY2(loaded.filter("libQt6Core").size() == 1, "the list of libraries is empty: ldd did not work");
    for (const QString& family : forbidden)
      for (const QString& prefix : families()[family])
        for (const QString& library : loaded)
          QVERIFY2(!library.startsWith(prefix), qPrintable(QStringLiteral("%1 loads %2 (%3)").arg(program, library, family)));
    // A family that is never found would make the rows above say nothing.
    for (const QString& family : needed) {
      bool found = false;
      for (const QString& prefix : families()[family])
        found = found || !loaded.filter(QRegularExpression("^" + QRegularExpression::escape(prefix))).isEmpty();
      QVERIFY2(found, qPrintable(QStringLiteral("%1 should load %2").arg(program, family)));
    }
  }

  void theDesktopLinksNoDecoderOfForeignFiles() {
    const QString file = QStringLiteral(CLOISTER_BIN_DIR) + "/cloister";
    if (!QFileInfo::exists(file)) QSKIP("not built in this configuration (no desktop)");
    for (const QString& library : closure(file))
      for (const char* prefix : {"libgdcm", "libopenjp2", "libcharls", "libtiff"})
        QVERIFY2(!library.startsWith(QLatin1String(prefix)), qPrintable("cloister loads " + library));
  }

  /// Whatever plugin is built, known to this test or not: what its kind may not load, and that its kind is one of the three.
  void plugins() {
    static const QMap<QString, QStringList> forbidden{{"sources", {"LibTorch", "ONNX Runtime", "widgets", "network", "database"}},
                                                      {"families", {"DCMTK", "codecs", "widgets", "network", "database"}},
                                                      {"targets", {"LibTorch", "DCMTK", "codecs", "widgets", "network", "database"}}};
    const QDir root(QStringLiteral(CLOISTER_BIN_DIR) + "/../plugins");
    int seen = 0;
    for (const QString& kind : root.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
      for (const QFileInfo& file : QDir(root.filePath(kind)).entryInfoList({"*.so"}, QDir::Files)) {
        QVERIFY2(forbidden.contains(kind), qPrintable("a kind of plugin without a rule: " + kind));
        const QStringList loaded = closure(file.filePath());
        QVERIFY2(loaded.filter("libQt6Core").size() == 1, qPrintable(file.fileName() + ": ldd did not work"));
        for (const QString& family : forbidden[kind])
          for (const QString& prefix : families()[family])
            for (const QString& library : loaded)
              QVERIFY2(!library.startsWith(prefix), qPrintable(QStringLiteral("%1 loads %2 (%3)").arg(file.fileName(), library, family)));
        ++seen;
      }
    }
    QVERIFY2(seen >= 3, "the plugins were not found");
  }

  /// Programs that only tests start are no part of what is installed.
  void noTestProgramAmongThem() {
    static const QStringList programs{"cloister", "cloister-cli", "cloister-ingest", "cloister-worker"};
    for (const QString& name : QDir(QStringLiteral(CLOISTER_BIN_DIR)).entryList(QDir::Files | QDir::Executable))
      QVERIFY2(programs.contains(name) || name.startsWith("fuzz_") || name.startsWith("bench_"), qPrintable(name));
  }

  /// The names above are right: the parts that may load a library do.
  void whatMayLoadALibraryDoes_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("prefix");
    QTest::newRow("DICOM source") << "plugins/sources/cloister_sources_dicom.so"
                                  << "libdcmdata";
    QTest::newRow("ONNX part") << "lib/libcloister_onnx.so"
                               << "libonnxruntime";
    QTest::newRow("engine") << "lib/libcloister_engine.so"
                            << "libtorch_cpu";
  }

  void whatMayLoadALibraryDoes() {
    QFETCH(QString, file);
    QFETCH(QString, prefix);
    const QString path = QStringLiteral(CLOISTER_BIN_DIR) + "/../" + file;
    if (!QFileInfo::exists(path)) QSKIP("not built in this configuration (no engine)");
    const QStringList loaded = closure(path);
    QVERIFY2(!loaded.filter(QRegularExpression("^" + prefix)).isEmpty(), qPrintable(loaded.join(' ')));
    if (prefix == u"libdcmdata") QVERIFY(loaded.filter(QRegularExpression("^(libtorch|libonnxruntime|libQt6Network)")).isEmpty());
  }
};

QTEST_GUILESS_MAIN(TestLinkLines)
#include "test_link_lines.moc"
