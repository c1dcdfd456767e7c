// cloister-ingest: the only program that reads untrusted bytes. As a supervisor it lists, schedules and records; its children (--decode)
// parse.
#include <cstdio>
#include <cstring>

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QDateTime>
#include <QJsonDocument>

#include "app/ingest/child_pool.h"
#include "app/ingest/decode_child.h"
#include "app/ingest/verbs.h"
#include "core/domain/files.h"
#include "core/domain/version.h"

namespace cloister {

void printLine(const QJsonObject& line) {
  const QByteArray bytes = QJsonDocument(line).toJson(QJsonDocument::Compact) + '\n';
  std::fwrite(bytes.constData(), 1, size_t(bytes.size()), stdout);
  std::fflush(stdout);
}

ProgressLine::ProgressLine() : start_(QDateTime::currentMSecsSinceEpoch()) {}

void ProgressLine::report(qint64 done, qint64 total, bool now) {
  const qint64 at = QDateTime::currentMSecsSinceEpoch();
  if (first_ < 0) first_ = done;  // what an earlier run had done says nothing about the speed of this one
  if (!now && at - last_ < 250) return;
  last_ = at;
  const double seconds = double(at - start_) / 1000.0, rate = seconds > 0.05 ? double(done - first_) / seconds : 0;
  QJsonObject line{{"type", "progress"}, {"done", done}, {"filesPerSecond", rate}};
  if (total >= 0) line["total"] = total;
  if (total >= 0) line["secondsLeft"] = rate > 0 ? double(total - done) / rate : -1;
  printLine(line);
}

}  // namespace cloister

using namespace cloister;

namespace {

int finish(const Result<QJsonObject>& result) {
  if (!result) {
    printLine({{"type", "failed"}, {"failure", result.error().toJson()}});
    return exitCodeFor(result.error().kind);
  }
  QJsonObject line = *result;
  line["type"] = QStringLiteral("finished");
  printLine(line);
  return 0;
}

Result<QJsonObject> runVerb(const QString& verb, const QCommandLineParser& parser, const QStringList& rest) {
  if (verb == u"synthesize")
    return synthesizeVerb({{"dir", parser.value("to")},
                           {"source", parser.value("source")},
                           {"patients", parser.value("patients").toInt()},
                           {"records", parser.value("records").toInt()},
                           {"seed", parser.value("seed").toLongLong()}});
  if (verb == u"probe") return probeVerb(rest);
  if (verb == u"self-test") return selfTestVerb();
  auto request = readJson(parser.value("request"));
  if (!request) return request.error();
  if (verb == u"import") return importVerb(*request);
  if (verb == u"prepare") return prepareVerb(*request);
  if (verb == u"render") return renderVerb(*request);
  if (verb == u"score") return scoreVerb(*request);
  if (verb == u"tokenizer") return tokenizerVerb(*request);
  return tableVerb(*request);
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication app(argc, argv);
  QCoreApplication::setApplicationName("cloister-ingest");
  QCoreApplication::setApplicationVersion(programVersion());
  if (argc == 2 && std::strcmp(argv[1], "--decode") == 0) return runDecodeChild();

  QCommandLineParser parser;
  parser.setApplicationDescription("Reads DICOM, images, tables and texts in guarded child processes.");
  parser.addPositionalArgument("verb", "import | prepare | render | table | score | tokenizer | synthesize | probe | self-test");
  parser.addOption({"request", "Request as JSON (docs/formats.md).", "FILE"});
  parser.addOption({"to", "Folder for synthesize.", "DIR"});
  parser.addOption({"patients", "Patients to make up.", "N", "60"});
  parser.addOption({"source", "What synthesize makes: dicom or text.", "SOURCE", "dicom"});
  parser.addOption({"records", "Synthetic texts to make up.", "N", "6000"});
  parser.addOption({"seed", "Seed of synthesize.", "N", "1"});
  parser.addHelpOption();
  parser.addVersionOption();
  parser.process(app);
  const QStringList arguments = parser.positionalArguments();
  static const QStringList verbs{"import", "prepare", "render", "table", "score", "tokenizer", "synthesize", "probe", "self-test"};
  const QString verb = arguments.value(0);
  const bool enough = verb == u"synthesize"  ? parser.isSet("to")
                      : verb == u"probe"     ? arguments.size() > 1
                      : verb == u"self-test" ? true
                                             : parser.isSet("request");
  if (!verbs.contains(verb) || !enough) {
    std::fputs(qPrintable(parser.helpText()), stderr);
    return 2;
  }
  installStopHandler();
  return finish(runVerb(verb, parser, arguments.mid(1)));
}
