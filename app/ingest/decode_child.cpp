#include "app/ingest/decode_child.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <new>

#include <QFile>
#include <QFileInfo>
#include <QMap>
#include <QPluginLoader>

#include "app/ingest/import_child.h"
#include "app/ingest/sandbox.h"
#include "app/ingest/source_files.h"
#include "app/ingest/text_child.h"
#include "app/ingest/wire.h"
#include "core/domain/files.h"
#include "core/extension/plugin_catalogue.h"
#include "core/extension/table_reader.h"
#include "core/pixels/pixel_path.h"
#include "core/text/scores/score_job.h"

namespace cloister {
namespace {

class Plugins {
 public:
  /// The source with this id, loaded on first use.
  Result<SourcePlugin*> source(const QString& id) {
    if (auto it = loaded_.constFind(id); it != loaded_.constEnd()) return *it;
    auto* plugin = qobject_cast<SourcePlugin*>(instance(id));
    if (!plugin) return Failure{FailureKind::NotFound, {{"path", QStringLiteral("source plugin %1").arg(id)}}, error_};
    loaded_[id] = plugin;
    return plugin;
  }
  Result<TableReader*> table() {
    auto* reader = qobject_cast<TableReader*>(instance(QStringLiteral("table")));
    if (!reader) return Failure{FailureKind::NotFound, {{"path", QStringLiteral("source plugin table")}}, error_};
    return reader;
  }
  /// The first source that recognises the file; DICOM is asked first, it is the most certain of itself.
  Result<QString> recognise(const QString& path) {
    const auto head = headOf(path);
    if (!head) return head.error();
    for (const QString& id : {QStringLiteral("dicom"), QStringLiteral("images")}) {
      auto plugin = source(id);
      if (plugin && (*plugin)->recognises(path, *head)) return id;
    }
    return Failure{FailureKind::UnsupportedFormat, {{"path", path}}, {}};
  }

 private:
  QObject* instance(const QString& id) {
    const auto info = catalogue_.find(QStringLiteral("source"), id);
    if (!info) return nullptr;
    auto* loader = new QPluginLoader(info->file);  // lives as long as the child
    loader->setLoadHints(QLibrary::PreventUnloadHint);
    QObject* object = loader->instance();
    error_ = loader->errorString();
    return object;
  }

  PluginCatalogue catalogue_ = PluginCatalogue::scan();
  QMap<QString, SourcePlugin*> loaded_;
  QString error_;
};

Message failed(Failure failure, const QString& file) {
  // A file that asks for more than a child may have is too large for us; the sentence about memory speaks of training.
  if (failure.kind == FailureKind::OutOfMemory)
    failure = {FailureKind::TooLarge, {{"limit", QStringLiteral("1 GiB of memory")}}, failure.detail};
  if (!failure.args.contains("path")) failure.args["path"] = file;
  return {{{"failure", failure.toJson()}}, {}};
}

Message prepareOne(SourcePlugin& source, const QJsonObject& job) {
  const QString file = job["file"].toString();
  auto frame = source.decode(file, job["frame"].toInt());
  if (!frame) return failed(frame.error(), file);
  const QJsonObject p = job["preprocessing"].toObject();
  const int size = p["size"].toInt(224), channels = p["channels"].toInt(1) == 3 ? 3 : 1;
  const UnitImage unit = toUnit(*frame, chooseWindow(*frame, p["window"].toString()));
  const std::vector<std::uint8_t> bytes = toBytes(fitted(unit, size, p["fit"].toString(), channels));
  // Interleaved → planes.
  QByteArray planes(qsizetype(bytes.size()), Qt::Uninitialized);
  const qsizetype pixels = qsizetype(size) * size;
  for (qsizetype i = 0; i < pixels; ++i)
    for (int k = 0; k < channels; ++k) planes[k * pixels + i] = char(bytes[size_t(i * channels + k)]);
  return {{{"ok", true}}, planes};
}

Result<void> writeRaw(const QString& path, const void* data, size_t size) {
  return writeFileAtomically(path, QByteArrayView(static_cast<const char*>(data), qsizetype(size)));
}

Message renderOne(SourcePlugin& source, const QJsonObject& job) {
  const QString file = job["file"].toString(), out = job["out"].toString(), stage = job["stage"].toString(QStringLiteral("modality"));
  const int number = job["frame"].toInt();
  QJsonObject answer = source.header(file, number);
  if (stage == u"header") return {answer, {}};
  if (stage == u"stored") {
    auto stored = source.stored(file, number);
    if (!stored) return failed(stored.error(), file);
    if (auto w = writeRaw(out, stored->bytes.data(), stored->bytes.size()); !w) return failed(w.error(), out);
    answer["width"] = stored->width;
    answer["height"] = stored->height;
    answer["channels"] = stored->samples;
    answer["dtype"] = QStringLiteral("%1%2").arg(QChar::fromLatin1(stored->type)).arg(stored->bytesPerSample);
    return {answer, {}};
  }
  auto frame = source.decode(file, number);
  if (!frame) return failed(frame.error(), file);
  answer["width"] = frame->width;
  answer["height"] = frame->height;
  answer["channels"] = frame->channels;
  answer["inverted"] = frame->inverted;
  const GreyWindow window = chooseWindow(*frame, QStringLiteral("voi"));
  answer["window"] = QJsonObject{{"center", window.center}, {"width", window.width}, {"lut", window.lut}};
  if (stage == u"windowed") {
    const auto bytes = toBytes(toUnit(*frame, window));
    if (auto w = writeRaw(out, bytes.data(), bytes.size()); !w) return failed(w.error(), out);
    return {answer, {}};
  }
  if (frame->channels == 3) {
    if (auto w = writeRaw(out, frame->rgb.data(), frame->rgb.size()); !w) return failed(w.error(), out);
    return {answer, {}};
  }
  float least = INFINITY, most = -INFINITY;
  for (float v : frame->grey) {
    least = v < least ? v : least;
    most = v > most ? v : most;
  }
  answer["minimum"] = double(least);
  answer["maximum"] = double(most);
  if (auto w = writeRaw(out, frame->grey.data(), frame->grey.size() * sizeof(float)); !w) return failed(w.error(), out);
  return {answer, {}};
}

Message probeOne(SourcePlugin& source, const QString& id, const QJsonObject& job) {
  const QString file = job["file"].toString();
  auto samples = source.describe(file, {{"frames", "first"}});
  if (!samples) return failed(samples.error(), file);
  QJsonObject o = samples->isEmpty() ? QJsonObject{} : samples->first().toJson();
  o["source"] = id;
  return {{{"sample", o}}, {}};
}

Message synthesize(SourcePlugin& source, const QJsonObject& job) {
  auto made = source.synthesize(job["dir"].toString(), job, [](qint64 done, qint64 total) {
    return writeMessage(1, {{{"more", true}, {"done", done}, {"total", total}}, {}});
  });
  if (!made) return failed(made.error(), job["dir"].toString());
  return {{{"made", *made}}, {}};
}

/// Loads what the jobs need and gives up the rest; nothing is answered.
Sandbox confine(Plugins& plugins, const QJsonObject& order) {
  const SandboxPaths paths = SandboxPaths::fromJson(order);
  for (const QString& id : paths.sources) {
    if (id == u"table") (void)plugins.table();
    else (void)plugins.source(id);
  }
  return enterSandbox(paths);
}

Message selfTest(const QJsonObject& job, const Sandbox& sandbox) {
  tryFatal(job["fatal"].toString());
  return {{{"sandbox", sandbox.toJson()}, {"tried", tryForbidden()}}, {}};
}

Message answerOf(Plugins& plugins, const QJsonObject& job) {
  const QString op = job["op"].toString(), file = job["file"].toString();
  if (op == u"table") {
    auto reader = plugins.table();
    if (!reader) return failed(reader.error(), file);
    auto read = (*reader)->read(job, [](qint64 rows) { return writeMessage(1, {{{"more", true}, {"alive", true}, {"rows", rows}}, {}}); });
    return read ? Message{{{"table", *read}}, {}} : failed(read.error(), file);
  }
  if (op == u"score") {
    auto scored = scores::runScoreJob(job, [](qint64 done, qint64 total) {
      writeMessage(1, {{{"more", true}, {"done", done}, {"total", total}}, {}});
    });
    return scored ? Message{{{"score", *scored}}, {}} : failed(scored.error(), file);
  }
  if (op == u"tokenizer") return tokenizerJob(job);
  QString id = job["source"].toString();
  if (id.isEmpty()) {
    auto found = plugins.recognise(file);
    if (!found) return failed(found.error(), file);
    id = *found;
  }
  auto source = plugins.source(id);
  if (!source) return failed(source.error(), file);
  if (op == u"import") return importOne(**source, job);
  if (op == u"prepare") return prepareOne(**source, job);
  if (op == u"render") return renderOne(**source, job);
  if (op == u"probe") return probeOne(**source, id, job);
  if (op == u"synthesize") return synthesize(**source, job);
  return failed(
      {FailureKind::InvalidArgument, {{"name", "op"}, {"value", op}, {"allowed", "import, prepare, render, probe, synthesize"}}, {}}, file);
}

/// A data set nested a hundred thousand levels deep ends a recursive parser by the end of its stack. That is the file's fault, not a crash
/// of unknown kind: a fault close to the stack pointer ends the child with a code of its own. Only async-signal-safe calls here.
void onSegmentationFault(int signal, siginfo_t* info, void* context) {
  const auto* machine = static_cast<const ucontext_t*>(context);
  const auto stack = std::intptr_t(machine->uc_mcontext.gregs[REG_RSP]), fault = std::intptr_t(info->si_addr);
  if (fault > stack - (1 << 20) && fault < stack + (1 << 20)) ::_exit(kStackExhausted);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void watchTheStack() {
  static char room[1 << 16];
  stack_t alternate{};
  alternate.ss_sp = room;
  alternate.ss_size = sizeof room;
  ::sigaltstack(&alternate, nullptr);
  struct sigaction action {};
  action.sa_sigaction = onSegmentationFault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaction(SIGSEGV, &action, nullptr);
}

/// Frames are taken and given back file after file: kept in the heap, they cost no new pages each time. Larger ones go back to the system.
void keepFreedMemory() {
  ::mallopt(M_MMAP_THRESHOLD, 16 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  ::mallopt(M_TOP_PAD, 1 << 20);
}

}  // namespace

int runDecodeChild() {
  watchTheStack();
  keepFreedMemory();
  Plugins plugins;
  Sandbox sandbox;
  MessageReader reader;
  Message job;
  while (readMessage(0, reader, job)) {
    if (job.json["op"].toString() == u"confine") {
      sandbox = confine(plugins, job.json);
      continue;
    }
    if (job.json["op"].toString() == u"selfTest") {
      writeMessage(1, selfTest(job.json, sandbox));
      continue;
    }
    const QString file = job.json["file"].toString();
    Message answer;
    try {
      answer = answerOf(plugins, job.json);
    } catch (const SourceError& e) {
      answer = failed(e.failure, file);
    } catch (const std::bad_alloc&) {
      answer = failed({FailureKind::OutOfMemory, {}, QStringLiteral("std::bad_alloc")}, file);
    } catch (const std::exception& e) {
      answer = failed({FailureKind::CorruptFile, {}, QString::fromLocal8Bit(e.what())}, file);
    }
    if (!writeMessage(1, answer)) return 0;
  }
  return 0;
}

}  // namespace cloister
