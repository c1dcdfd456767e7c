// The language models of a project that can be talked to: the base models in models/ and the best state of each finished run. Reads the
// project's own files (spec.json of runs) and the names and sizes of others, never their contents: those are for the worker. Reading
// thread.
#pragma once
#include <QList>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

class Project;

struct TryModel {
  QString id;         ///< stable within the project: the folder
  QString name;       ///< of a base model: its folder's name
  QString run;        ///< r-0001; empty: a base model or a folder from elsewhere
  QString model;      ///< folder with config.json; empty: an adapter from elsewhere whose base is still to be chosen
  QString adapter;    ///< folder of a LoRA adapter, or empty
  QString tokenizer;  ///< folder; empty: the model's own
  qint64 bytes = 0;   ///< of the weights
  bool operator==(const TryModel&) const = default;
};

/// Base models first, runs newest first.
Result<QList<TryModel>> modelsToTry(Project&);
/// A folder that a person chose; NotFound when it holds neither a model nor an adapter.
Result<TryModel> modelInFolder(const QString& dir);

}  // namespace cloister
