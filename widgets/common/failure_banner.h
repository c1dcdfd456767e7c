// A failure on a page: what happened and what to do now (describe()), with the technical text folded below and a copy button. Not modal;
// announced to screen readers; goes away when closed or when the next attempt succeeds. Main thread.
#pragma once
#include <functional>

#include <QFrame>

#include "core/domain/failure.h"

class QLabel;
class QPlainTextEdit;
class QPushButton;
class QToolButton;

namespace cloister {

class FailureBanner : public QFrame {
  Q_OBJECT
 public:
  enum class Tone { Bad, Warning, Good };
  explicit FailureBanner(QWidget* parent = nullptr);
  void show_(const Failure&);
  /// The same place for a note that is no failure; detail may be empty.
  void note(Tone, const QString& sentence, const QString& detail = {});
  /// One button beside the sentence; cleared by the next show_ or note.
  void setAction(const QString& text, std::function<void()>);
  void clear();

 private:
  void set(Tone, const QString& sentence, const QString& detail);
  void retranslate();
  Tone tone_ = Tone::Bad;
  Failure failure_;
  bool isFailure_ = false;
  std::function<void()> act_;
  QLabel *icon_, *sentence_;
  QPushButton* action_;
  QToolButton *more_, *copy_, *close_;
  QPlainTextEdit* detail_;
};

}  // namespace cloister
