// What was asked and what a model wrote, growing while it writes: the given text quiet before the continuation, or the turns of a
// conversation under who speaks. Everything is shown as plain text, never as markup. Follows the end unless the person scrolled up. Main
// thread.
#pragma once
#include <QTextEdit>

namespace cloister {

class Transcript : public QTextEdit {
  Q_OBJECT
 public:
  enum class Kind { Given, Question, Answer };
  explicit Transcript(QWidget* parent = nullptr);
  void clearAll();
  void add(Kind, const QString& text);  ///< begins a part
  void grow(const QString& text);       ///< goes on with the last part
  void replaceLast(const QString& text);
  struct Part {
    Kind kind;
    QString text;
  };
  const QList<Part>& parts() const { return parts_; }
  void removeLast(int count);

 private:
  void rebuild();
  void write(const Part&, bool first);
  QList<Part> parts_;
};

}  // namespace cloister
