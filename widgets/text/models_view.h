// The models and tokenizers of a language project: a table, and of the chosen one what it is and whether it fits this machine. Main thread.
#pragma once
#include <QList>
#include <QWidget>

#include "core/runs/base_models.h"

class QLabel;
class QPushButton;
class QTableWidget;

namespace cloister {

class ScalePlanner;
class StoreClient;

class ModelsView : public QWidget {
  Q_OBJECT
 public:
  ModelsView(StoreClient& store, QWidget* parent);
  void setModels(const QList<BaseModel>&);
  void choose(const QString& name);

 Q_SIGNALS:
  void tokenizerWanted(QString folder);  ///< Enter or double-click on one that has a tokenizer

 private:
  struct Fit {
    QString machine;
    QList<QPair<QString, bool>> lines;  ///< method word and bytes in lines_, whether it fits
    QList<qint64> needed;
  };
  void fill();
  void showChosen();
  void askFit(const BaseModel&);
  void showFit(const Fit&);
  void planScale();
  void retranslate();

  StoreClient& store_;
  QList<BaseModel> models_;
  QTableWidget* table_;
  QLabel *empty_, *title_, *about_, *fitTitle_, *fit_, *fitNote_;
  QWidget *body_, *card_;
  QPushButton* scale_;
  ScalePlanner* planner_;
  QString asked_;
};

}  // namespace cloister
