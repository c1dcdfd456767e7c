// Try it: a base model and the tuned one answer the same text or question side by side, token by token, with their speeds. Each runs in a
// worker of its own; one after the other where memory does not hold both. For projects of language models. Main thread.
#pragma once
#include <functional>

#include "widgets/common/page.h"
#include "widgets/tryit/answer_panel.h"

class QButtonGroup;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;

namespace cloister {

class SamplingForm;
class WorkerTask;

class TryPage : public Page {
  Q_OBJECT
 public:
  explicit TryPage(StoreClient& store, QWidget* parent = nullptr);
  QString title() const override;
  QString subtitle() const override;
  Missing missing() const override;
  Mark mark() const override;
  QString help() const override;
  void refresh() override;
  void retranslate() override;
  QStringList views() const override { return {QStringLiteral("answers"), QStringLiteral("chat")}; }
  void openView(const QString&) override;

 protected:
  void showEvent(QShowEvent*) override;
  bool eventFilter(QObject*, QEvent*) override;

 private:
  void build();
  void fillModels();
  void setChat(bool);
  void generate();
  void begin(const AnswerPanel::Question&, qint64 memoryFree);
  void next();
  void stop();
  void startOver();
  void chooseFolder(AnswerPanel*);
  void chooseBase(AnswerPanel*, const QString& adapter);
  void askFolder(const QString& title, std::function<void(const TryModel&)> then);
  /// Finds the models that an adapter fits, those of the project and another; that one is chosen when it fits.
  void findBases(AnswerPanel*, const QString& adapter, const TryModel& another = {});
  void updateButtons();
  bool running() const;

  AnswerPanel *first_, *second_;
  SamplingForm* sampling_;
  QPushButton *text_, *chat_, *stop_, *again_;
  QLabel *promptLabel_, *systemLabel_, *note_, *hint_;
  QPlainTextEdit* prompt_;
  QLineEdit* system_;
  QString projectDir_, signature_;
  QList<TryModel> models_;
  WorkerTask* adapters_;
  AnswerPanel::Question question_;
  bool isChat_ = false, waiting_ = false, asking_ = false;
};

}  // namespace cloister
