// checkDataset: each finding comes when it should and stays away when it should not.
#include <QJsonArray>
#include <QTest>

#include "core/curation/dataset.h"
#include "tests/unit/curation/dataset_fixture.h"

using namespace cloister;
using namespace cloister::test;

namespace {

/// kind → severity
QMap<QString, QString> kinds(const DatasetFixture& f, const QList<Split>& splits = {}) {
  QMap<QString, QString> found;
  for (const Finding& finding : get(checkDataset(*f.project, get(f.project->samples({}, 0, 100'000)), splits)))
    found[finding.kind] = finding.severity;
  return found;
}

Finding find(const DatasetFixture& f, const QList<Split>& splits, const QString& kind) {
  for (const Finding& finding : get(checkDataset(*f.project, get(f.project->samples({}, 0, 100'000)), splits)))
    if (finding.kind == kind) return finding;
  qFatal("no finding %s", qPrintable(kind));
}

/// A thumbnail of 48×40 made by a function of the place, into the import's pack.
template <typename Grey>
void picture(const DatasetFixture& f, Sample& s, Grey grey) {
  QDir().mkpath(f.project->importDir(f.importId));
  QFile pack(f.project->importDir(f.importId) + "/thumbs.pack");
  if (!pack.open(QIODevice::Append)) qFatal("thumbs.pack");
  s.thumbOffset = pack.size();
  s.thumbWidth = 48, s.thumbHeight = 40, s.thumbChannels = 1;
  QByteArray pixels;
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 48; ++x) pixels.append(char(std::clamp(int(grey(x, y)), 0, 255)));
  pack.write(pixels);
}

}  // namespace

class TestChecks : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void goodDatasetHasNoFinding() {
    DatasetFixture f;
    QList<Sample> all;
    for (int i = 0; i < 60; ++i) all.append(madeUp(i, QStringLiteral("p%1").arg(i), i % 2 ? "a" : "b", i / 2 % 2 ? "north" : "south"));
    f.add(all);
    const auto splits = get(splitSamples(get(f.project->samples({}, 0, 100)), {}));
    QCOMPARE(kinds(f, splits), (QMap<QString, QString>{}));
  }

  void filesThatWereLostAreNamed() {
    DatasetFixture f;
    f.addUsual();
    ok(f.project->addRefusals(f.importId, {{"readme.md", "unsupported_format", ""}}));
    QCOMPARE(kinds(f)["unreadable"], "info");
    ok(f.project->addRefusals(f.importId, {{"x.dcm", "truncated_file", ""}}));
    const Finding finding = find(f, {}, "unreadable");
    QCOMPARE(finding.severity, "warning");
    QCOMPARE(finding.args["byKind"].toObject(), (QJsonObject{{"unsupported_format", 1}, {"truncated_file", 1}}));
  }

  void sameBytesWithTwoLabelsBlock() {
    DatasetFixture f;
    f.addUsual();
    const Sample first = get(f.project->samplesById({1})).first();
    ok(f.project->addDuplicates(f.importId, {{"/from/" + first.label + "/copy.png", first.file}}));
    QVERIFY(!kinds(f).contains("conflicting_labels"));
    QCOMPARE(kinds(f)["duplicate"], "info");
    ok(f.project->addDuplicates(f.importId, {{"/from/otherclass/copy.png", first.file}}));
    const Finding finding = find(f, {}, "conflicting_labels");
    QCOMPARE(finding.severity, "blocking");
    QCOMPARE(finding.keys, QStringList{first.key});
  }

  void rowsThatDisagreeBlock() {
    DatasetFixture f;
    f.addUsual();
    const Sample first = get(f.project->samplesById({1})).first();
    ok(f.project->setSetting("labels.conflicts", QJsonArray{QJsonObject{{"key", first.key}, {"labels", QJsonArray{"a", "b"}}}}));
    QCOMPARE(find(f, {}, "conflicting_labels").keys, QStringList{first.key});
  }

  void unlabelledAndWithoutPatient() {
    DatasetFixture f;
    f.addUsual();
    f.add({madeUp(200, "p200", ""), madeUp(201, "", "well")});
    QCOMPARE(kinds(f)["unlabelled"], "warning");
    QCOMPARE(find(f, {}, "missing_group").args["count"].toInt(), 1);
  }

  void imbalanceByDegree() {
    for (const auto& [rare, severity] : QList<QPair<int, QString>>{{40, ""}, {12, "info"}, {4, "warning"}}) {
      DatasetFixture f;
      QList<Sample> all;
      for (int i = 0; i < 60 + rare; ++i) all.append(madeUp(i, QStringLiteral("p%1").arg(i), i < 60 ? "common" : "rare"));
      f.add(all);
      QCOMPARE(kinds(f).value("label_imbalance"), severity);
    }
  }

  void siteThatGivesTheLabelAway() {
    DatasetFixture f;
    QList<Sample> all;
    for (int i = 0; i < 60; ++i) all.append(madeUp(i, QStringLiteral("p%1").arg(i), i % 2 ? "a" : "b", i % 2 ? "north" : "south"));
    f.add(all);
    QCOMPARE(kinds(f)["single_site_per_label"], "warning");
    QCOMPARE(find(f, {}, "single_site_per_label").args["cramersV"].toDouble(), 1.0);
    DatasetFixture g;  // not wholly, but by far
    all.clear();
    for (int i = 0; i < 60; ++i)
      all.append(madeUp(i, QStringLiteral("p%1").arg(i), i % 2 ? "a" : "b", (i % 2) ^ (i % 10 < 2) ? "north" : "south"));
    g.add(all);
    const Finding finding = find(g, {}, "site_label_confounding");
    // 24 and 6 against 6 and 24: φ = (24·24 − 6·6) / 30², by hand
    QVERIFY(std::abs(finding.args["cramersV"].toDouble() - 0.6) < 1e-12);
  }

  void patientOnBothSidesBlocks() {
    DatasetFixture f;
    f.addUsual();
    QList<Split> splits(80, Split::Train);
    for (int i = 40; i < 60; ++i) splits[i] = Split::Validation;
    for (int i = 60; i < 80; ++i) splits[i] = Split::Test;
    QVERIFY(!kinds(f, splits).contains("group_on_both_sides"));
    splits[0] = Split::Test;  // p0 has samples 0 and 1
    const Finding finding = find(f, splits, "group_on_both_sides");
    QCOMPARE(finding.severity, "blocking");
    QCOMPARE(finding.args["count"].toInt(), 1);
    QCOMPARE(finding.keys.size(), 2);
  }

  void classThatIsMissingOnASide() {
    DatasetFixture f;
    QList<Sample> all;
    for (int i = 0; i < 30; ++i) all.append(madeUp(i, QStringLiteral("p%1").arg(i), i < 15 ? "a" : "b"));
    f.add(all);
    QList<Split> splits(30, Split::Train);
    splits[0] = splits[20] = Split::Validation;
    splits[1] = Split::Test;
    QCOMPARE(kinds(f, splits)["class_absent_from_split"], "warning");
    for (int i = 15; i < 30; ++i) splits[i] = Split::Test;
    QCOMPARE(kinds(f, splits)["class_absent_from_split"], "blocking");
  }

  void picturesDecideWhatIsNear() {
    DatasetFixture f;
    QList<Sample> all;
    for (int i = 0; i < 6; ++i) {
      all.append(madeUp(i, QStringLiteral("p%1").arg(i), i % 2 ? "a" : "b"));
      all[i].perceptualHash = 0xabcdef0123456789ULL ^ (i % 2);  // all alike by hash
    }
    const auto wave = [](int x, int y) { return 120 + 80 * std::sin(x * 0.4) * std::cos(y * 0.3); };
    picture(f, all[0], wave);
    picture(f, all[1], [&](int x, int y) { return wave(x, y) * 0.8 + 30 + (x * 7 + y * 13) % 5; });  // darker, with noise: a copy
    picture(f, all[2], [](int x, int y) { return 120 + 80 * std::sin(x * 0.1) * std::cos(y * 0.7); });
    picture(f, all[3], [](int x, int y) { return x * 3 + y; });
    // 4 and 5 have no thumbnail: only hash distance 1 can speak.
    f.add(all);
    const QList<Split> splits{Split::Train, Split::Test, Split::Train, Split::Test, Split::Train, Split::Train};
    const Finding finding = find(f, splits, "near_duplicate_across_splits");
    QJsonArray first{all[0].key, all[1].key};
    QVERIFY(finding.args["examples"].toArray().contains(first));
    QVERIFY(!finding.args["examples"].toArray().contains(QJsonArray{all[2].key, all[3].key}));
    QVERIFY(!finding.args["examples"].toArray().contains(QJsonArray{all[0].key, all[3].key}));
    // With 4 and 5 on the training side, 1 and 3 may be their copies for all that is known.
    QCOMPARE(finding.args["pairs"].toInt(), 1 + 4);
  }

  void blockingComesFirst() {
    DatasetFixture f;
    f.addUsual();
    ok(f.project->addRefusals(f.importId, {{"x", "timeout", ""}}));
    const auto findings = get(checkDataset(*f.project, get(f.project->samples({}, 0, 100)), QList<Split>(80, Split::Train)));
    QVERIFY(findings.size() >= 1);
    int former = 0;
    for (const Finding& finding : findings) {
      const int weight = finding.severity == "blocking" ? 0 : finding.severity == "warning" ? 1 : 2;
      QVERIFY(weight >= former);
      former = weight;
    }
  }
};

QTEST_GUILESS_MAIN(TestChecks)
#include "test_checks.moc"
