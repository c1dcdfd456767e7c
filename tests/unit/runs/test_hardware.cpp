// The inventory from fixture trees in the shape of /proc and /sys.
#include <QtTest>

#include "core/runs/hardware.h"

using namespace cloister;

class TestHardware : public QObject {
  Q_OBJECT

  static void put(const QString& root, const QString& path, const QByteArray& bytes) {
    QVERIFY(QDir().mkpath(QFileInfo(root + path).path()));
    QFile file(root + path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(bytes);
  }

  /// Two sockets with two cores of two threads each.
  static QByteArray cpuinfo(const QByteArray& flags) {
    QByteArray text;
    for (int i = 0; i < 8; ++i)
      text += "processor\t: " + QByteArray::number(i) + "\nmodel name\t: Xeon Test 8\nphysical id\t: " + QByteArray::number(i % 2) +
              "\ncore id\t\t: " + QByteArray::number(i / 2 % 2) + "\nflags\t\t: " + flags + "\n\n";
    return text;
  }

 private Q_SLOTS:
  void readsProcessorAndMemory() {
    QTemporaryDir root;
    put(root.path(), "/proc/cpuinfo", cpuinfo("fpu sse2 avx avx2 fma avx512f avx512_vnni avx512_bf16 amx_tile amx_int8"));
    put(root.path(), "/proc/meminfo", "MemTotal:       8000000 kB\nMemFree:         100 kB\nMemAvailable:    6000000 kB\n");
    const QJsonObject found = hardwareInventory(root.path(), root.path());
    const QJsonObject cpu = found["cpu"].toObject();
    QCOMPARE(cpu["model"].toString(), "Xeon Test 8");
    QCOMPARE(cpu["threads"].toInt(), 8);
    QCOMPARE(cpu["cores"].toInt(), 4);
    QCOMPARE(cpu["instructions"].toArray(),
             QJsonArray({"AVX", "AVX2", "FMA", "AVX-512", "AVX-512 VNNI", "AVX-512 BF16", "AMX", "AMX INT8"}));
    QCOMPARE(found["memory"].toObject()["total"].toInteger(), 8'192'000'000);
    QCOMPARE(found["memory"].toObject()["free"].toInteger(), 6'144'000'000);
    QVERIFY(found["gpus"].toArray().isEmpty());
    QVERIFY(found["disk"].toObject()["free"].toInteger() > 0);
  }

  void aControlGroupLimitCounts() {
    QTemporaryDir root;
    put(root.path(), "/proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable: 6000000 kB\n");
    put(root.path(), "/sys/fs/cgroup/memory.max", "1000000\n");
    put(root.path(), "/sys/fs/cgroup/memory.current", "400000\n");
    QCOMPARE(memoryFree(root.path()), 600'000);
    put(root.path(), "/sys/fs/cgroup/memory.max", "max\n");
    QCOMPARE(memoryFree(root.path()), 6'144'000'000);
  }

  void findsGraphicsCardsAndFabric() {
    QTemporaryDir root;
    put(root.path(), "/proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ: 5\n");
    put(root.path(), "/sys/module/nvidia/version", "580.82.07\n");
    put(root.path(), "/sys/class/infiniband/mlx5_0/ports/1/state", "4: ACTIVE\n");
    put(root.path(), "/sys/class/infiniband/mlx5_0/ports/1/rate", "400 Gb/sec (4X NDR)\n");
    const QJsonObject found = hardwareInventory(root.path(), root.path());
    QCOMPARE(found["gpus"].toArray().size(), 1);
    QCOMPARE(found["gpus"].toArray()[0].toObject()["name"].toString(), "NVIDIA H100 80GB HBM3");
    QCOMPARE(found["gpus"].toArray()[0].toObject()["driver"].toString(), "580.82.07");
    const QJsonObject port = found["infiniband"].toArray()[0].toObject();
    QCOMPARE(port["name"].toString(), "mlx5_0/1");
    QCOMPARE(port["state"].toString(), "ACTIVE");
    QCOMPARE(port["rateGbps"].toDouble(), 400.0);
  }

  void readsTheDriversTool() {
    const QJsonArray gpus = parseNvidiaSmi("NVIDIA H100 80GB HBM3, 81559, 81000, 580.82.07\nNVIDIA L4, 23034, 11, 580.82.07\n\n");
    QCOMPARE(gpus.size(), 2);
    QCOMPARE(gpus[1].toObject()["memoryTotal"].toInteger(), 23034LL * 1048576);
    QCOMPARE(gpus[0].toObject()["driver"].toString(), "580.82.07");
    QVERIFY(parseNvidiaSmi("NVIDIA-SMI has failed\n").isEmpty());
  }

  void adviceNamesWhatIsMissing() {
    const QJsonObject strong{{"cpu", QJsonObject{{"cores", 16}, {"instructions", QJsonArray{"AVX2"}}}},
                             {"memory", QJsonObject{{"free", 64LL << 30}}},
                             {"disk", QJsonObject{{"free", 64LL << 30}}}};
    QVERIFY(hardwareAdvice(strong, {{"memoryNeeded", 128LL << 30}}).contains("memory"));
    QVERIFY(hardwareAdvice(strong, {{"diskNeeded", 128LL << 30}}).contains("disk"));
    QJsonObject old = strong;
    old["cpu"] = QJsonObject{{"cores", 16}, {"instructions", QJsonArray{"AVX"}}};
    QVERIFY(hardwareAdvice(old, {}).contains("AVX2"));
    QVERIFY(!hardwareAdvice(strong, {}).contains("AVX2"));
  }

  void measuresAndCleansUp() {
    QTemporaryDir dir;
    const auto speed = measureDisk(dir.path());
    QVERIFY2(bool(speed), speed ? "" : qPrintable(describe(speed.error())));
    QVERIFY((*speed)["writeBytesPerSecond"].toDouble() > 0);
    QVERIFY((*speed)["readBytesPerSecond"].toDouble() > 0);
    QVERIFY(QDir(dir.path()).entryList(QDir::Files | QDir::Hidden).isEmpty());
  }

  void aFolderThatIsNotThereIsNamed() {
    const auto speed = measureDisk("/nonexistent/folder");
    QVERIFY(!speed);
    QCOMPARE(speed.error().kind, FailureKind::NotFound);
  }
};

QTEST_GUILESS_MAIN(TestHardware)
#include "test_hardware.moc"
