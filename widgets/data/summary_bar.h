// The line above the samples: "1,006 images · 630 patients · 3 labels · 5 duplicates · 2 refused"; each figure filters or opens a list.
// Main thread.
#pragma once
#include <QFrame>
#include <QMap>

#include "core/store/project.h"

class QHBoxLayout;
class QLabel;
class QPushButton;

namespace cloister {

class SummaryBar : public QFrame {
  Q_OBJECT
 public:
  enum class Figure { Images, Patients, Labels, Unlabelled, Duplicates, Refused, Problems, Excluded };
  explicit SummaryBar(QWidget* parent = nullptr);
  void setCounts(const SampleCounts&);
  void setShown(qint64 shown);  ///< how many match the filter

 Q_SIGNALS:
  void chosen(cloister::SummaryBar::Figure);

 private:
  void retranslate();
  QPushButton* chip(Figure);
  SampleCounts counts_;
  qint64 shown_ = -1;
  QMap<Figure, QPushButton*> chips_;
  QHBoxLayout* row_;
  QLabel* shownLabel_;
};

}  // namespace cloister
