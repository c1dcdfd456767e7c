// The header of a DICOM object as a table with search and copy: tag, keyword, value, and in Chinese a gloss of the usual keywords. Main
// thread.
#pragma once
#include <QJsonArray>
#include <QWidget>

class QLineEdit;
class QSortFilterProxyModel;
class QStandardItemModel;
class QTableView;
class QToolButton;

namespace cloister {

class HeaderTable : public QWidget {
  Q_OBJECT
 public:
  explicit HeaderTable(QWidget* parent = nullptr);
  void setHeader(const QJsonArray& rows);  ///< [tag, vr, keyword, value] each
  /// Selected cells, or everything shown when nothing is selected, tab-separated.
  QString text() const;

 private:
  void retranslate();
  void fill();
  QJsonArray rows_;
  QLineEdit* search_;
  QTableView* table_;
  QToolButton* copy_;
  QStandardItemModel* model_;
  QSortFilterProxyModel* shown_;
};

/// Chinese word for a DICOM keyword, empty when there is none or the screen speaks English.
QString dicomGloss(const QString& keyword);

}  // namespace cloister
