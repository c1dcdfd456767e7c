// Two sheets of the Data page for language projects: bring in a model or a tokenizer from a folder, and train a tokenizer on the frozen
// texts. They only ask; the page does the work. Main thread.
#pragma once
#include <QFrame>

#include "core/curation/text_dataset.h"
#include "core/runs/base_models.h"
#include "widgets/common/sheet_header.h"

class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QSpinBox;

namespace cloister {

class PathEdit;

class ModelSheet : public QFrame {
  Q_OBJECT
 public:
  explicit ModelSheet(QWidget* parent);
  void begin();
  void setFolder(const QString&);
  bool complete() const;
  ModelImport request() const;

 Q_SIGNALS:
  void changed();
  void closed();

 private:
  void retranslate();
  SheetHeader header_;
  QLabel *intro_, *fromLabel_, *nameLabel_, *adapterLabel_, *typeLabel_;
  PathEdit *from_, *adapter_;
  QLineEdit* name_;
  QComboBox* type_;
  bool named_ = false, naming_ = false;
};

class TokenizerSheet : public QFrame {
  Q_OBJECT
 public:
  explicit TokenizerSheet(QWidget* parent);
  void begin();
  bool complete() const;
  QString name() const;
  TokenizerTraining request() const;  ///< without "to"

 Q_SIGNALS:
  void changed();
  void closed();

 private:
  void retranslate();
  SheetHeader header_;
  QLabel *intro_, *nameLabel_, *kindLabel_, *sizeLabel_;
  QLineEdit* name_;
  QComboBox* kind_;
  QSpinBox* size_;
};

}  // namespace cloister
