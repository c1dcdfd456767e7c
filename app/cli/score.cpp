// score bleu|chrf|ter|rouge|exact: scores of text files from elsewhere. cloister-ingest reads and scores them; this prints what it says.
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTemporaryDir>

#include "app/cli/verb.h"
#include "core/curation/ingest_process.h"

namespace cloister::cli {
namespace {

QString fixed(double value, int digits) { return QString::number(value, 'f', digits); }

class Score : public Verb {
 public:
  bool needsProject() const override { return false; }
  QStringList path() const override { return {"score", metric()}; }
  QList<QCommandLineOption> options() const override {
    QList<QCommandLineOption> all{
        {"hypotheses", tr("The texts to judge, one a line, UTF-8."), "FILE"},
        {"references", tr("What they should be, line by line; further files may follow as arguments."), "FILE"},
        {"format", tr("lines; escaped, with a line break within a text written as backslash and n; or jsonl."), "FORMAT", defaultFormat()},
        {"field", tr("The name of the text in JSON lines."), "NAME", "text"},
        {"bootstrap", tr("Give a 95 % interval from so many resamples."), "N"},
        {"baseline", tr("The texts of another system: tests whether the difference is more than chance."), "FILE"},
        {"trials", tr("Swaps of the approximate randomisation test."), "N", "10000"},
        {"seed", tr("Seed of the resampling; as in sacreBLEU, the same seed draws the same segments."), "N", "12345"},
        {"sentence-level", tr("Also give the score of each segment.")}};
    return all + own();
  }
  QString arguments() const override { return QStringLiteral("[REFERENCES…]"); }
  int maximumArguments() const override { return -1; }
  int execute(Context& context) override {
    QTemporaryDir folder;
    if (!folder.isValid()) return context.fail({FailureKind::IoError, {{"path", folder.path()}}, folder.errorString()});
    auto request = requestOf(context, folder.path());
    if (!request) return context.fail(request.error());
    auto done = runIngest(QStringLiteral("score"), *request, folder.filePath("request.json"), [&context](qint64 at, qint64 total) {
      if (total > 0) context.progress().show(at, total, {});
      return !Context::stopRequested();
    });
    if (!done) return context.fail(done.error());
    done->remove(QStringLiteral("type"));
    if (!context.isSet("sentence-level")) return report(context, *done), 0;
    auto segments = readSegments((*request)["sentences"].toString());
    if (!segments) return context.fail(segments.error());
    (*done)["sentences"] = *segments;
    report(context, *done);
    return 0;
  }

 protected:
  virtual QString metric() const = 0;
  virtual QList<QCommandLineOption> own() const = 0;
  virtual QString defaultFormat() const { return QStringLiteral("lines"); }
  /// The metric's options as the request has them.
  virtual Result<QJsonObject> metricOptions(Context&) const = 0;

 private:
  Result<QJsonObject> requestOf(Context& context, const QString& folder) const {
    QStringList references = context.values("references") + context.arguments();
    for (const char* needed : {"hypotheses", "references"})
      if (QLatin1String(needed) == u"references" ? references.isEmpty() : !context.isSet(QLatin1String(needed)))
        return Failure{FailureKind::InvalidArgument,
                       {{"name", "--" + QLatin1String(needed)}, {"value", QString()}, {"allowed", tr("a text file")}},
                       {}};
    for (QString& file : references) file = QFileInfo(file).absoluteFilePath();
    auto options = metricOptions(context);
    if (!options) return options.error();
    auto trials = context.integer("trials", 1, 1'000'000), seed = context.integer("seed", 0, std::numeric_limits<qint64>::max());
    if (!trials) return trials.error();
    if (!seed) return seed.error();
    QJsonObject request{{"format", 1},
                        {"metric", metric()},
                        {"options", *options},
                        {"hypotheses", QFileInfo(context.value("hypotheses")).absoluteFilePath()},
                        {"references", QJsonArray::fromStringList(references)},
                        {"textFormat", context.value("format")},
                        {"field", context.value("field")},
                        {"trials", *trials},
                        {"seed", *seed}};
    if (context.isSet("bootstrap")) {
      auto resamples = context.integer("bootstrap", 1, 1'000'000);
      if (!resamples) return resamples.error();
      request["bootstrap"] = *resamples;
    }
    if (context.isSet("baseline")) request["baseline"] = QFileInfo(context.value("baseline")).absoluteFilePath();
    if (context.isSet("sentence-level")) request["sentences"] = folder + "/sentences.jsonl";
    return request;
  }

  static Result<QJsonArray> readSegments(const QString& path) {
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) return Failure{FailureKind::IoError, {{"path", path}}, file.errorString()};
    QJsonArray all;
    while (!file.atEnd()) all.append(QJsonDocument::fromJson('[' + file.readLine(1 << 16) + ']').array().at(0));
    return all;
  }

  void report(Context& context, const QJsonObject& answer) const {
    context.emitJson(answer);
    if (const qint64 lines = answer["tokenizedLines"].toInteger())
      context.note(tr("Lines that end in a full stop by itself: %1. The texts look cut into words already, which changes BLEU; give them "
                      "as people write them.")
                       .arg(lines));
    if (context.json()) return;
    if (const QJsonValue score = answer["score"]; score.isDouble()) {
      reportOne(context, answer["name"].toString(), answer, {});
    } else {
      const QJsonObject scores = score.toObject();
      for (auto it = scores.begin(); it != scores.end(); ++it) reportOne(context, it.key(), answer, it.key());
    }
    context.print(tr("Segments: %1, references for each: %2").arg(answer["segments"].toInteger()).arg(answer["references"].toInteger()));
    context.print(answer["signature"].toString());
    for (const QJsonValue& segment : answer["sentences"].toArray())
      context.print(segment.isDouble() ? fixed(segment.toDouble(), 4)
                                       : QString::fromUtf8(QJsonDocument(segment.toObject()).toJson(QJsonDocument::Compact)));
  }

  /// name: as shown; key: of the objects, empty where the metric has one score.
  static void reportOne(Context& context, const QString& name, const QJsonObject& answer, const QString& key) {
    const auto of = [&](const char* member) { return key.isEmpty() ? answer[QLatin1String(member)] : answer[QLatin1String(member)][key]; };
    const int digits = key.isEmpty() ? 2 : 4;
    QString line = QStringLiteral("%1 = %2").arg(name, fixed(of("score").toDouble(), digits));
    if (const QJsonObject interval = of("interval").toObject(); !interval.isEmpty())
      line +=
          ' ' + tr("(95 % between %1 and %2)").arg(fixed(interval["low"].toDouble(), digits), fixed(interval["high"].toDouble(), digits));
    context.print(line);
    const QJsonObject paired = of("paired").toObject();
    if (paired.isEmpty()) return;
    const double p = paired["randomisation"]["p"].toDouble();
    context.print(tr("Baseline %1, difference %2: p = %3 (paired bootstrap), p = %4 (approximate randomisation)")
                      .arg(fixed(paired["baseline"].toDouble(), digits), fixed(paired["difference"].toDouble(), digits),
                           fixed(paired["bootstrap"]["p"].toDouble(), 4), fixed(p, 4)));
    context.print(p < 0.05 ? tr("The difference is significant at 5 %.") : tr("The difference may be chance (not significant at 5 %)."));
  }
};

class ScoreBleu : public Score {
 public:
  QString summary() const override { return tr("BLEU of text files, equal to sacreBLEU, with its signature."); }
  QStringList examples() const override {
    return {"cloister-cli score bleu --hypotheses out.en --references ref.en --json",
            "cloister-cli score bleu --hypotheses out.zh --references ref.zh --tokenize zh --baseline base.zh"};
  }

 protected:
  QString metric() const override { return QStringLiteral("bleu"); }
  QList<QCommandLineOption> own() const override {
    return {{"tokenize", tr("13a, zh, intl, char or none."), "NAME", "13a"},
            {"lowercase", tr("Compare without regard to case.")},
            {"smoothing", tr("exp, floor, add-k or none."), "NAME", "exp"},
            {"smoothing-value", tr("Of floor (0.1 when left out) and add-k (1)."), "NUMBER"},
            {"effective-order", tr("Leave out orders that the texts are too short for.")},
            {"max-order", tr("The longest n-gram."), "N", "4"}};
  }
  Result<QJsonObject> metricOptions(Context& context) const override {
    auto order = context.integer("max-order", 1, 16);
    if (!order) return order.error();
    QJsonObject options{{"tokenize", context.value("tokenize")},
                        {"lowercase", context.isSet("lowercase")},
                        {"smoothing", context.value("smoothing")},
                        {"effectiveOrder", context.isSet("effective-order")},
                        {"maxOrder", *order}};
    if (!context.isSet("smoothing-value")) return options;
    bool ok = false;
    options["smoothingValue"] = context.value("smoothing-value").toDouble(&ok);
    if (ok) return options;
    return Failure{
        FailureKind::InvalidArgument, {{"name", "--smoothing-value"}, {"value", context.value("smoothing-value")}, {"allowed", "> 0"}}, {}};
  }
};

class ScoreChrf : public Score {
 public:
  QString summary() const override { return tr("chrF and chrF++ of text files, equal to sacreBLEU, with its signature."); }
  QStringList examples() const override {
    return {"cloister-cli score chrf --hypotheses out.en --references ref.en --word-order 2 --bootstrap 1000"};
  }

 protected:
  QString metric() const override { return QStringLiteral("chrf"); }
  QList<QCommandLineOption> own() const override {
    return {{"word-order", tr("Longest n-gram of words; 2 is chrF++."), "N", "0"},
            {"char-order", tr("Longest n-gram of characters."), "N", "6"},
            {"beta", tr("How much more recall counts than precision."), "N", "2"},
            {"lowercase", tr("Compare without regard to case.")},
            {"whitespace", tr("Count white space as characters.")},
            {"eps-smoothing", tr("Smooth as chrF++.py does instead of leaving orders out.")}};
  }
  Result<QJsonObject> metricOptions(Context& context) const override {
    auto words = context.integer("word-order", 0, 4), characters = context.integer("char-order", 1, 16),
         beta = context.integer("beta", 1, 16);
    for (const auto* number : {&words, &characters, &beta})
      if (!*number) return number->error();
    return QJsonObject{{"wordOrder", *words},
                       {"characterOrder", *characters},
                       {"beta", *beta},
                       {"lowercase", context.isSet("lowercase")},
                       {"whitespace", context.isSet("whitespace")},
                       {"epsilonSmoothing", context.isSet("eps-smoothing")}};
  }
};

class ScoreTer : public Score {
 public:
  QString summary() const override { return tr("Translation edit rate of text files (tercom), equal to sacreBLEU, with its signature."); }
  QStringList examples() const override { return {"cloister-cli score ter --hypotheses out.en --references ref.en --json"}; }

 protected:
  QString metric() const override { return QStringLiteral("ter"); }
  QList<QCommandLineOption> own() const override {
    return {{"normalized", tr("Separate punctuation and resolve entities first.")},
            {"no-punct", tr("Remove punctuation first.")},
            {"asian-support",
             tr("Split Chinese and Japanese into characters (with --normalized), remove their punctuation (with --no-punct).")},
            {"case-sensitive", tr("Compare with regard to case.")}};
  }
  Result<QJsonObject> metricOptions(Context& context) const override {
    return QJsonObject{{"normalized", context.isSet("normalized")},
                       {"noPunctuation", context.isSet("no-punct")},
                       {"asianSupport", context.isSet("asian-support")},
                       {"caseSensitive", context.isSet("case-sensitive")}};
  }
};

class ScoreRouge : public Score {
 public:
  QString summary() const override { return tr("ROUGE-1, -2, -L and -Lsum of text files, equal to rouge-score; Chinese as well."); }
  QStringList examples() const override {
    return {"cloister-cli score rouge --hypotheses out.txt --references ref.txt --stemmer --json",
            "cloister-cli score rouge --hypotheses out.jsonl --references ref.jsonl --format jsonl --field summary --tokenize zh"};
  }

 protected:
  QString metric() const override { return QStringLiteral("rouge"); }
  QList<QCommandLineOption> own() const override {
    return {{"tokenize", tr("rouge (Latin letters and digits only), zh (each ideograph a word) or char."), "NAME", "rouge"},
            {"stemmer", tr("Reduce English words to their stems (Porter).")}};
  }
  Result<QJsonObject> metricOptions(Context& context) const override {
    return QJsonObject{{"tokenize", context.value("tokenize")}, {"stemmer", context.isSet("stemmer")}};
  }
};

class ScoreExact : public Score {
 public:
  QString summary() const override { return tr("The share of texts equal to one of their references."); }
  QStringList examples() const override { return {"cloister-cli score exact --hypotheses out.txt --references ref.txt --lowercase"}; }

 protected:
  QString metric() const override { return QStringLiteral("exact"); }
  QList<QCommandLineOption> own() const override { return {{"lowercase", tr("Compare without regard to case.")}}; }
  Result<QJsonObject> metricOptions(Context& context) const override { return QJsonObject{{"lowercase", context.isSet("lowercase")}}; }
};

VerbRegistration<ScoreBleu> bleu;
VerbRegistration<ScoreChrf> chrf;
VerbRegistration<ScoreTer> ter;
VerbRegistration<ScoreRouge> rouge;
VerbRegistration<ScoreExact> exact;

}  // namespace
}  // namespace cloister::cli
