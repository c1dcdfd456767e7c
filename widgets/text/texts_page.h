// The Data page of a project for a language model: its text files with a look into each, the models and tokenizers, and how a text is cut;
// import, freeze, and training a tokenizer as sheets. Main thread.
#pragma once
#include <atomic>
#include <memory>

#include "core/runs/base_models.h"
#include "widgets/common/page.h"

class QFrame;
class QLabel;
class QPushButton;
class QStackedLayout;
class QTabBar;
class QTableView;

namespace cloister {

class FreezeTextsSheet;
class ImportSheet;
class ModelSheet;
class ModelsView;
class RecordView;
class TextList;
class TokenizerSheet;
class TokenizerView;

class TextsPage : public Page {
  Q_OBJECT
 public:
  explicit TextsPage(StoreClient& store, QWidget* parent = nullptr);
  QString title() const override;
  QString subtitle() const override;
  Missing missing() const override;
  Mark mark() const override;
  QString help() const override;
  void refresh() override;
  void retranslate() override;
  bool search(const QString&) override;
  QStringList views() const override;
  void openView(const QString&) override;
  bool canStopTask(const QString&) const override { return true; }
  void stopTask(const QString&) override;

 protected:
  void showEvent(QShowEvent*) override;
  void dragEnterEvent(QDragEnterEvent*) override;
  void dropEvent(QDropEvent*) override;

 private:
  enum View { Browse, Import, Freeze, AddModel, AddTokenizer };
  enum Tab { Texts, Models, Cut };
  void buildBrowse();
  void buildEmpty();
  void connectAll();
  void showView(View);
  void act();
  void loadTexts();
  void loadModels(const QString& choose = {});
  void showCurrent();
  void toggleExcluded();
  void importModel();
  void trainTokenizer();
  void ended(const Result<BaseModel>&);
  void updateFooter();
  bool hasTokenizer() const;

  QStackedLayout *views_, *tabsStack_, *textsStack_;
  QWidget* browse_;
  QFrame* empty_;
  QLabel *emptyTitle_, *emptyText_, *emptyPicture_, *counts_, *previewTitle_;
  QPushButton *emptyImport_, *import_, *addModel_, *addTokenizer_, *exclude_;
  QTabBar* tabs_;
  TextList* list_;
  QTableView* table_;
  RecordView* preview_;
  ModelsView* models_;
  TokenizerView* cut_;
  ImportSheet* importSheet_;
  FreezeTextsSheet* freezeSheet_;
  ModelSheet* modelSheet_;
  TokenizerSheet* tokenizerSheet_;
  QList<BaseModel> all_;
  QString signature_, text_;
  std::shared_ptr<std::atomic_bool> stopped_;
  View view_ = Browse;
  bool working_ = false;
};

}  // namespace cloister
