// The Data page: filters, thumbnails, viewer, labelling, checks, import and freeze. Main thread.
#pragma once
#include "core/store/project.h"
#include "widgets/common/page.h"
#include "widgets/data/summary_bar.h"

class QLabel;
class QPushButton;
class QStackedLayout;
class QTabBar;

namespace cloister {

class EmptyData;
class ChecksView;
class FileList;
class FilterPanel;
class FreezeSheet;
class ImportSheet;
class LabelBar;
class SampleModel;
class ThumbGrid;
class Viewer;

class DataPage : public Page {
  Q_OBJECT
 public:
  explicit DataPage(StoreClient& store, QWidget* parent = nullptr);
  QString title() const override;
  QString subtitle() const override;
  Missing missing() const override;
  Mark mark() const override;
  QString help() const override;
  void refresh() override;
  void retranslate() override;
  bool search(const QString&) override;
  QWidget* inspector() override;
  QString inspectorTitle() const override;
  QStringList views() const override {
    return {QStringLiteral("header"), QStringLiteral("checks"), QStringLiteral("files"), QStringLiteral("import"),
            QStringLiteral("freeze")};
  }
  void openView(const QString&) override;
  void inspectorClosed() override { inspectorWanted_ = false; }

 protected:
  void dragEnterEvent(QDragEnterEvent*) override;
  void dropEvent(QDropEvent*) override;

 private:
  enum View { Empty, Browse, Import, Freeze };
  void buildBrowse();
  void connectAll();
  void showView(View);
  void settle();  ///< empty or browse, whichever fits
  void act();
  void setFilter(const SampleFilter&, bool remember = true);
  void figureChosen(SummaryBar::Figure);
  void showCurrent();
  void label(const QString&);
  void toggleExcluded();
  void undo(bool redo);
  void offerResume();
  void updateFooter();

  SampleModel* model_;
  Viewer* viewer_;
  QStackedLayout *views_, *tabsStack_;
  QWidget* browse_;
  EmptyData* empty_;
  QLabel* why_;
  QPushButton *import_, *whyClear_;
  QWidget* whyRow_;
  QTabBar* tabs_;
  SummaryBar* summary_;
  FilterPanel* filters_;
  ThumbGrid* grid_;
  LabelBar* labels_;
  ChecksView* checks_;
  FileList* files_;
  ImportSheet* importSheet_;
  FreezeSheet* freezeSheet_;
  QList<SampleFilter> earlier_;
  QString signature_, whyText_;
  View view_ = Empty;
  bool inspectorWanted_ = true, checksStale_ = true;
};

}  // namespace cloister
