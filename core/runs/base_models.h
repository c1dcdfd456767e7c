// The models and tokenizers of a project for a language model: folders in <project>/models, each with its Hugging Face files and
// about.json, which says what was found when it was brought in. Files from elsewhere are read by cloister-worker and by children of
// cloister-ingest.
#pragma once
#include <functional>

#include <QJsonObject>
#include <QList>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

struct BaseModel {
  QString name;  ///< of the folder
  QString dir;
  bool hasWeights = false, hasTokenizer = false;
  /// {"model": as `model show` says, absent without weights; "tokenizer": as `tokenizer inspect` says, absent without one; "from"}.
  QJsonObject about;
};

QString modelsDir(const QString& projectDir);
/// Sorted by name. Any thread.
QList<BaseModel> baseModels(const QString& projectDir);
/// By its name in the project, or a folder elsewhere. NotFound.
Result<BaseModel> baseModel(const QString& projectDir, const QString& nameOrFolder);

struct ModelImport {
  QString from;                              ///< folder: a model, or a tokenizer alone
  QString name;                              ///< empty: as the folder is called
  QString adapter;                           ///< LoRA adapter to merge, or empty
  QString dtype = QStringLiteral("stored");  ///< stored, float32, bfloat16
};
/// What is being done to a model, in order; bytes of each, total 0 while unknown. False stops. Asked a few times a second.
enum class ModelStep { Checking, Copying, Recording };
using ModelProgress = std::function<bool(ModelStep, qint64 done, qint64 total)>;
/// Checks and copies; whole or not at all. Audit entry "import". AlreadyExists for a name that is taken, Stopped. Blocking: never on the
/// GUI thread.
Result<BaseModel> importBaseModel(const QString& projectDir, const ModelImport&, const ModelProgress& progress = {});

/// Where a new one with this name goes; AlreadyExists, InvalidArgument. Makes <project>/models.
Result<QString> newModelDir(const QString& projectDir, const QString& name);
/// A tokenizer that was made in the project (core/curation/text_dataset.h, trainTokenizer).
BaseModel newTokenizer(const QString& dir);

}  // namespace cloister
