// The inspector of the Data page: the selected sample as a picture with window and level, frames, its facts and its header. Pixels come
// from cloister-ingest (a child process) and are windowed on pool threads, newest wish first. Main thread.
#pragma once
#include <memory>

#include <QCache>
#include <QTimer>
#include <QWidget>

#include "core/domain/sample.h"
#include "core/extension/source_plugin.h"

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QSlider;
class QTabWidget;
class QToolButton;
class QVBoxLayout;

namespace cloister {

class HeaderTable;
class ImageCanvas;
class IngestTask;
class StoreClient;

class Viewer : public QWidget {
  Q_OBJECT
 public:
  explicit Viewer(StoreClient& store, QWidget* parent = nullptr);
  /// objectPath: the original bytes in objects/.
  void show_(const Sample& sample, const QString& objectPath);
  void clear();
  void showHeader(bool);  ///< the tab with the header, or the one with the facts
  qint64 shownId() const { return sample_.id; }

 private:
  void buildControls(QVBoxLayout*);
  void load(int frame);
  void loaded(const QJsonObject& answer);
  void fillPresets();
  void render();
  void setWindow(double center, double width);
  void drag(double dx, double dy);
  void play(bool on);
  void fillFacts();
  void retranslate();

  StoreClient& store_;
  Sample sample_;
  QString path_;
  int frame_ = 0, generation_ = 0;
  double center_ = 0, width_ = 0, firstCenter_ = 0, firstWidth_ = 0, low_ = 0, high_ = 1;
  bool rendering_ = false, renderAgain_ = false, filling_ = false;
  std::shared_ptr<const DecodedFrame> pixels_;
  QCache<int, std::shared_ptr<const DecodedFrame>> frames_;  ///< cost in KiB
  QJsonObject answer_;
  IngestTask* task_;
  QTimer player_;

  ImageCanvas* canvas_;
  QTabWidget* tabs_;
  QWidget *windowRow_, *frameRow_;
  QLabel *centerLabel_, *widthLabel_, *frameLabel_, *facts_;
  QDoubleSpinBox *centerBox_, *widthBox_;
  QComboBox* presets_;
  QSlider* slider_;
  QToolButton *play_, *fit_;
  HeaderTable* header_;
};

}  // namespace cloister
