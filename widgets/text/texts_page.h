// The Data page of a project for a language model: its text files with a look into each, the models and tokenizers, and how a text is cut;
// import, freeze, and training a tokenizer as sheets. Main thread.
#pragma once
#include "core/runs/base_models.h"
#include "widgets/common/page.h"

class QLabel;
class QPushButton;
class QStackedLayout;
class QTabBar;
class QTableView;

namespace cloister {

class EmptyData;
class FreezeTextsSheet;
class ImportSheet;
class LongTask;
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
  void connectAll();
  void showView(View);
  void act();
  void loadTexts();
  void loadModels(const QString& choose = {});
  void showCurrent();
  void toggleExcluded();
  void importModel();
  void trainTokenizer();
  void begin(const QString& title);
  void progressed(qint64 done, qint64 total, int phase, double secondsLeft);
  void ended(const Result<BaseModel>&);
  void updateFooter();
  bool hasTokenizer() const;

  QStackedLayout *views_, *tabsStack_, *textsStack_;
  QWidget* browse_;
  EmptyData* empty_;
  QLabel *counts_, *previewTitle_;
  QPushButton *import_, *addModel_, *addTokenizer_, *exclude_;
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
  LongTask* work_;  ///< a model being imported or a tokenizer being trained
  QString workTitle_;
  bool training_ = false;  ///< the work is a tokenizer
  View view_ = Browse;
};

}  // namespace cloister
