// A project with a frozen snapshot and a scripted worker in the place of the real programs: what tests of runs start from.
#pragma once
#include <QtTest>

#include "core/curation/dataset.h"
#include "core/domain/files.h"
#include "core/store/project.h"

namespace cloister::test {

/// Fake worker, fake ingest and the described test family, for this process and those it starts.
inline void useFakePrograms(const QString& binDir) {
  const QByteArray tests = binDir.toLocal8Bit() + "/../tests/";
  qputenv("CLOISTER_WORKER", tests + "fake_worker");
  qputenv("CLOISTER_BIN_DIR", tests + "fake_bin");
  qputenv("CLOISTER_PLUGINS", tests + "fake_plugins");
}

/// What the worker started next will do.
inline bool writeScript(const QString& path, const QByteArray& lines) {
  qputenv("FAKE_WORKER_SCRIPT", QFile::encodeName(path));
  return bool(writeFileAtomically(path, lines));
}

/// A worker that trains four steps and leaves weights.
inline QByteArray goodRun() {
  return "event started {\"steps\":4,\"resumedFrom\":0}\nevent metric {\"step\":2,\"values\":{\"train/loss\":0.5}}\n"
         "event checkpoint {\"step\":4}\nfile best/state.json {}\nfile checkpoints/step-00000004/state.json {}\n"
         "event finished {\"step\":4,\"seconds\":1.5,\"best\":{\"step\":4,\"metric\":\"auc\",\"value\":0.9}}\nexit 0\n";
}

/// Thirty samples of fifteen patients, frozen at 16 pixels. Null when something failed (already reported).
inline std::unique_ptr<Project> makeProject(const QString& dir) {
  const auto complain = [](const Failure& f) {
    qWarning("%s %s", qPrintable(describe(f)), qPrintable(f.detail));
    return nullptr;
  };
  auto project = Project::create(dir, "test", "image-classification");
  if (!project) return complain(project.error());
  auto import = (*project)->beginImport("images", {});
  if (!import) return complain(import.error());
  QList<Sample> samples;
  for (int i = 0; i < 30; ++i) {
    Sample s;
    s.key = QStringLiteral("%1.png").arg(i);
    s.source = "images";
    s.sha256 = sha256Hex(QByteArray::number(i));
    s.width = s.height = 8;
    s.patient = QStringLiteral("p%1").arg(i / 2);
    s.label = i % 2 ? "sick" : "well";
    s.site = QStringLiteral("s%1").arg(i % 3);
    s.perceptualHash = quint64(i) * 0x9E3779B97F4A7C15ull;
    samples << s;
  }
  if (auto added = (*project)->addSamples(*import, samples); !added) return complain(added.error());
  Preprocessing small;
  small.size = 16;
  SplitRequest split;
  split.overrideReason = "made up for this test";
  if (auto frozen = freezeSnapshot(**project, split, small); !frozen) return complain(frozen.error());
  return std::move(*project);
}

}  // namespace cloister::test
