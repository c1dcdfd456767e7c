// The first line of a sheet: its name and the button that closes it. Main thread.
#pragma once
#include <QHBoxLayout>

class QFrame;
class QLabel;
class QToolButton;
class QVBoxLayout;

namespace cloister {

struct SheetHeader {
  QLabel* title = nullptr;
  QToolButton* close = nullptr;
  /// Words of both, and the sheet's own name for screen readers.
  void setTexts(const QString& name, const QString& closeTip) const;
};

/// Makes the frame a sheet: role, margins, and a column (returned) that begins with the header.
QVBoxLayout* beginSheet(QFrame* sheet, SheetHeader& header);

}  // namespace cloister
