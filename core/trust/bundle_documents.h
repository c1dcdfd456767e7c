// The papers of a bundle, made from what was measured: model card (Mitchell et al. 2019, with Hugging Face's front matter), evaluation
// report without pictures, SPDX 2.3. Pure functions; internal to core/trust; any thread.
#pragma once
#include <QJsonArray>
#include <QJsonObject>
#include <QList>
#include <QString>

#include "core/trust/bundle_sources.h"

namespace cloister {

struct BundledFile {
  QString path;
  qint64 bytes = 0;
  QString sha256, sha1;  ///< SPDX 2.3 wants SHA-1 of every file beside SHA-256
};

struct BundleFacts {
  QString name, version, createdAt, intendedUse, limits;
  QJsonObject model;  ///< {file,candidate,bytes,sha256,opset}
  QString splitDigest;
};

QJsonObject modelCard(const BundleSources&, const BundleFacts&);
QByteArray modelCardMarkdown(const QJsonObject& card);
/// One page, no script, no request to anywhere.
QByteArray reportPage(const QJsonObject& publicReport, const QString& title);
/// snapshot: digest of the training data; empty: none is named.
QJsonObject spdxDocument(const QString& snapshot, const BundleFacts&, const QList<BundledFile>&);

}  // namespace cloister
