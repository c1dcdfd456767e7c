// Freeze texts as a sheet: the shares of training, validation and test, the seed, and before it happens what each part would get and what
// to know. Main thread.
#pragma once
#include <QFrame>
#include <QTimer>

#include "core/curation/text_dataset.h"
#include "widgets/common/sheet_header.h"

class QLabel;
class QPushButton;
class QSpinBox;

namespace cloister {

class LongTask;
class ProgressStrip;
class StoreClient;

class FreezeTextsSheet : public QFrame {
  Q_OBJECT
 public:
  FreezeTextsSheet(StoreClient& store, QWidget* parent);
  void begin();
  void stop();  ///< the checks under way
  bool canFreeze() const;
  void freeze();
  bool freezing() const { return freezing_; }

 Q_SIGNALS:
  void changed();
  void closed();
  void frozen(cloister::Snapshot);
  void failed(cloister::Failure);

 private:
  TextSplit split() const;
  int sum() const;
  void ask();
  void answered(const Result<TextCheck>&);
  void showParts();
  void showOutlook();
  void retranslate();

  StoreClient& store_;
  QTimer later_;
  std::optional<TextCheck> check_;
  std::optional<Failure> failure_;
  LongTask* task_;
  ProgressStrip* progress_;
  QPushButton* retry_;
  bool again_ = false, freezing_ = false, stopped_ = false;
  SheetHeader header_;
  QLabel *splitTitle_, *trainLabel_, *validationLabel_, *testLabel_, *seedLabel_, *sumHint_, *note_, *outlookTitle_, *outlook_, *findings_;
  QSpinBox *train_, *validation_, *test_, *seed_;
};

}  // namespace cloister
