// A bundle of an exported language model: the export folder as `cloister-cli model export` made it (model, tokenizer, templates), its
// report, a model card and SPDX, signed and verified like every bundle. Needs no project. Called by the CLI. Any thread; blocking.
#pragma once
#include "core/trust/bundle.h"

namespace cloister {

struct LanguageBundleRequest {
  QString exportDir;   ///< holds export.json
  QString reportFile;  ///< of `model evaluate`; empty: the card says that nothing was measured
  QString toDir, key;
  QByteArray passphrase;
  QString name;  ///< of the model, for people; empty: the folder's
  QString baseModel, intendedUse, limits;
  QString snapshot;                                                ///< digest of what it was trained on; empty: unknown
  QByteArray lineage;                                              ///< lineage.jsonl; empty: none
  QJsonObject manifest;                                            ///< further members of bundle.json
  QJsonObject statement;                                           ///< further members of the signature's statement
  std::function<Result<void>(const BundleResult&)> beforePublish;  ///< as in BundleRequest
};

/// CorruptFile for an export whose model is not the file that was checked, PolicyRefused for one that did not pass, and as createBundle.
/// What a report says of single texts (readings of attacks, which texts are known by heart) stays here.
Result<BundleResult> createLanguageBundle(const LanguageBundleRequest&, const KeyStore&);

/// Whether the run's export is that of a language model.
bool isLanguageExport(const QString& runDir);
/// A candidate of such an export with the run's report and lineage: what createBundle does for these runs.
Result<BundleResult> createLanguageRunBundle(const BundleRequest&, const KeyStore&);

}  // namespace cloister
