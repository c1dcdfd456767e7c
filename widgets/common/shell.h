// The frame around the pages: rail on the left, top bar, inspector on the right that closes, run strip at the bottom. Creates pages when
// they are first needed (the first one at once, the others while idle). Main thread.
#pragma once
#include <functional>

#include <QMainWindow>
#include <QMap>

#include "widgets/common/page.h"

class QBoxLayout;
class QLineEdit;
class QPushButton;
class QSplitter;
class QStackedWidget;
class QToolButton;

namespace cloister {

class Inspector;
class ProgressStrip;
class Rail;
class RunWatcher;
class StoreClient;
struct ProjectState;

class MainWindow : public QMainWindow {
  Q_OBJECT
 public:
  using Factory = std::function<Page*(StoreClient&)>;
  explicit MainWindow(StoreClient& store, QWidget* parent = nullptr);
  ~MainWindow() override;

  /// In rail order; system and settings go to the bottom. icon: name in resources/icons.
  void addPage(const char* id, const char* icon, Factory);
  void show_(const QString& pageId);
  Page* currentPage() const;
  Page* pageOf(const QString& id);  ///< creates it when needed
  QStringList pageIds() const;
  /// Those that the rail shows for the open project, in its order.
  QStringList shownPageIds() const;
  void restoreWindow();

 protected:
  void closeEvent(QCloseEvent*) override;
  void showEvent(QShowEvent*) override;

 private:
  void buildTopBar(QBoxLayout*);
  void addShortcuts();
  void createNext();
  void updateAll();
  void updateRail();
  void updateTopBar();
  void setInspectorShown(bool);
  void showHelp();
  void projectMenu();
  void find(const QString&);

  struct Entry {
    QString id;
    Factory make;
    Page* page = nullptr;
  };
  StoreClient& store_;
  QList<Entry> entries_;
  Rail* rail_;
  QStackedWidget* stack_;
  QSplitter* splitter_;
  Inspector* inspector_;
  ProgressStrip* strip_;
  RunWatcher* watcher_;
  QToolButton *project_, *snapshot_, *runs_, *language_, *help_;
  QLineEdit* search_;
};

/// Whether the open project has this step: there are two pages for data, of images and of texts, and models of images cannot be talked to.
/// Without a project as for images.
bool pageApplies(const QString& id, const ProjectState&);
/// The title of a page before it was created (the rail shows all from the start).
QString pageTitle(const QString& id);

}  // namespace cloister
