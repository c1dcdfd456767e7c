#include "core/runs/hardware.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <algorithm>
#include <cstring>
#include <memory>

#include <QCoreApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonDocument>
#include <QLocale>
#include <QProcess>
#include <QSet>
#include <QStandardPaths>
#include <QUuid>

#include "core/domain/files.h"
#include "core/runs/worker_launch.h"

namespace cloister {
namespace {

QByteArray contents(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QString line(const QString& path) { return QString::fromUtf8(contents(path).trimmed()); }

/// Linux flag words → the names people know, in the order of what they bring.
QJsonArray instructionsOf(const QSet<QString>& flags) {
  static const QList<QPair<QString, QString>> kKnown{{"avx", "AVX"},
                                                     {"avx2", "AVX2"},
                                                     {"fma", "FMA"},
                                                     {"f16c", "F16C"},
                                                     {"avx512f", "AVX-512"},
                                                     {"avx_vnni", "AVX-VNNI"},
                                                     {"avx512_vnni", "AVX-512 VNNI"},
                                                     {"avx512_bf16", "AVX-512 BF16"},
                                                     {"avx512_fp16", "AVX-512 FP16"},
                                                     {"amx_tile", "AMX"},
                                                     {"amx_bf16", "AMX BF16"},
                                                     {"amx_int8", "AMX INT8"},
                                                     {"asimd", "NEON"},
                                                     {"sve", "SVE"},
                                                     {"bf16", "BF16"},
                                                     {"i8mm", "I8MM"}};
  QJsonArray names;
  for (const auto& [flag, name] : kKnown)
    if (flags.contains(flag)) names << name;
  return names;
}

QJsonObject cpuOf(const QString& root) {
  QString model;
  QSet<QString> flags, cores;
  int threads = 0;
  QString physical = "0";
  for (const QByteArray& raw : contents(root + "/proc/cpuinfo").split('\n')) {
    const qsizetype colon = raw.indexOf(':');
    if (colon < 0) continue;
    const QString key = QString::fromLatin1(raw.left(colon).trimmed()), value = QString::fromLatin1(raw.mid(colon + 1).trimmed());
    if (key == u"processor") ++threads;
    else if (key == u"model name" && model.isEmpty()) model = value;
    else if (key == u"physical id") physical = value;
    else if (key == u"core id") cores << physical + '/' + value;
    else if ((key == u"flags" || key == u"Features") && flags.isEmpty())
      for (const QString& f : value.split(' ', Qt::SkipEmptyParts)) flags << f;
  }
  return {{"model", model},
          {"threads", threads},
          {"cores", cores.isEmpty() ? threads : int(cores.size())},
          {"instructions", instructionsOf(flags)}};
}

qint64 meminfo(const QString& root, const char* key) {
  for (const QByteArray& raw : contents(root + "/proc/meminfo").split('\n'))
    if (raw.startsWith(key)) return raw.mid(qsizetype(std::strlen(key))).trimmed().split(' ').first().toLongLong() * 1024;
  return 0;
}

/// What the control group leaves us; -1 without a limit. Version 2 only (Debian 12).
qint64 groupMemoryFree(const QString& root) {
  const QByteArray limit = contents(root + "/sys/fs/cgroup/memory.max").trimmed();
  const QByteArray used = contents(root + "/sys/fs/cgroup/memory.current").trimmed();
  bool ok = false;
  const qint64 most = limit.toLongLong(&ok);
  return ok ? std::max<qint64>(0, most - used.toLongLong()) : -1;
}

QJsonObject diskOf(const QString& projectDir) {
  QString p = QDir::cleanPath(projectDir.isEmpty() ? QDir::currentPath() : projectDir);
  while (!QFileInfo::exists(p) && p != QDir::rootPath()) p = QFileInfo(p).absolutePath();
  struct statvfs s {};
  if (::statvfs(QFile::encodeName(p).constData(), &s) != 0) return {{"path", p}};
  return {{"path", p}, {"free", qint64(s.f_bavail) * qint64(s.f_frsize)}, {"total", qint64(s.f_blocks) * qint64(s.f_frsize)}};
}

/// The driver's own files name the cards; memory needs its tool.
QJsonArray gpusFromDriver(const QString& root) {
  QString driver = line(root + "/sys/module/nvidia/version");
  if (driver.isEmpty()) {
    const QString first = line(root + "/proc/driver/nvidia/version").section('\n', 0, 0);
    driver = first.section("Kernel Module", 1).trimmed().section(' ', 0, 0);
  }
  QJsonArray gpus;
  const QDir folder(root + "/proc/driver/nvidia/gpus");
  for (const QString& name : folder.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
    QString model;
    for (const QByteArray& raw : contents(folder.filePath(name + "/information")).split('\n'))
      if (raw.startsWith("Model:")) model = QString::fromUtf8(raw.mid(6).trimmed());
    gpus << QJsonObject{{"name", model}, {"memoryTotal", 0}, {"memoryFree", 0}, {"driver", driver}};
  }
  return gpus;
}

QJsonArray gpusFromTool() {
  const QString tool = QStandardPaths::findExecutable("nvidia-smi");
  if (tool.isEmpty()) return {};
  QProcess process;
  process.start(tool, {"--query-gpu=name,memory.total,memory.free,driver_version", "--format=csv,noheader,nounits"}, QIODevice::ReadOnly);
  if (!process.waitForFinished(5000) || process.exitCode() != 0) {
    process.kill();
    process.waitForFinished(1000);
    return {};
  }
  return parseNvidiaSmi(process.readAllStandardOutput());
}

QJsonArray infinibandOf(const QString& root) {
  QJsonArray ports;
  const QDir devices(root + "/sys/class/infiniband");
  for (const QString& device : devices.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
    const QDir portDir(devices.filePath(device + "/ports"));
    for (const QString& port : portDir.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
      const QString base = portDir.filePath(port);
      ports << QJsonObject{{"name", device + '/' + port},
                           {"state", line(base + "/state").section(':', 1).trimmed()},         // "4: ACTIVE"
                           {"rateGbps", line(base + "/rate").section(' ', 0, 0).toDouble()}};  // "100 Gb/sec (4X EDR)"
    }
  }
  return ports;
}

struct ScratchFile {
  explicit ScratchFile(const QString& dir)
      : path(dir + "/.disk-speed-" + QUuid::createUuid().toString(QUuid::Id128).left(8)),
        fd(::open(QFile::encodeName(path).constData(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {}
  ~ScratchFile() {
    if (fd >= 0) ::close(fd);
    ::unlink(QFile::encodeName(path).constData());
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  QString path;
  int fd;
};

constexpr qint64 kSpeedBytes = 256 << 20;
constexpr qint64 kSpeedBlock = 4 << 20;

/// Bytes a second through write or read of the whole file in blocks.
template <typename Call>
Result<double> timed(const QString& path, Call call) {
  QElapsedTimer timer;
  timer.start();
  for (qint64 done = 0; done < kSpeedBytes; done += kSpeedBlock)
    if (call(done) != kSpeedBlock) return failureFromErrno(errno ? errno : EIO, path);
  return double(kSpeedBytes) / std::max(1e-9, double(timer.nsecsElapsed()) / 1e9);
}

}  // namespace

QJsonArray parseNvidiaSmi(const QByteArray& csv) {
  QJsonArray gpus;
  for (const QByteArray& raw : csv.split('\n')) {
    const QStringList f = QString::fromUtf8(raw).split(',');
    if (f.size() < 4) continue;
    const auto mebibytes = [](const QString& s) { return qint64(s.trimmed().toDouble() * 1048576); };
    gpus << QJsonObject{
        {"name", f[0].trimmed()}, {"memoryTotal", mebibytes(f[1])}, {"memoryFree", mebibytes(f[2])}, {"driver", f[3].trimmed()}};
  }
  return gpus;
}

qint64 memoryFree(const QString& root) {
  const qint64 machine = meminfo(root, "MemAvailable:"), group = groupMemoryFree(root);
  return group >= 0 ? std::min(machine, group) : machine;
}

QJsonObject hardwareInventory(const QString& projectDir, const QString& root) {
  QJsonArray gpus = root == u"/" ? gpusFromTool() : QJsonArray();
  if (gpus.isEmpty()) gpus = gpusFromDriver(root);
  return {{"cpu", cpuOf(root)},
          {"memory", QJsonObject{{"total", meminfo(root, "MemTotal:")}, {"free", memoryFree(root)}}},
          {"disk", diskOf(projectDir)},
          {"gpus", gpus},
          {"infiniband", infinibandOf(root)}};
}

QJsonObject cudaUse(const QJsonArray& gpus) {
  const auto unusable = [](const char* reason, const QString& detail) {
    return QJsonObject{{"usable", false},
                       {"devices", QJsonArray()},
                       {"trouble", Failure{FailureKind::DeviceUnavailable, {{"device", "cuda"}, {"reason", reason}}, detail}.toJson()}};
  };
  if (gpus.isEmpty()) return unusable("no_driver", {});
  QProcess worker;
  worker.start(workerProgram(), {"hardware"}, QIODevice::ReadOnly);
  if (!worker.waitForFinished(60'000)) {
    worker.kill();
    worker.waitForFinished(1000);
    return unusable("", worker.errorString());
  }
  const QJsonObject cuda = QJsonDocument::fromJson(worker.readAllStandardOutput().trimmed()).object()["cuda"].toObject();
  return cuda.isEmpty() ? unusable("", QString::fromLocal8Bit(worker.readAllStandardError().right(400))) : cuda;
}

Result<QJsonObject> measureDisk(const QString& dir) {
  if (const qint64 free = bytesFree(dir); free >= 0 && free < kSpeedBytes * 2)
    return Failure{FailureKind::DiskFull, {{"path", dir}, {"needed", kSpeedBytes * 2}, {"free", free}}, {}};
  ScratchFile file(dir);
  if (file.fd < 0) return failureFromErrno(errno, dir);
  void* block = nullptr;
  if (::posix_memalign(&block, 4096, kSpeedBlock) != 0)
    return Failure{FailureKind::OutOfMemory, {{"needed", kSpeedBlock}, {"free", memoryFree()}}, {}};
  const std::unique_ptr<void, decltype(&::free)> owner(block, &::free);
  std::memset(block, 0x5a, kSpeedBlock);
  // Past the page cache where the file system allows it (tmpfs does not); else synced and dropped from it.
  const bool direct = ::fcntl(file.fd, F_SETFL, O_DIRECT) == 0;
  auto written = timed(dir, [&](qint64 at) {
    const ssize_t n = ::pwrite(file.fd, block, kSpeedBlock, at);
    if (at + kSpeedBlock >= kSpeedBytes && ::fdatasync(file.fd) != 0) return ssize_t(-1);
    return n;
  });
  if (!written) return written.error();
  ::posix_fadvise(file.fd, 0, 0, POSIX_FADV_DONTNEED);
  auto read = timed(dir, [&](qint64 at) { return ::pread(file.fd, block, kSpeedBlock, at); });
  if (!read) return read.error();
  return QJsonObject{{"writeBytesPerSecond", *written}, {"readBytesPerSecond", *read}, {"direct", direct}, {"bytes", kSpeedBytes}};
}

QString hardwareAdvice(const QJsonObject& inventory, const QJsonObject& needs) {
  const qint64 memory = inventory["memory"].toObject()["free"].toInteger();
  const qint64 disk = inventory["disk"].toObject()["free"].toInteger();
  const QLocale locale;
  if (const qint64 needed = needs["memoryNeeded"].toInteger(); needed > memory)
    return QCoreApplication::translate("Hardware",
                                       "This recipe needs %1 of memory and %2 are free: choose a smaller micro-batch, image size or model.")
        .arg(locale.formattedDataSize(needed), locale.formattedDataSize(memory));
  if (const qint64 needed = needs["diskNeeded"].toInteger(); needed > disk)
    return QCoreApplication::translate("Hardware", "This recipe needs %1 on disk and %2 are free: free some space or move the project.")
        .arg(locale.formattedDataSize(needed), locale.formattedDataSize(disk));
  const QJsonArray gpus = inventory["gpus"].toArray();
  if (!gpus.isEmpty())
    return QCoreApplication::translate("Hardware",
                                       "%1 can train every image model here; large language models need its memory checked first.")
        .arg(gpus[0].toObject()["name"].toString());
  const QJsonObject cpu = inventory["cpu"].toObject();
  const QJsonArray instructions = cpu["instructions"].toArray();
  if (!instructions.contains("AVX2") && !instructions.contains("NEON"))
    return QCoreApplication::translate("Hardware", "This processor lacks AVX2: train the small network only, and expect hours.");
  if (memory < (qint64(4) << 30))
    return QCoreApplication::translate("Hardware", "Less than 4 GB of memory are free: train the small network with a small micro-batch.");
  if (cpu["cores"].toInt() < 4)
    return QCoreApplication::translate(
        "Hardware", "Good for the small network and for fine-tuning ResNet-18 on a few thousand images; larger models take a night.");
  return QCoreApplication::translate(
      "Hardware", "Good for fine-tuning ResNets and ViT-S on tens of thousands of images; language models want a graphics card.");
}

}  // namespace cloister
