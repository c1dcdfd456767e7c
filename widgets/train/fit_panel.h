// Will it fit: memory by part against what is free, disk, time, and one sentence of advice when it does not. Fed by FitReport. Main thread.
#pragma once
#include <QFrame>

#include "core/runs/run_supervisor.h"

class QLabel;

namespace cloister {

class MemoryBar;

class FitPanel : public QFrame {
  Q_OBJECT
 public:
  explicit FitPanel(QWidget* parent = nullptr);
  void showReport(const FitReport&);
  void showUnknown(const QString& why);  ///< while it is being worked out, or when it cannot be
  /// Devices of this machine with their free memory, from hardwareInventory().
  void showDevices(const QJsonObject& inventory);
  void retranslate();

 private:
  void fill();
  FitReport report_;
  QJsonObject inventory_;
  QString unknown_;
  bool known_ = false;
  QLabel *title_, *verdict_, *figures_, *advice_, *devices_;
  MemoryBar* bar_;
};

}  // namespace cloister
