// A project in a temporary folder with made-up samples whose bytes really lie in objects/. For the tests of core/curation.
#pragma once
#include <QDir>
#include <QFile>
#include <QTemporaryDir>

#include "core/domain/files.h"
#include "core/store/project.h"

namespace cloister::test {

template <typename T>
T get(Result<T> result) {
  if (!result) qFatal("%s: %s", qPrintable(describe(result.error())), qPrintable(result.error().detail));
  return std::move(*result);
}
inline void ok(const Result<void>& result) {
  if (!result) qFatal("%s: %s", qPrintable(describe(result.error())), qPrintable(result.error().detail));
}

inline Sample madeUp(int number, const QString& patient, const QString& label, const QString& site = {}) {
  Sample s;
  s.key = QStringLiteral("%1/%2.png").arg(label.isEmpty() ? "none" : label).arg(number);
  s.source = QStringLiteral("images");
  s.file = "/from/" + s.key;
  s.sha256 = sha256Hex("bytes " + QByteArray::number(number));
  s.bytes = 6 + QByteArray::number(number).size();
  s.patient = patient;
  s.label = label;
  s.labelOrigin = label.isEmpty() ? QString() : QStringLiteral("folder");
  s.site = site;
  s.perceptualHash = quint64(number + 1) * 0x9e3779b97f4a7c15ULL;
  return s;
}

struct DatasetFixture {
  QTemporaryDir folder;
  std::unique_ptr<Project> project;
  qint64 importId = 0;

  explicit DatasetFixture(const QString& name = QStringLiteral("p")) {
    project = get(Project::create(folder.filePath(name), "Test", "image-classification"));
    importId = get(project->beginImport("images", {{"source", "images"}}));
  }
  void add(const QList<Sample>& samples) {
    for (const Sample& s : samples) {
      const QString place = project->objectPath(s.sha256);
      QDir().mkpath(QFileInfo(place).path());
      const QByteArray name = s.key.section('/', -1).section('.', 0, 0).toLatin1();
      QFile file(place);  // not writeFileAtomically: eighty syncs a test would be most of its time
      if (!file.open(QIODevice::WriteOnly)) qFatal("%s", qPrintable(place));
      file.write("bytes " + name);
    }
    get(project->addSamples(importId, samples));
  }
  /// 40 patients with two images each, two labels, two sites.
  void addUsual() {
    QList<Sample> all;
    for (int i = 0; i < 80; ++i)
      all.append(madeUp(i, QStringLiteral("p%1").arg(i / 2), i / 2 % 2 ? "sick" : "well", i / 2 % 3 ? "north" : "south"));
    add(all);
  }
};

}  // namespace cloister::test
