// A bundle's JSON from a stranger: the manifest, and the papers made from a report of any shape. Never a crash; accepted paths stay inside;
// and the public report never lets a picture or a sample's key through.
#include <cstdlib>

#include <QJsonArray>
#include <QJsonDocument>

#include "core/trust/bundle_documents.h"
#include "core/trust/bundle_manifest.h"

using namespace cloister;

namespace {

void check(bool good) {
  if (!good) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const QByteArray bytes(reinterpret_cast<const char*>(data), qsizetype(size));
  if (const auto manifest = BundleManifest::parse(bytes, QStringLiteral("bundle.json"))) {
    check(!manifest->name.isEmpty() && !manifest->classes.isEmpty());
    for (const auto& f : manifest->files)
      check(!f.path.startsWith('/') && f.path != u".." && !f.path.startsWith(u"../") && !f.path.contains(u"/../") && f.sha256.size() == 64);
  }
  const QJsonObject o = QJsonDocument::fromJson(bytes).object();
  if (o.isEmpty()) return 0;
  BundleSources sources;
  sources.report = publicReport(o);
  check(!sources.report.contains("worst") && !sources.report.contains("best"));
  const QByteArray page = reportPage(sources.report, o["name"].toString());
  check(!page.contains("<script") && !page.contains("<img") && page.endsWith("</html>\n"));
  sources.snapshot = o["snapshot"].toObject();
  sources.exported = o["exported"].toObject();
  sources.candidate = o["candidate"].toObject();
  sources.spec.parameters = o["parameters"].toObject();
  BundleFacts facts;
  facts.name = o["name"].toString();
  facts.limits = o["limits"].toString();
  const QByteArray card = modelCardMarkdown(modelCard(sources, facts));
  check(card.startsWith("---\n") && !card.contains("<script"));
  spdxDocument(sources.spec.snapshot, facts, {{o["name"].toString(), 1, QString(64, u'0'), QString(40, u'0')}});
  return 0;
}
