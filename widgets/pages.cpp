#include "widgets/pages.h"

#include "widgets/common/shell.h"
#include "widgets/common/store_client.h"
#include "widgets/system/settings_page.h"

namespace cloister {
namespace {

// A page of the rail that another part fills in.
class WaitingPage : public Page {
 public:
  WaitingPage(const char* id, StoreClient& store) : Page(id, store) {}
  QString title() const override { return pageTitle(id()); }
};

}  // namespace

void addPages(MainWindow& window) {
  window.addPage(page::kProject, "project", [](StoreClient& s) { return new WaitingPage(page::kProject, s); });
  window.addPage(page::kData, "data", [](StoreClient& s) { return new WaitingPage(page::kData, s); });
  window.addPage(page::kTrain, "train", [](StoreClient& s) { return new WaitingPage(page::kTrain, s); });
  window.addPage(page::kEvaluate, "evaluate", [](StoreClient& s) { return new WaitingPage(page::kEvaluate, s); });
  window.addPage(page::kExport, "export", [](StoreClient& s) { return new WaitingPage(page::kExport, s); });
  window.addPage(page::kVerify, "verify", [](StoreClient& s) { return new WaitingPage(page::kVerify, s); });
  window.addPage(page::kSystem, "system", [](StoreClient& s) { return new WaitingPage(page::kSystem, s); });
  window.addPage(page::kSettings, "settings", [](StoreClient& s) { return new SettingsPage(s); });
}

}  // namespace cloister
