#include "plugins/sources/text/synthetic_reports.h"

#include <algorithm>
#include <random>
#include <vector>

#include <QJsonDocument>
#include <QStringList>

#include "core/domain/files.h"

namespace cloister {
namespace {

constexpr int kTellEvery = 500;  // records

/// What can be said of one organ. Sentences may name a %side; the finding is what the impression says.
struct Organ {
  const char *name, *question, *no;
  std::vector<const char*> normal, abnormal;
  const char *finding, *yes;
};

const std::vector<Organ>& organs() {
  static const std::vector<Organ> all{
      {"heart",
       "Is the heart enlarged?",
       "No, the heart is of normal size.",
       {"The heart is of normal size.", "Heart size is within the normal range.", "The heart is not enlarged."},
       {"The heart is enlarged.", "The heart is larger than normal.", "The outline of the heart is widened."},
       "enlarged heart",
       "Yes, the heart is enlarged."},
      {"pleura",
       "Is there fluid in the chest?",
       "No, there is no fluid.",
       {"There is no pleural effusion.", "No fluid is seen in the pleural space.", "Both costal angles are free."},
       {"There is a small effusion on the %side.", "Fluid is seen in the %side pleural space.",
        "The %side costal angle is blunted by fluid."},
       "effusion on the %side",
       "Yes, there is fluid on the %side."},
      {"lungs",
       "Is there an opacity in the lungs?",
       "No, the lungs are clear.",
       {"The lungs are clear.", "Both lungs are clear and well expanded.", "No opacity is seen in either lung."},
       {"There is an opacity in the %side lower lung.", "The %side lung shows a patchy opacity.", "A dense opacity is seen on the %side."},
       "opacity in the %side lung",
       "Yes, there is an opacity in the %side lung."},
      {"ribs",
       "Is a rib broken?",
       "No, the ribs are intact.",
       {"The ribs are intact.", "No fracture of the ribs is seen.", "The bones of the chest are intact."},
       {"A rib on the %side is broken.", "There is a fracture of a %side rib.", "A broken rib is seen on the %side."},
       "broken rib on the %side",
       "Yes, a rib on the %side is broken."},
      {"catheter",
       "Does the catheter lie as it should?",
       "Yes, the catheter lies in its place.",
       {"The catheter lies in its place.", "The tip of the catheter is where it should be.", "The catheter is well placed."},
       {"The catheter has slipped back.", "The tip of the catheter lies too high.", "The catheter does not reach its place."},
       "catheter out of place",
       "No, the catheter is out of place."}};
  return all;
}

class Reports {
 public:
  explicit Reports(std::uint64_t seed) : random_(seed) {}

  QByteArray next() {
    findings_.clear();
    QStringList sentences;
    std::vector<int> order{0, 1, 2, 3, 4};
    // By hand: what std::shuffle does with a generator is the library's choice, and the files shall be equal everywhere.
    for (int i = int(order.size()) - 1; i > 0; --i) std::swap(order[std::size_t(i)], order[std::size_t(below(i + 1))]);
    order.resize(std::size_t(3 + below(3)));
    for (const int organ : order) sentences << describe(organs()[std::size_t(organ)]);
    const Organ& asked = organs()[std::size_t(order[std::size_t(below(int(order.size())))])];
    const bool summary = below(2) == 0;
    const QJsonObject record{{"instruction", summary ? QStringLiteral("Write the impression.") : QLatin1String(asked.question)},
                             {"input", QStringLiteral("Synthetic report. ") + sentences.join(' ')},
                             {"output", summary ? impression() : answer(asked)}};
    return QJsonDocument(record).toJson(QJsonDocument::Compact) + '\n';
  }

 private:
  struct Finding {
    const Organ* organ;
    QString side;
  };

  int below(int n) { return int(random_() % std::uint64_t(n)); }

  static QString filled(const char* text, const QString& side) { return QString::fromLatin1(text).replace(QLatin1String("%side"), side); }

  QString describe(const Organ& organ) {
    const bool found = below(10) < 4;
    const auto& variants = found ? organ.abnormal : organ.normal;
    const QString side = below(2) == 0 ? QStringLiteral("left") : QStringLiteral("right");
    if (found) findings_.push_back({&organ, side});
    return filled(variants[std::size_t(below(int(variants.size())))], side);
  }

  QString impression() const {
    if (findings_.empty()) return QStringLiteral("Impression: no abnormal finding.");
    QStringList words;
    for (const Finding& f : findings_) words << filled(f.organ->finding, f.side);
    return QStringLiteral("Impression: %1.").arg(words.join(", "));
  }

  QString answer(const Organ& organ) const {
    for (const Finding& f : findings_)
      if (f.organ == &organ) return filled(organ.yes, f.side);
    return QString::fromLatin1(organ.no);
  }

  std::mt19937_64 random_;
  std::vector<Finding> findings_;
};

}  // namespace

Result<QJsonObject> writeReports(const QString& dir, const QJsonObject& options, const ProgressFunction& progress) {
  const int records = std::clamp(options["records"].toInt(6000), 1, 1'000'000);
  Reports reports(std::uint64_t(options["seed"].toInteger(1)));
  QByteArray lines;
  for (int i = 0; i < records; ++i) {
    lines += reports.next();
    if (i % kTellEvery == 0 && progress && !progress(i, records)) return Failure{FailureKind::Stopped, {}, {}};
  }
  const QString file = dir + QStringLiteral("/synthetic-reports.jsonl");
  if (auto written = writeFileAtomically(file, lines); !written) return written.error();
  return QJsonObject{{"records", records}, {"file", file}};
}

}  // namespace cloister
