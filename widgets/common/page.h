// A page of the left rail: title row, failure banner, body, and a footer with the one primary button that is the next step. When
// missing() says why the page cannot be used yet, the frame of the page shows that reason and the way there instead of the body.
// The frame (MainWindow) creates, shows and refreshes pages. Main thread.
#pragma once
#include <QString>
#include <QStringList>
#include <QWidget>

class QHBoxLayout;
class QLabel;
class QPushButton;
class QStackedLayout;
class QVBoxLayout;

namespace cloister {

class FailureBanner;
class ProgressStrip;
class StoreClient;
struct Failure;

/// Stable ids: file names of the tour, settings, Ctrl+1…7 in this order.
namespace page {
inline constexpr char kProject[] = "project", kData[] = "data", kTexts[] = "texts", kTrain[] = "train", kEvaluate[] = "evaluate",
                      kTry[] = "try", kExport[] = "export", kVerify[] = "verify", kSystem[] = "system", kSettings[] = "settings";
}

class Page : public QWidget {
  Q_OBJECT
 public:
  enum class Mark { None, Done, Running };  ///< a tick, a dot
  struct Missing {
    QString reason;  ///< a sentence: "There is no snapshot yet: freeze one on the Data page." Empty: nothing is missing
    QString goTo;    ///< page id that makes it, may be empty
    QString action;  ///< words of the button that goes there: "Go to Data"
  };

  Page(const char* id, StoreClient& store, QWidget* parent = nullptr);
  QString id() const { return id_; }

  virtual QString title() const = 0;                     ///< also the word in the rail
  virtual QString subtitle() const { return {}; }        ///< one quiet line beside the title
  virtual Missing missing() const { return {}; }         ///< from store().state() only: called often, main thread
  virtual Mark mark() const { return Mark::None; }       ///< the same
  virtual QString help() const { return {}; }            ///< rich text for F1, works offline
  virtual void refresh() {}                              ///< shown, or the state changed while shown: read what is new
  virtual void retranslate() {}                          ///< after a change of language; also called once after construction by the frame
  virtual bool search(const QString&) { return false; }  ///< true when this page searches by itself; otherwise Data does
  virtual QWidget* inspector() { return nullptr; }       ///< what the right panel shows for this page, owned by the page's frame
  virtual QString inspectorTitle() const { return {}; }
  /// Further views worth a picture (tabs, sheets): the tour shows each after the page itself.
  virtual QStringList views() const { return {}; }
  virtual void openView(const QString&) {}  ///< one of views(), or empty: as the page comes up, with something selected
  virtual void inspectorClosed() {}         ///< the person closed it
  /// Tasks of this page in the run strip: which have a Stop, and what it does.
  virtual bool canStopTask(const QString&) const { return false; }
  virtual void stopTask(const QString&) {}

  /// Title, missing panel and texts anew. The frame calls it on language and state changes; pages may.
  void update_();
  /// Keyboard focus to the first control (F6).
  void focusFirst() { focusNextPrevChild(true); }
  FailureBanner& banner() { return *banner_; }

 Q_SIGNALS:
  void goTo(QString pageId);
  void inspect(bool show);                                                                           ///< open or close the right panel
  void taskChanged(QString id, QString title, QString detail, double fraction, double secondsLeft);  ///< a line for the run strip
  void taskEnded(QString id);
  void markChanged();  ///< mark() may answer differently now

 protected:
  StoreClient& store() const { return store_; }
  /// Where a page puts its content. No margins of its own.
  QVBoxLayout* body() const { return body_; }
  /// A column that scrolls as a whole and fills the body.
  QVBoxLayout* addScrolledColumn();
  /// The first thing that any page but Project and Verify lacks; empty once a project is open.
  Missing projectMissing() const;
  /// Beside the title, right: search, view switches.
  QHBoxLayout* headerTools() const { return tools_; }
  /// Left part of the footer: secondary buttons, a hint.
  QHBoxLayout* footerTools() const { return footer_; }
  /// The one primary button, bottom right. Hidden until it has a text.
  QPushButton* primary() const { return primary_; }
  void setPrimaryText(const QString&);
  void showFailure(const Failure&);

 private:
  QString id_;
  StoreClient& store_;
  QLabel *title_, *subtitle_, *reason_, *missingIcon_;
  QPushButton *primary_, *missingButton_;
  FailureBanner* banner_;
  QWidget* toolsWidget_;
  QHBoxLayout *tools_, *footer_;
  QVBoxLayout* body_;
  QStackedLayout* stack_;
  QWidget* footerWidget_;
};

}  // namespace cloister
