// The filters at the left of the Data page: label, site, modality with counts, patient, split, problems, excluded. Main thread.
#pragma once
#include <QFrame>

#include "core/store/project.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QListWidget;
class QPushButton;

namespace cloister {

struct ProjectState;

class FilterPanel : public QFrame {
  Q_OBJECT
 public:
  explicit FilterPanel(QWidget* parent = nullptr);
  void setState(const ProjectState&);
  void setFilter(const SampleFilter&);
  const SampleFilter& filter() const { return filter_; }
  void setCanUndo(bool);

 Q_SIGNALS:
  void changed(cloister::SampleFilter);
  void undoWanted();

 private:
  void fill();
  void retranslate();
  void take();
  SampleFilter filter_;
  SampleCounts counts_;
  QString snapshot_;
  bool filling_ = false;
  QLabel *labelTitle_, *patientTitle_, *siteTitle_, *modalityTitle_, *splitTitle_, *problemTitle_;
  QListWidget* labels_;
  QLineEdit* patient_;
  QComboBox *site_, *modality_, *split_, *problem_;
  QCheckBox* excluded_;
  QPushButton *clear_, *undo_;
};

}  // namespace cloister
