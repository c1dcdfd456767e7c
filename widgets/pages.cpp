#include "widgets/pages.h"

#include "widgets/common/shell.h"
#include "widgets/common/store_client.h"
#include "widgets/data/data_page.h"
#include "widgets/evaluate/evaluate_page.h"
#include "widgets/export/export_page.h"
#include "widgets/project/project_page.h"
#include "widgets/system/settings_page.h"
#include "widgets/system/system_page.h"
#include "widgets/text/texts_page.h"
#include "widgets/train/train_page.h"
#include "widgets/trust/verify_page.h"
#include "widgets/tryit/try_page.h"

namespace cloister {
namespace {

template <typename T>
void add(MainWindow& window, const char* id, const char* icon) {
  window.addPage(id, icon, [](StoreClient& store) -> Page* { return new T(store); });
}

}  // namespace

void addPages(MainWindow& window) {
  add<ProjectPage>(window, page::kProject, "project");
  add<DataPage>(window, page::kData, "data");
  add<TextsPage>(window, page::kTexts, "data");
  add<TrainPage>(window, page::kTrain, "train");
  add<EvaluatePage>(window, page::kEvaluate, "evaluate");
  add<TryPage>(window, page::kTry, "tryit");
  add<ExportPage>(window, page::kExport, "export");
  add<VerifyPage>(window, page::kVerify, "verify");
  add<SystemPage>(window, page::kSystem, "system");
  add<SettingsPage>(window, page::kSettings, "settings");
}

}  // namespace cloister
