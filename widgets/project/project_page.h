// The first page: recent projects as cards, a new project, the sample project. Main thread.
#pragma once
#include <QMap>

#include "core/domain/task.h"
#include "widgets/common/page.h"

class QFrame;
class QLabel;
class QPushButton;

namespace cloister {

class FlowLayout;
class NewProjectSheet;
class ProjectCard;
class SampleProject;

class ProjectPage : public Page {
  Q_OBJECT
 public:
  explicit ProjectPage(StoreClient& store, QWidget* parent = nullptr);
  QString title() const override;
  QString subtitle() const override;
  Mark mark() const override;
  QString help() const override;
  void refresh() override;
  void retranslate() override;
  bool canStopTask(const QString&) const override { return true; }
  void stopTask(const QString& task) override;
  QStringList views() const override { return {QStringLiteral("new")}; }
  void openView(const QString& name) override { openSheet(name == QStringLiteral("new")); }

 private:
  void buildEmptyState();
  void showCards();
  void openSheet(bool);
  void act();
  void chooseFolder();
  void trySample(const Task&);
  QString makingWords() const;
  void updateButtons();

  QFrame* empty_;
  QLabel *emptyTitle_, *emptyText_, *recentTitle_;
  QList<QLabel*> emptyPictures_;                ///< one for each kind of project
  QList<QPushButton*> samples_, emptySamples_;  ///< the same
  QPushButton *emptyNew_, *open_, *another_;
  NewProjectSheet* sheet_;
  QWidget* cardsWidget_;
  FlowLayout* cards_;
  QMap<QString, ProjectCard*> cardOf_;
  SampleProject* sampleProject_;
};

}  // namespace cloister
