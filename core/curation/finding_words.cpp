#include "core/curation/finding_words.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QLocale>

namespace cloister {
namespace {

QString tr(const char* text, int n = -1) { return QCoreApplication::translate("Findings", text, nullptr, n); }

QString number(const QJsonValue& v) { return QLocale().toString(v.toInteger()); }

int count(const Finding& f) { return f.args["count"].toInt(); }

QString joined(const QJsonValue& list) {
  QStringList parts;
  for (const QJsonValue& v : list.toArray()) parts << v.toString();
  return parts.join(tr(", "));
}

QString splitWord(const QString& split) {
  if (split == u"train") return tr("training");
  return split == u"validation" ? tr("validation") : tr("test");
}

QString imbalance(const Finding& f) {
  const QJsonObject counts = f.args["counts"].toObject();
  const QString most = f.args["most"].toString(), least = f.args["least"].toString();
  return tr("\"%1\" has %2 samples, \"%3\" only %4. Use class weights, and read the result of each class rather than the accuracy alone.")
      .arg(most, number(counts[most]), least, number(counts[least]));
}

QString absent(const Finding& f) {
  QStringList parts;
  const QJsonObject classes = f.args["absent"].toObject();
  for (auto it = classes.begin(); it != classes.end(); ++it) parts << tr("%1 (%2)").arg(it.key(), splitWord(it.value().toString()));
  return tr("These classes are missing from a split: %1.").arg(parts.join(tr(", ")));
}

QString textKindWord(const QString& kind) {
  if (kind == u"plain") return tr("running text");
  if (kind == u"instructions") return tr("instructions");
  return kind == u"pairs" ? tr("pairs") : tr("preferences");
}

QString mixedKinds(const Finding& f) {
  QStringList parts;
  const QJsonObject counts = f.args["counts"].toObject();
  for (auto it = counts.begin(); it != counts.end(); ++it) parts << tr("%1: %2").arg(textKindWord(it.key()), number(it.value()));
  return tr("The texts are of different kinds (%1), which are trained in different ways: choose one kind, or exclude those that do not "
            "belong "
            "here.")
      .arg(parts.join(tr(", ")));
}

}  // namespace

QString describeFinding(const Finding& f) {
  const QString& kind = f.kind;
  if (kind == u"unreadable") return tr("%Ln file(s) could not be imported.", count(f));
  if (kind == u"duplicate") return tr("%Ln file(s) have the same bytes as another one and were left out.", count(f));
  if (kind == u"accepted_with_warning") return tr("%Ln file(s) were accepted with a repair or a warning.", count(f));
  if (kind == u"conflicting_labels")
    return tr("%Ln image(s) have two different labels for the same bytes. Decide which one is right, or exclude them.", count(f));
  if (kind == u"unlabelled") return tr("%Ln of %1 sample(s) have no label and will be left out.", count(f)).arg(number(f.args["total"]));
  if (kind == u"missing_group")
    return tr("%Ln of %1 sample(s) name no patient; each counts as a patient of its own. If one person has several images, training and "
              "test "
              "may share them.",
              count(f))
        .arg(number(f.args["total"]));
  if (kind == u"single_label")
    return tr("All samples have the label \"%1\": there is nothing to tell apart.").arg(f.args["counts"].toObject().keys().value(0));
  if (kind == u"label_imbalance") return imbalance(f);
  if (kind == u"single_site_per_label")
    return tr("All samples of %1 come from one site: the model may learn the site instead of the finding.").arg(joined(f.args["labels"]));
  if (kind == u"site_label_confounding")
    return tr("Label and site go together (Cramér's V %1): the model may learn the site instead of the finding.")
        .arg(QLocale().toString(f.args["cramersV"].toDouble(), 'f', 2));
  if (kind == u"group_on_both_sides")
    return tr("%Ln patient(s) are in more than one of training, validation and test: the result would look better than it is.", count(f));
  if (kind == u"class_absent_from_split") return absent(f);
  if (kind == u"near_duplicate_across_splits")
    return f.args["complete"].toBool(true)
               ? tr("%Ln pair(s) of images on different sides of the split look almost the same. Look at them before you trust the result.",
                    f.args["pairs"].toInt())
               : tr("More than %Ln pair(s) of images on different sides of the split look almost the same. Look at them before you trust "
                    "the result.",
                    f.args["pairs"].toInt());
  if (kind == u"mixed_kinds") return mixedKinds(f);
  if (kind == u"records_refused") return tr("%Ln record(s) could not be used and are left out.", count(f));
  if (kind == u"repeated_texts") return tr("%Ln text(s) are there more than once. Equal texts are always in the same part.", count(f));
  if (kind == u"same_text_across_parts")
    return tr(
        "%Ln text(s) of validation and test stand in another part as well, the same but for case, spaces and marks: the result would "
        "look better than it is.",
        count(f));
  if (kind == u"near_text_across_parts")
    return tr("%Ln text(s) of validation and test stand in another part as well, almost the same: the result would look better than it is.",
              count(f));
  if (kind == u"empty_part") return tr("No text falls into the part \"%1\": there are too few.").arg(splitWord(f.args["part"].toString()));
  return f.message;  // a kind newer than this program
}

QString findingColumnTitle(const QString& column) {
  if (column == u"format") return tr("Files");
  return column == u"semantic" ? tr("Meaning") : tr("Distribution");
}

}  // namespace cloister
