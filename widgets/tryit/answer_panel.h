// One of the two columns of Try it: which model, what it wrote, and how fast. Runs the model in a worker of its own and shows each token
// as it comes. Main thread.
#pragma once
#include <optional>

#include <QFrame>
#include <QHash>
#include <QJsonObject>
#include <QTimer>

#include "widgets/tryit/try_models.h"

class QComboBox;
class QLabel;

namespace cloister {

class FailureBanner;
class StoreClient;
class Transcript;
class WorkerTask;

class AnswerPanel : public QFrame {
  Q_OBJECT
 public:
  AnswerPanel(StoreClient& store, QWidget* parent);
  /// Keeps the choice where it is still there; else takes preferred (an id; may be empty: no model).
  void setModels(const QList<TryModel>&, const QString& preferred);
  /// Adds a folder from elsewhere and chooses it.
  void addModel(const TryModel&);
  /// Of an adapter from elsewhere: the models that it fits, and which of them to take (a folder; may be empty). named: what the adapter
  /// says it was made on.
  void setBases(const QString& adapter, const QList<TryModel>& fitting, const QString& chosen, const QString& named);
  /// The whole models this panel knows beyond those of the project.
  QList<TryModel> others() const;
  std::optional<TryModel> model() const;
  void setWords(const QString& heading, const QString& emptyHint);

  struct Question {
    QString text;    ///< the beginning, or what the person says
    QString system;  ///< chat: how the model shall behave; may be empty
    bool chat = false;
    QJsonObject sampling;  ///< members of the worker's request
    int threads = 0;       ///< 0: all
  };
  void ask(const Question&);
  void wait(const Question&);  ///< shows the question and that it waits for the other model
  void stop();
  bool running() const { return running_; }
  void startOver();

 Q_SIGNALS:
  void modelChanged();
  void folderWanted();
  void baseFolderWanted(QString adapter);
  void ended();

 private:
  void show_(const Question&);
  void line(const QJsonObject&);
  void done(const Result<QJsonObject>&);
  void flush();
  void showFigures();
  void retranslate();
  void fill();
  void fillBases();
  const TryModel* chosenModel() const;
  QString reasonText() const;

  WorkerTask* task_;
  QLabel *heading_, *rate_, *figures_, *baseLabel_, *baseHint_;
  QComboBox *box_, *baseBox_;
  FailureBanner* banner_;
  Transcript* text_;
  QList<TryModel> models_, extra_;
  struct Bases {
    QList<TryModel> fitting;
    QString chosen, named;
  };
  QHash<QString, Bases> bases_;  ///< of adapters from elsewhere, by their id
  QString chosen_, coming_;
  QTimer flushTimer_;
  bool running_ = false, shownQuestion_ = false;
  enum class Phase { Empty, Waiting, Loading, Reading, Writing, Done, Stopped, Failed } phase_ = Phase::Empty;
  QString reason_, template_;
  qint64 promptTokens_ = 0, tokens_ = 0;
  double firstSeconds_ = 0, seconds_ = 0;
};

}  // namespace cloister
