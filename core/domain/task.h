// What a project is for. Everything that differs between kinds of project in more than words asks here: which files it takes in, whether
// its samples have classes, which pages it has, by which curve a run is followed. A further kind is one more row in task.cpp. Immutable;
// any thread.
#pragma once
#include <QList>
#include <QString>
#include <QStringList>

namespace cloister {

struct Task {
  enum class Kind { ImageClassification, LanguageModel };
  Kind kind;
  QString id;           ///< as in project.json, snapshot.json, report.json and the families' descriptions
  QStringList sources;  ///< plugins whose files it takes in, the usual one first
  bool classes;         ///< samples have labels that a model learns to tell apart
  QString dataPage;     ///< page where its samples are looked at and frozen
  QStringList pages;    ///< pages that it has and others do not, the data page among them
  QString curve;        ///< series that shows first whether a run gets better

  bool is(Kind k) const { return kind == k; }
  bool operator==(const Task& other) const { return kind == other.kind; }

  static const QList<Task>& all();
  /// An id that nobody knows is taken for images, as before there were others.
  static const Task& named(const QString& id);
  static const Task& of(Kind);
};

/// Whether this id (of a project, a report, an export, a family) is that of language models.
bool isLanguageTask(const QString& id);

}  // namespace cloister
