// How fast a project with many samples opens: makes one (kept when --dir names a folder that has it already) and times what the Project and
// Data pages do first. Prints one JSON object; medians of seven, each in a fresh Project. Run by ./dev bench and by people.
//   bench_store [--samples 1000000] [--dir DIR]
#include <algorithm>
#include <cstdio>

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTemporaryDir>

#include "core/domain/files.h"
#include "core/store/project.h"

using namespace cloister;

namespace {

template <typename T>
T get(Result<T> result) {
  if (!result) qFatal("%s: %s", qPrintable(describe(result.error())), qPrintable(result.error().detail));
  return std::move(*result);
}

Sample sample(int i) {
  Sample s;
  s.key = QStringLiteral("study-%1/series-%2/IM%3.dcm").arg(i / 300).arg(i / 60).arg(i, 7, 10, QLatin1Char('0'));
  s.source = QStringLiteral("dicom");
  s.file = "/archive/" + s.key;
  s.sha256 = sha256Hex(QByteArray::number(i));
  s.bytes = 500'000;
  s.width = s.height = 512;
  s.bits = 12;
  s.modality = QStringLiteral("CT");
  s.site = QStringLiteral("site-%1").arg(i % 12);
  s.patient = QStringLiteral("patient-%1").arg(i / 250);
  s.study = QStringLiteral("1.2.826.0.1.%1").arg(i / 300);
  s.series = QStringLiteral("1.2.826.0.1.%1.%2").arg(i / 300).arg(i / 60);
  s.instance = s.series + QStringLiteral(".%1").arg(i);
  s.label = i % 10 ? QStringLiteral("class-%1").arg(i % 7) : QString();
  s.perceptualHash = quint64(i) * 0x9e3779b97f4a7c15ULL;
  s.header = {{"PatientSex", i % 2 ? "F" : "M"}, {"KVP", 120}, {"Manufacturer", "Made up"}, {"SliceThickness", 1.25}};
  return s;
}

double fill(const QString& dir, int samples) {
  QElapsedTimer timer;
  timer.start();
  auto project = get(Project::create(dir, "Bench", "image-classification"));
  const qint64 import = get(project->beginImport("dicom", {}));
  constexpr int kBatch = 5000;
  for (int from = 0; from < samples; from += kBatch) {
    QList<Sample> batch;
    for (int i = from; i < std::min(samples, from + kBatch); ++i) batch.append(sample(i));
    get(project->addSamples(import, batch));
    if (from % 100'000 == 0) std::fprintf(stderr, "%d samples\n", from);
  }
  return double(timer.elapsed()) / 1000;
}

/// Median milliseconds of seven runs on a fresh project; open itself is timed by an empty work.
template <typename Work>
double milliseconds(const QString& dir, bool withOpening, Work work) {
  QList<double> times;
  for (int round = 0; round < 7; ++round) {
    QElapsedTimer timer;
    timer.start();
    auto project = get(Project::open(dir));
    if (!withOpening) timer.restart();
    work(*project);
    times.append(double(timer.nsecsElapsed()) / 1e6);
  }
  std::sort(times.begin(), times.end());
  return times[3];
}

QJsonObject measure(const QString& dir) {
  SampleFilter label, patient, text;
  label.label = "class-3";
  patient.patient = "patient-17";
  text.text = "study-33";
  QList<qint64> last;
  QJsonObject o;
  o["open_ms"] = milliseconds(dir, true, [](Project&) {});
  o["open_counts_first_page_ms"] = milliseconds(dir, true, [](Project& p) {
    get(p.counts());
    get(p.samples({}, 0, 100));
  });
  o["counts_ms"] = milliseconds(dir, false, [](Project& p) { get(p.counts()); });
  o["page_in_the_middle_ms"] = milliseconds(dir, false, [](Project& p) { get(p.samples({}, 500'000, 100)); });
  o["page_by_label_ms"] = milliseconds(dir, false, [&](Project& p) { get(p.samples(label, 400'000, 100)); });
  o["page_by_patient_ms"] = milliseconds(dir, false, [&](Project& p) { get(p.samples(patient, 0, 100)); });
  o["count_by_text_ms"] = milliseconds(dir, false, [&](Project& p) { get(p.countSamples(text)); });
  o["all_ids_ms"] = milliseconds(dir, false, [](Project& p) { get(p.sampleIds({})); });
  o["label_one_ms"] = milliseconds(dir, false, [&](Project& p) {
    if (!p.changeSamples({{12345, QStringLiteral("class-%1").arg(rand() % 7), {}, {}, {}, "person"}}, "bench")) qFatal("label");
  });
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication app(argc, argv);
  QCommandLineParser parser;
  parser.addOption({"samples", "How many.", "N", "1000000"});
  parser.addOption({"dir", "Where; kept.", "DIR"});
  parser.process(app);
  QTemporaryDir temporary;
  const QString dir = parser.isSet("dir") ? parser.value("dir") : temporary.filePath("p");
  const int samples = parser.value("samples").toInt();
  QJsonObject result{{"bench", "store"}, {"samples", samples}};
  if (!QFileInfo::exists(dir + "/project.json")) result["fill_s"] = fill(dir, samples);
  result["database_bytes"] = QFileInfo(dir + "/project.sqlite").size();
  const QJsonObject times = measure(dir);
  for (auto it = times.begin(); it != times.end(); ++it) result[it.key()] = it.value();
  std::puts(QJsonDocument(result).toJson(QJsonDocument::Indented).constData());
  return 0;
}
