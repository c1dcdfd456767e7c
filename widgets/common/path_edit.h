// A line for a path with Browse and drag and drop. Main thread.
#pragma once
#include <QWidget>

class QLineEdit;
class QToolButton;

namespace cloister {

class PathEdit : public QWidget {
  Q_OBJECT
 public:
  enum class Kind { OpenFile, SaveFile, Folder };
  explicit PathEdit(Kind kind, QWidget* parent = nullptr);
  QString path() const;
  void setPath(const QString&);
  void setFilter(const QString& filter) { filter_ = filter; }
  /// What screen readers and the dialog's title say.
  void setName(const QString&);
  QLineEdit* line() const { return line_; }

 Q_SIGNALS:
  void changed();

 protected:
  void dragEnterEvent(QDragEnterEvent*) override;
  void dropEvent(QDropEvent*) override;

 private:
  void browse();
  Kind kind_;
  QString filter_, name_;
  QLineEdit* line_;
  QToolButton* button_;
};

}  // namespace cloister
