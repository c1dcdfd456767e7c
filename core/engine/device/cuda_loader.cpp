#include "core/engine/device/cuda_loader.h"

#include <dlfcn.h>

#include <ATen/Parallel.h>
#include <torch/headeronly/version.h>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>

namespace cloister {
namespace {

constexpr int kNeededCuda = 13000;  // what the pinned LibTorch was built with

const QString& torchVersion() {
  static const QString version = QStringLiteral("%1.%2.%3").arg(TORCH_VERSION_MAJOR).arg(TORCH_VERSION_MINOR).arg(TORCH_VERSION_PATCH);
  return version;
}

/// The file that holds a symbol of a loaded library.
QString fileOf(const void* symbol) {
  Dl_info info{};
  return ::dladdr(symbol, &info) != 0 ? QFileInfo(QFile::decodeName(info.dli_fname)).absoluteFilePath() : QString();
}

/// …/torch/lib/libtorch_cpu.so → …
QString torchRoot() { return QDir::cleanPath(QFileInfo(fileOf(reinterpret_cast<const void*>(&at::get_num_threads))).path() + "/../.."); }

Failure trouble(const char* reason, QJsonObject args = {}, const QString& detail = {}) {
  args["device"] = "cuda";
  args["reason"] = reason;
  return {FailureKind::DeviceUnavailable, args, detail};
}

QString loaderError() { return QString::fromLocal8Bit(::dlerror()).left(400); }

QString versionText(int cuda) { return QStringLiteral("%1.%2").arg(cuda / 1000).arg(cuda % 1000 / 10); }

/// By the driver's own interface, so that no CUDA library is opened where it cannot work. Sets version.
Failure askDriver(const QString& file, int& version) {
  void* driver = ::dlopen(QFile::encodeName(file).constData(), RTLD_NOW | RTLD_LOCAL);
  if (!driver) return trouble("no_driver", {}, loaderError());
  const auto init = reinterpret_cast<int (*)(unsigned)>(::dlsym(driver, "cuInit"));
  const auto versionOf = reinterpret_cast<int (*)(int*)>(::dlsym(driver, "cuDriverGetVersion"));
  const auto count = reinterpret_cast<int (*)(int*)>(::dlsym(driver, "cuDeviceGetCount"));
  if (!init || !versionOf || !count) return trouble("no_driver", {}, loaderError());
  int cards = 0;
  if (versionOf(&version) == 0 && version < kNeededCuda)
    return trouble("driver_too_old", {{"found", versionText(version)}, {"wanted", versionText(kNeededCuda)}});
  if (const int code = init(0); code != 0) return trouble("no_device", {}, QStringLiteral("cuInit: CUDA error %1").arg(code));
  if (const int code = count(&cards); code != 0 || cards < 1)
    return trouble("no_device", {}, QStringLiteral("cuDeviceGetCount: CUDA error %1, %2 cards").arg(code).arg(cards));
  return {};
}

/// A folder of another PyTorch must not be mixed with this LibTorch. Its own folder needs no look.
QString versionIn(const QString& root) {
  QFile file(root + "/torch/version.py");
  if (!file.open(QIODevice::ReadOnly)) return root == torchRoot() ? torchVersion() : QString();
  for (const QByteArray& line : file.read(1 << 16).split('\n'))
    if (line.startsWith("__version__")) return QString::fromLatin1(line.mid(line.indexOf('\'') + 1)).section('\'', 0, 0).section('+', 0, 0);
  return {};
}

Failure openLibraries(const QStringList& roots, QString& root) {
  for (const QString& folder : roots) {
    const QString library = folder + "/torch/lib/libtorch_cuda.so";
    if (!QFileInfo::exists(library)) continue;
    if (const QString found = versionIn(folder); found != torchVersion())
      return trouble("wrong_version", {{"path", folder}, {"found", found}, {"wanted", torchVersion()}});
    // Its own run path finds its neighbours below nvidia/; what this process has loaded already is not loaded twice.
    if (!::dlopen(QFile::encodeName(library).constData(), RTLD_NOW | RTLD_GLOBAL)) return trouble("libraries_missing", {}, loaderError());
    root = folder;
    return {};
  }
  return trouble("libraries_missing", {}, "libtorch_cuda.so: not in " + roots.join(", "));
}

bool holds(const Failure& f) { return f.kind == FailureKind::DeviceUnavailable; }

}  // namespace

CudaPlaces cudaPlaces() {
  CudaPlaces places;
  places.module = qEnvironmentVariable("CLOISTER_CUDA_MODULE");
  if (places.module.isEmpty()) places.module = QFileInfo(fileOf(reinterpret_cast<const void*>(&cudaState))).path() + "/libcloister_cuda.so";
  if (const QString given = qEnvironmentVariable("CLOISTER_CUDA_LIBS"); !given.isEmpty())
    places.roots << QFileInfo(given).absoluteFilePath();
  places.roots << torchRoot();
  return places;
}

CudaState loadCuda(const CudaPlaces& places) {
  CudaState state;
  if (state.trouble = askDriver(places.driver, state.driverVersion); holds(state.trouble)) return state;
  if (!QFileInfo::exists(places.module)) {
    state.trouble = trouble("no_module", {{"path", places.module}});
    return state;
  }
  if (state.trouble = openLibraries(places.roots, state.root); holds(state.trouble)) return state;
  void* file = ::dlopen(QFile::encodeName(places.module).constData(), RTLD_NOW | RTLD_LOCAL);
  const auto entry = file ? reinterpret_cast<CudaModuleEntry>(::dlsym(file, kCudaModuleEntry)) : nullptr;
  if (!entry) {
    state.trouble = trouble("libraries_missing", {}, loaderError());
    return state;
  }
  CudaModule* module = entry(kCudaModuleVersion);
  if (!module) {
    state.trouble = trouble("wrong_version", {{"path", places.module}, {"found", "?"}, {"wanted", QString::number(kCudaModuleVersion)}});
    return state;
  }
  try {
    if (module->devices().empty()) state.trouble = trouble("no_device");
    else state.module = module;
  } catch (const std::exception& e) {
    state.trouble = trouble("no_device", {}, QString::fromUtf8(e.what()).section('\n', 0, 0).left(400));
  }
  return state;
}

const CudaState& cudaState() {
  static const CudaState state = loadCuda(cudaPlaces());
  return state;
}

QJsonObject CudaState::toJson() const {
  QJsonArray cards;
  if (module) {
    int index = 0;
    for (const GpuInfo& gpu : module->devices())
      cards << QJsonObject{{"index", index++},
                           {"name", QString::fromStdString(gpu.name)},
                           {"memoryTotal", qint64(gpu.memoryTotal)},
                           {"computeCapability", QStringLiteral("%1.%2").arg(gpu.major).arg(gpu.minor)}};
  }
  QJsonObject json{{"usable", module != nullptr}, {"devices", cards}, {"libraries", root}};
  if (driverVersion > 0) json["driver"] = versionText(driverVersion);
  if (!module) json["trouble"] = trouble.toJson();
  return json;
}

}  // namespace cloister
