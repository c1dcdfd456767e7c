// Import as a sheet on the Data page, not modal: source, paths (also by drag and drop), options from the source's schema, a label table
// with its preview; then live counts, rate, time left and the list of what was not taken. Main thread.
#pragma once
#include <QElapsedTimer>
#include <QFrame>

#include "core/curation/import_job.h"
#include "core/extension/plugin_catalogue.h"
#include "widgets/common/sheet_header.h"

class QComboBox;
class QLabel;
class QListWidget;
class QProgressBar;
class QPushButton;
class QStackedLayout;

namespace cloister {

class FileList;
class ParameterForm;
class PathEdit;
class StoreClient;
class TablePreview;

class ImportSheet : public QFrame {
  Q_OBJECT
 public:
  explicit ImportSheet(StoreClient& store, QWidget* parent = nullptr);
  void begin();  ///< a fresh sheet, or the one of the import under way
  void addPaths(const QStringList&);
  void start();
  bool canStart() const;
  /// What the page's primary button says: nothing while it runs, back when it is done.
  QString nextStep(const QString& back) const;
  bool running() const;
  bool done() const;  ///< shows the outcome of an import that has ended
  /// Labels go onto samples that are already there when no path is named.
  bool labelsOnly() const;

 Q_SIGNALS:
  void changed();
  void closed();
  void failed(cloister::Failure);
  void labelled(cloister::LabelTableResult);

 protected:
  void dragEnterEvent(QDragEnterEvent*) override;
  void dropEvent(QDropEvent*) override;

 private:
  void buildForm(QWidget*);
  void buildLive(QWidget*);
  void loadSources();
  void fillSources();
  void showSource();
  void chooseFiles(bool folder);
  void removePaths();
  ImportRequest request() const;
  void progressed(const ImportProgress&);
  void finished(const ImportSummary&);
  void showLive(bool);
  void retranslate();

  StoreClient& store_;
  PluginCatalogue catalogue_;
  ImportProgress last_;
  QString outcome_;
  QElapsedTimer listed_;
  QStackedLayout* stack_;
  QLabel *sourceLabel_, *pathsLabel_, *labelsLabel_, *drop_, *optionsLabel_;
  SheetHeader header_;
  QComboBox* source_;
  QListWidget* paths_;
  QPushButton *addFiles_, *addFolder_, *remove_;
  ParameterForm* options_;
  PathEdit* labels_;
  QWidget* table_;  ///< the part for a label table
  TablePreview* preview_;
  QLabel *liveText_, *liveRate_;
  QProgressBar* bar_;
  QPushButton *stop_, *again_;
  FileList* list_;
};

}  // namespace cloister
