// The live chart: loss above, one chosen metric below, one step axis. Any number of runs laid over each other; log axis, smoothing, whole
// history or follow the newest point, resume markers, legend that toggles, export as PNG, SVG and CSV, and the same curve as a table for
// screen readers. Redraws at most ten times a second whatever arrives. Main thread.
#pragma once
#include <memory>

#include <QTimer>
#include <QWidget>

#include "widgets/train/run_curves.h"

class QCPAxisRect;
class QCPGraph;
class QCPLegend;
class QCheckBox;
class QComboBox;
class QCustomPlot;
class QLabel;
class QSlider;
class QStackedLayout;
class QTableView;
class QToolButton;

namespace cloister {

class CurveTableModel;

class RunChart : public QWidget {
  Q_OBJECT
 public:
  explicit RunChart(QWidget* parent = nullptr);
  ~RunChart() override;

  /// The runs on the chart in order; the first is the one whose table and CSV are shown. Curves are shared and may grow.
  void setRuns(const QList<QPair<QString, std::shared_ptr<RunCurves>>>& runs);
  /// New points arrived in one of them: drawn with the next frame.
  void grown();
  void retranslate();

  // What a person can set, for tests and restored settings.
  void setLogarithmic(bool);
  void setSmoothing(double weight);  ///< 0…0.99, debiased exponential moving average
  void setFollow(bool);
  void showTable(bool);
  static QString seriesTitle(const QString& series);  ///< "Training loss" for train/loss
  void setMetric(const QString& series);
  bool eventFilter(QObject* watched, QEvent* event) override;
  int redraws() const { return redraws_; }
  QCustomPlot* plot() const { return plot_; }
  bool savePng(const QString& path) const;
  bool saveSvg(const QString& path) const;
  bool saveCsv(const QString& path) const;

 Q_SIGNALS:
  void saveFailed(QString path);

 private:
  struct Line {
    QString run, series;
    std::shared_ptr<RunCurves> curves;
    QCPGraph *raw = nullptr, *smooth = nullptr;
    qsizetype taken = 0;  ///< points already in the graphs
    double average = 0, bias = 1;
    int cuts = 0;  ///< of the curves when they were taken last
  };
  void buildToolBar();
  void buildPlot();
  void rebuild();  ///< graphs anew: runs, metric or smoothing changed
  void addLine(int index, const QString& run, const std::shared_ptr<RunCurves>&, const QString& series, QCPAxisRect*);
  void draw();
  void take(Line&);
  void fitAxes();
  void fitTicks();
  void fillMetrics();
  void markResumes();
  void showReadout(class QMouseEvent*);
  void exportTo(const QString& suffix);
  void applyColours();

  QList<QPair<QString, std::shared_ptr<RunCurves>>> runs_;
  QList<Line> lines_;
  QCustomPlot* plot_;
  QCPAxisRect *top_ = nullptr, *bottom_ = nullptr;
  QCPLegend *topLegend_ = nullptr, *bottomLegend_ = nullptr;
  QCheckBox *log_, *follow_;
  QSlider* smoothing_;
  QLabel *smoothingLabel_, *readout_;
  QComboBox* metric_;
  QToolButton *whole_, *export_, *table_;
  QTableView* tableView_;
  CurveTableModel* tableModel_;
  QStackedLayout* stack_;
  QTimer frame_;
  QString chosen_ = QStringLiteral("validation/auc");
  int redraws_ = 0;
  bool userView_ = false;  ///< the person zoomed or dragged: leave the axes alone until Whole history or Follow
};

}  // namespace cloister
