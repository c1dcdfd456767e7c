// What a new project needs: kind (two, each with a picture), name, folder. Main thread.
#pragma once
#include <QFrame>

#include "core/domain/task.h"
#include "widgets/common/sheet_header.h"

class QLabel;
class QLineEdit;
class QRadioButton;

namespace cloister {

class PathEdit;

class NewProjectSheet : public QFrame {
  Q_OBJECT
 public:
  explicit NewProjectSheet(QWidget* parent = nullptr);
  QString name() const;
  QString folder() const;  ///< of the project itself
  QString task() const;    ///< ProjectInfo::task
  bool complete() const { return !name().isEmpty() && !folder().isEmpty(); }
  void begin();  ///< empties the sheet and sets the focus

 Q_SIGNALS:
  void changed();
  void cancelled();

 private:
  void suggestFolder();
  void retranslate();
  QLabel *kindLabel_, *nameLabel_, *folderLabel_;
  struct Kind {
    const Task* task;
    QRadioButton* button;
    QLabel *picture, *text;
  };
  QList<Kind> kinds_;
  QLineEdit* name_;
  PathEdit* folder_;
  SheetHeader header_;
  bool folderTouched_ = false, suggesting_ = false;
};

/// Folder that new projects go to: ~/Cloister.
QString projectsHome();

}  // namespace cloister
