// What the worker says of graphics cards in every state a machine can be in, with a driver, libraries and a module made for the test.
#include <QtTest>

#include "core/engine/device/cuda_loader.h"

using namespace cloister;

class TestCudaLoader : public QObject {
  Q_OBJECT

  static QString place() { return QFileInfo(QStringLiteral(CLOISTER_BIN_DIR) + "/../tests/fake_cuda").absoluteFilePath(); }
  static CudaPlaces whole() { return {place() + "/driver/libcuda.so.1", place() + "/fake_module.so", {place() + "/libs"}}; }
  static QString reason(const CudaState& s) { return s.trouble.args["reason"].toString(); }

  static void refused(const CudaPlaces& places, const char* expected) {
    const CudaState s = loadCuda(places);
    QVERIFY(!s.module);
    QCOMPARE(s.trouble.kind, FailureKind::DeviceUnavailable);
    QCOMPARE(reason(s), expected);
    // Worded, with every place filled.
    const QString text = describe(s.trouble);
    QVERIFY2(!text.contains('%') && !text.contains(QChar(0x2026)), qPrintable(text));
    QVERIFY(text != describe({FailureKind::DeviceUnavailable, {}, {}}));
    QCOMPARE(s.toJson()["usable"], false);
    QCOMPARE(s.toJson()["trouble"].toObject()["kind"], "device_unavailable");
  }

  struct Variable {
    Variable(const char* n, const char* value) : name(n) { qputenv(n, value); }
    ~Variable() { qunsetenv(name); }
    const char* name;
  };

 private Q_SLOTS:
  void withoutADriver() {
    CudaPlaces p = whole();
    p.driver = "libcuda-that-nobody-has.so.1";
    refused(p, "no_driver");
  }
  void withAnOldDriver() {
    const Variable v("FAKE_CUDA_VERSION", "12040");
    refused(whole(), "driver_too_old");
    QVERIFY(describe(loadCuda(whole()).trouble).contains("12.4"));
  }
  void withADriverThatDoesNotStart() {
    const Variable v("FAKE_CUDA_INIT", "999");
    refused(whole(), "no_device");
    QVERIFY(loadCuda(whole()).trouble.detail.contains("999"));
  }
  void withoutACard() {
    const Variable v("FAKE_CUDA_CARDS", "0");
    refused(whole(), "no_device");
  }
  void builtWithoutCuda() {
    CudaPlaces p = whole();
    p.module += ".none";
    refused(p, "no_module");
  }
  void withoutTheLibraries() {
    QTemporaryDir empty;
    CudaPlaces p = whole();
    p.roots = {empty.path()};
    refused(p, "libraries_missing");
  }
  void withABrokenLibrary() {
    QTemporaryDir dir;
    QVERIFY(QDir(dir.path()).mkpath("torch/lib"));
    QVERIFY(QFile::copy(place() + "/libs/torch/version.py", dir.path() + "/torch/version.py"));
    QFile file(dir.path() + "/torch/lib/libtorch_cuda.so");
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("cut short");
    file.close();
    CudaPlaces p = whole();
    p.roots = {dir.path()};
    refused(p, "libraries_missing");
    QVERIFY(loadCuda(p).trouble.detail.contains("libtorch_cuda.so"));
  }
  void withTheLibrariesOfAnotherPyTorch() {
    QTemporaryDir dir;
    QVERIFY(QDir(dir.path()).mkpath("torch/lib"));
    QVERIFY(QFile::copy(place() + "/libs/torch/lib/libtorch_cuda.so", dir.path() + "/torch/lib/libtorch_cuda.so"));
    QFile file(dir.path() + "/torch/version.py");
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("__version__ = '2.12.1+cu130'\n");
    file.close();
    CudaPlaces p = whole();
    p.roots = {dir.path()};
    refused(p, "wrong_version");
    QVERIFY(describe(loadCuda(p).trouble).contains("2.12.1"));
    // The next folder is not tried: who names a folder wants that one.
    p.roots << place() + "/libs";
    refused(p, "wrong_version");
  }
  void withAModuleOfAnotherCloister() {
    const Variable v("FAKE_CUDA_OTHER_VERSION", "1");
    refused(whole(), "wrong_version");
  }
  void withACardThatFails() {
    const Variable v("FAKE_CUDA_BROKEN", "1");
    refused(whole(), "no_device");
    QVERIFY(loadCuda(whole()).trouble.detail.contains("bus"));
  }
  void allInPlace() {
    const Variable v("FAKE_CUDA_CARDS", "2");
    CudaPlaces p = whole();
    p.roots.prepend("/nonexistent");
    const CudaState s = loadCuda(p);
    QVERIFY(s.module);
    const QJsonObject json = s.toJson();
    QCOMPARE(json["usable"], true);
    QCOMPARE(json["driver"], "13.0");
    QCOMPARE(json["libraries"], place() + "/libs");
    QCOMPARE(json["devices"].toArray().size(), 2);
    QCOMPARE(json["devices"].toArray()[1].toObject()["name"], "Fake card");
    QCOMPARE(json["devices"].toArray()[1].toObject()["computeCapability"], "7.5");
    QVERIFY(!json.contains("trouble"));
  }
  void thePlacesComeFromTheEnvironmentFirst() {
    const Variable libs("CLOISTER_CUDA_LIBS", "/somewhere/site-packages"), module("CLOISTER_CUDA_MODULE", "/elsewhere/m.so");
    const CudaPlaces p = cudaPlaces();
    QCOMPARE(p.module, "/elsewhere/m.so");
    QCOMPARE(p.roots.size(), 2);
    QCOMPARE(p.roots[0], "/somewhere/site-packages");
    QVERIFY2(QFileInfo::exists(p.roots[1] + "/torch/lib/libtorch_cpu.so"), qPrintable(p.roots[1]));
  }
};

QTEST_GUILESS_MAIN(TestCudaLoader)
#include "test_cuda_loader.moc"
