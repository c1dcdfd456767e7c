// Freeze snapshot as a sheet: split (by patient unless a reason is typed), seed, preprocessing, and before it happens what would come out:
// samples and groups of each split and the findings that stop it. Main thread.
#pragma once
#include <QFrame>
#include <QTimer>

#include "core/curation/dataset.h"
#include "widgets/common/sheet_header.h"

class QCheckBox;
class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QSpinBox;

namespace cloister {

class StoreClient;

class FreezeSheet : public QFrame {
  Q_OBJECT
 public:
  explicit FreezeSheet(StoreClient& store, QWidget* parent = nullptr);
  void begin();
  bool canFreeze() const;
  void freeze();
  bool freezing() const { return freezing_; }

 Q_SIGNALS:
  void changed();
  void closed();
  void frozen(cloister::Snapshot);
  void failed(cloister::Failure);

 private:
  struct Outlook {
    QMap<QString, qint64> samples;  ///< by split
    qint64 groups = 0, left = 0;    ///< left: unlabelled or excluded
    QList<Finding> findings;
    std::optional<Failure> failure;
  };
  static Outlook look(Project&, const SplitRequest&);
  SplitRequest splitRequest() const;
  Preprocessing preprocessing() const;
  QWidget* buildSplit();
  QWidget* buildPixels();
  QWidget* buildOutlook();
  void askOutlook();
  void showOutlook();
  void edited();
  void retranslate();
  bool needsReason() const;

  StoreClient& store_;
  Outlook outlook_;
  bool known_ = false, asking_ = false, askAgain_ = false, freezing_ = false;
  QTimer later_;
  QLabel *splitTitle_, *pixelTitle_, *outlookTitle_, *trainLabel_, *validationLabel_, *testLabel_, *sumHint_, *groupLabel_, *seedLabel_,
      *reasonLabel_, *sizeLabel_, *channelsLabel_, *windowLabel_, *fitLabel_, *outlookText_, *outlookFindings_;
  SheetHeader header_;
  QSpinBox *train_, *validation_, *test_, *seed_, *size_;
  QComboBox *group_, *channels_, *window_, *fit_;
  QCheckBox* stratify_;
  QLineEdit *reason_, *windowValues_;
};

}  // namespace cloister
