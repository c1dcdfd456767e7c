#include "widgets/train/run_chart.h"

#include <algorithm>
#include <cmath>

#include <QAbstractTableModel>
#include <QCheckBox>
#include <QComboBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QSaveFile>
#include <QSlider>
#include <QStackedLayout>
#include <QTableView>
#include <QToolButton>

#include "widgets/common/icons.h"
#include "widgets/common/plot.h"
#include "widgets/common/table.h"
#include "widgets/common/words.h"

namespace cloister {
namespace {

// Beyond this many points a line is drawn one pixel wide and without antialiasing: wide, antialiased strokes of a dense curve cost twenty
// times as much and look the same.
constexpr qsizetype kDensePoints = 20'000;
constexpr int kFrameMilliseconds = 100;  // ten redraws a second are smooth for an eye and light for a hospital PC
const QStringList kLossSeries{QStringLiteral("train/loss"), QStringLiteral("validation/loss")};

}  // namespace

/// The table twin of the chart, newest row last.
class CurveTableModel : public QAbstractTableModel {
 public:
  using QAbstractTableModel::QAbstractTableModel;
  void setCurves(std::shared_ptr<RunCurves> curves) {
    beginResetModel();
    curves_ = std::move(curves);
    shown_ = curves_ ? curves_->rows().size() : 0;
    cuts_ = curves_ ? curves_->cuts() : 0;
    endResetModel();
  }
  void grow() {
    if (curves_ && curves_->cuts() != cuts_) return setCurves(curves_);
    if (!curves_ || curves_->rows().size() <= shown_) return;
    beginInsertRows({}, int(shown_), int(curves_->rows().size()) - 1);
    shown_ = curves_->rows().size();
    endInsertRows();
  }
  int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : int(shown_); }
  int columnCount(const QModelIndex& = {}) const override { return 4; }
  QVariant data(const QModelIndex& i, int role) const override {
    if (role == Qt::TextAlignmentRole && i.column() != 2) return int(Qt::AlignRight | Qt::AlignVCenter);
    // Rows that a resume has just taken away are asked for until the next frame.
    if (role != Qt::DisplayRole || !curves_ || i.row() >= curves_->rows().size()) return {};
    const RunCurves::Row& r = curves_->rows().at(i.row());
    switch (i.column()) {
      case 0:
        return words::number(qint64(r.step));
      case 1:
        return words::figures(r.epoch);
      case 2:
        return RunChart::seriesTitle(r.series);
      default:
        return words::figures(r.value, 6);
    }
  }
  QVariant headerData(int section, Qt::Orientation o, int role) const override {
    if (o != Qt::Horizontal || role != Qt::DisplayRole) return {};
    const QString titles[] = {RunChart::tr("Step"), RunChart::tr("Epoch"), RunChart::tr("Series"), RunChart::tr("Value")};
    return titles[section];
  }

 private:
  std::shared_ptr<RunCurves> curves_;
  qsizetype shown_ = 0;
  int cuts_ = 0;
};

RunChart::RunChart(QWidget* parent) : QWidget(parent), plot_(new QCustomPlot(this)) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(space::kS);
  buildToolBar();
  buildPlot();
  tableModel_ = new CurveTableModel(this);
  tableView_ = new QTableView(this);
  tableView_->setModel(tableModel_);
  prepareTable(tableView_);
  tableView_->setSelectionBehavior(QAbstractItemView::SelectRows);
  tableView_->horizontalHeader()->setStretchLastSection(false);
  tableView_->horizontalHeader()->setSectionResizeMode(2, QHeaderView::Stretch);
  auto* holder = new QWidget(this);
  stack_ = new QStackedLayout(holder);
  stack_->addWidget(plot_);
  stack_->addWidget(tableView_);
  layout->addWidget(holder, 1);
  readout_ = new QLabel(this);
  setRole(readout_, "small");
  layout->addWidget(readout_);
  plot_->installEventFilter(this);

  frame_.setSingleShot(true);
  frame_.setInterval(kFrameMilliseconds);
  connect(&frame_, &QTimer::timeout, this, &RunChart::draw);
  whenThemed(this, [this] { applyColours(); });
  retranslate();
}

RunChart::~RunChart() = default;

void RunChart::buildToolBar() {
  auto* bar = new QHBoxLayout;
  bar->setSpacing(space::kS);
  log_ = new QCheckBox(this);
  follow_ = new QCheckBox(this);
  smoothingLabel_ = new QLabel(this);
  smoothing_ = new QSlider(Qt::Horizontal, this);
  smoothing_->setRange(0, 99);
  smoothing_->setFixedWidth(3 * space::kXl);
  smoothingLabel_->setBuddy(smoothing_);
  metric_ = new QComboBox(this);
  metric_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  whole_ = new QToolButton(this);
  export_ = new QToolButton(this);
  export_->setPopupMode(QToolButton::InstantPopup);
  export_->setMenu(new QMenu(export_));
  table_ = new QToolButton(this);
  table_->setCheckable(true);
  for (QWidget* w : std::initializer_list<QWidget*>{metric_, log_, smoothingLabel_, smoothing_, follow_}) bar->addWidget(w);
  bar->addStretch(1);
  for (QWidget* w : std::initializer_list<QWidget*>{whole_, table_, export_}) bar->addWidget(w);
  static_cast<QVBoxLayout*>(layout())->addLayout(bar);

  connect(log_, &QCheckBox::toggled, this, &RunChart::setLogarithmic);
  connect(follow_, &QCheckBox::toggled, this, &RunChart::setFollow);
  connect(smoothing_, &QSlider::valueChanged, this, [this] { rebuild(); });
  connect(metric_, &QComboBox::activated, this, [this](int i) { setMetric(metric_->itemData(i).toString()); });
  connect(whole_, &QToolButton::clicked, this, [this] {
    userView_ = false;
    follow_->setChecked(false);
    draw();
  });
  connect(table_, &QToolButton::toggled, this, [this](bool on) {
    stack_->setCurrentIndex(on ? 1 : 0);
    if (on) tableView_->scrollToBottom();
  });
}

void RunChart::buildPlot() {
  plot_->plotLayout()->clear();
  plot_->setAutoAddPlottableToLegend(false);
  plot_->setNoAntialiasingOnDrag(true);
  plot_->setMinimumHeight(5 * space::kXxl);
  top_ = new QCPAxisRect(plot_);
  bottom_ = new QCPAxisRect(plot_);
  plot_->plotLayout()->addElement(0, 0, top_);
  plot_->plotLayout()->addElement(1, 0, bottom_);
  plot_->plotLayout()->setRowStretchFactor(0, 3);
  plot_->plotLayout()->setRowStretchFactor(1, 2);
  plot_->plotLayout()->setRowSpacing(0);
  auto* margins = new QCPMarginGroup(plot_);
  for (QCPAxisRect* rect : {top_, bottom_}) {
    rect->setMarginGroup(QCP::msLeft | QCP::msRight, margins);
    rect->setRangeDrag(Qt::Horizontal);
    rect->setRangeZoom(Qt::Horizontal);
    auto* legend = new QCPLegend;
    rect->insetLayout()->addElement(legend, Qt::AlignTop | Qt::AlignRight);
    legend->setLayer(QStringLiteral("legend"));
    legend->setBorderPen(Qt::NoPen);
    (rect == top_ ? topLegend_ : bottomLegend_) = legend;
    rect->axis(QCPAxis::atLeft)->setNumberFormat(QStringLiteral("gb"));
    rect->axis(QCPAxis::atLeft)->setNumberPrecision(4);
  }
  bottom_->axis(QCPAxis::atBottom)->setNumberFormat(QStringLiteral("f"));
  bottom_->axis(QCPAxis::atBottom)->setNumberPrecision(0);
  top_->axis(QCPAxis::atBottom)->setTickLabels(false);
  plot_->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom | QCP::iSelectLegend);
  // One step axis: whichever is dragged or zoomed, the other goes along.
  QCPAxis *a = top_->axis(QCPAxis::atBottom), *b = bottom_->axis(QCPAxis::atBottom);
  connect(a, QOverload<const QCPRange&>::of(&QCPAxis::rangeChanged), b, QOverload<const QCPRange&>::of(&QCPAxis::setRange));
  connect(b, QOverload<const QCPRange&>::of(&QCPAxis::rangeChanged), a, QOverload<const QCPRange&>::of(&QCPAxis::setRange));
  connect(plot_, &QCustomPlot::mouseWheel, this, [this] { userView_ = true; });
  connect(plot_, &QCustomPlot::mousePress, this, [this] { userView_ = true; });
  connect(plot_, &QCustomPlot::mouseDoubleClick, this, [this] { whole_->click(); });
  connect(plot_, &QCustomPlot::mouseMove, this, &RunChart::showReadout);
  connect(plot_, &QCustomPlot::legendClick, this, [this](QCPLegend*, QCPAbstractLegendItem* item) {
    if (auto* entry = qobject_cast<QCPPlottableLegendItem*>(item)) {
      const bool visible = !entry->plottable()->visible();
      for (Line& line : lines_)
        if (line.raw == entry->plottable() || line.smooth == entry->plottable())
          for (QCPGraph* g : {line.raw, line.smooth})
            if (g) g->setVisible(visible);
      QColor text = Theme::current().tokens().text;
      if (!visible) text = Theme::current().tokens().line;
      entry->setTextColor(text);
      plot_->replot();
    }
  });
}

void RunChart::setRuns(const QList<QPair<QString, std::shared_ptr<RunCurves>>>& runs) {
  runs_ = runs;
  tableModel_->setCurves(runs.isEmpty() ? nullptr : runs.first().second);
  fillMetrics();
  rebuild();
}

void RunChart::grown() {
  if (!frame_.isActive()) frame_.start();
}

void RunChart::setLogarithmic(bool on) {
  log_->setChecked(on);
  QCPAxis* y = top_->axis(QCPAxis::atLeft);
  y->setScaleType(on ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
  y->setTicker(on ? QSharedPointer<QCPAxisTicker>(new QCPAxisTickerLog) : QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
  draw();
}

void RunChart::setSmoothing(double weight) { smoothing_->setValue(int(std::lround(weight * 100))); }

void RunChart::setFollow(bool on) {
  follow_->setChecked(on);
  userView_ = false;
  draw();
}

void RunChart::showTable(bool on) { table_->setChecked(on); }

void RunChart::setMetric(const QString& series) {
  chosen_ = series;
  fillMetrics();
  rebuild();
}

void RunChart::fillMetrics() {
  QStringList names;
  for (const auto& [run, curves] : runs_)
    for (auto it = curves->curves().begin(); it != curves->curves().end(); ++it)
      if (!kLossSeries.contains(it.key()) && !names.contains(it.key())) names << it.key();
  // The first validation comes later than the first step; the choice waits for it.
  if (!names.contains(chosen_)) names << chosen_;
  std::sort(names.begin(), names.end());
  QStringList present;
  for (int i = 0; i < metric_->count(); ++i) present << metric_->itemData(i).toString();
  if (present != names) {
    metric_->clear();
    for (const QString& name : names) metric_->addItem(seriesTitle(name), name);
  }
  metric_->setCurrentIndex(metric_->findData(chosen_));
}

void RunChart::rebuild() {
  topLegend_->clearItems();
  bottomLegend_->clearItems();
  plot_->clearGraphs();
  lines_.clear();
  plot_->clearItems();
  int index = 0;
  for (const auto& [run, curves] : runs_)
    for (const QString& series : kLossSeries) addLine(index++, run, curves, series, top_);
  index = 0;
  for (const auto& [run, curves] : runs_) addLine(index++, run, curves, chosen_, bottom_);
  bottom_->axis(QCPAxis::atLeft)->setLabel(seriesTitle(chosen_));
  bottomLegend_->setVisible(runs_.size() > 1);  // one run is named by the axis
  markResumes();
  draw();
}

void RunChart::addLine(int index, const QString& run, const std::shared_ptr<RunCurves>& curves, const QString& series, QCPAxisRect* rect) {
  const bool smooth = smoothing_->value() > 0 && !series.startsWith(u"validation/");
  Line line{run, series, curves};
  QCPLegend* legend = rect == top_ ? topLegend_ : bottomLegend_;
  auto graph = [&](double width, double opacity) {
    QCPGraph* g = plot_->addGraph(rect->axis(QCPAxis::atBottom), rect->axis(QCPAxis::atLeft));
    g->setPen(seriesPen(index, width, opacity));
    g->setAdaptiveSampling(true);  // min and max per pixel column: a million points stay cheap and no spike is lost
    return g;
  };
  line.raw = graph(smooth ? 1.0 : 1.6, smooth ? 0.35 : 1.0);
  if (series.startsWith(u"validation/")) line.raw->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, 5));
  if (smooth) line.smooth = graph(1.8, 1.0);
  QCPGraph* named = line.smooth ? line.smooth : line.raw;
  named->setName(runs_.size() > 1 ? run + QStringLiteral(" · ") + seriesTitle(series) : seriesTitle(series));
  named->addToLegend(legend);
  lines_ << line;
}

void RunChart::take(Line& line) {
  const auto it = line.curves->curves().constFind(line.series);
  if (it == line.curves->curves().constEnd()) return;
  const qsizetype n = it->step.size();
  if (line.cuts != line.curves->cuts()) {  // a resume cut the tail: this line starts over
    line.cuts = line.curves->cuts();
    line.raw->data()->clear();
    if (line.smooth) line.smooth->data()->clear();
    line.taken = 0;
    line.average = 0;
    line.bias = 1;
  }
  const double weight = smoothing_->value() / 100.0;
  QVector<QCPGraphData> raw, smooth;
  raw.reserve(n - line.taken);
  for (qsizetype i = line.taken; i < n; ++i) {
    raw << QCPGraphData(it->step[i], it->value[i]);
    if (!line.smooth || !std::isfinite(it->value[i])) continue;
    line.average = weight * line.average + (1 - weight) * it->value[i];
    line.bias *= weight;
    smooth << QCPGraphData(it->step[i], line.average / (1 - line.bias));
  }
  line.raw->data()->add(raw, true);
  if (line.smooth) line.smooth->data()->add(smooth, true);
  line.taken = n;
  for (QCPGraph* g : {line.raw, line.smooth})
    if (g && n > kDensePoints && g->antialiased()) {
      QPen pen = g->pen();
      pen.setWidthF(1);
      pen.setStyle(Qt::SolidLine);
      g->setPen(pen);
      g->setAntialiased(false);
    }
}

// As many figures beside an axis as have room: a low chart with ten of them cannot be read.
void RunChart::fitTicks() {
  const int line = QFontMetrics(Theme::current().font(TextSize::Small)).lineSpacing();
  for (QCPAxisRect* rect : {top_, bottom_}) {
    const int count = std::clamp(rect->height() / (3 * line), 2, 6);
    const QSharedPointer<QCPAxisTicker> ticker = rect->axis(QCPAxis::atLeft)->ticker();
    if (ticker->tickCount() != count) ticker->setTickCount(count);
  }
}

bool RunChart::eventFilter(QObject* watched, QEvent* event) {
  if (watched == plot_ && event->type() == QEvent::Resize && !frame_.isActive()) frame_.start();  // its own layout comes first
  return QWidget::eventFilter(watched, event);
}

void RunChart::draw() {
  ++redraws_;
  for (Line& line : lines_) take(line);
  fillMetrics();
  tableModel_->grow();
  if (!userView_) fitAxes();
  fitTicks();
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

void RunChart::fitAxes() {
  double last = 10;  // steps are whole: fewer would repeat the figures of the axis
  for (const auto& [run, curves] : runs_) last = std::max(last, curves->lastStep());
  // Follow shows the newest tenth (at least 200 steps); otherwise the whole history.
  const double from = follow_->isChecked() ? std::max(0.0, last - std::max(200.0, last / 10)) : 0;
  bottom_->axis(QCPAxis::atBottom)->setRange(from, last * 1.01);
  for (QCPAxisRect* rect : {top_, bottom_}) {
    QCPAxis* y = rect->axis(QCPAxis::atLeft);
    bool any = false;
    QCPRange range;
    for (QCPGraph* g : rect->graphs()) {
      if (!g->visible()) continue;
      bool found = false;
      const QCPRange r =
          g->getValueRange(found, y->scaleType() == QCPAxis::stLogarithmic ? QCP::sdPositive : QCP::sdBoth, QCPRange(from, last * 1.01));
      if (!found) continue;
      if (any) range.expand(r);
      else range = r;
      any = true;
    }
    if (!any) range = QCPRange(y->scaleType() == QCPAxis::stLogarithmic ? 0.01 : 0, 1);
    if (y->scaleType() == QCPAxis::stLogarithmic) y->setRange(range.lower * 0.8, range.upper * 1.25);
    else {
      const double pad = std::max(range.size() * 0.06, std::abs(range.upper) * 1e-3 + 1e-9);
      y->setRange(range.lower - pad, range.upper + pad);
    }
  }
}

void RunChart::markResumes() {
  for (const auto& [run, curves] : runs_)
    for (const double step : curves->resumeSteps())
      for (QCPAxisRect* rect : {top_, bottom_}) {
        auto* mark = new QCPItemStraightLine(plot_);
        mark->setClipAxisRect(rect);
        for (QCPItemPosition* p : {mark->point1, mark->point2}) {
          p->setAxisRect(rect);
          p->setAxes(rect->axis(QCPAxis::atBottom), rect->axis(QCPAxis::atLeft));
          p->setTypeX(QCPItemPosition::ptPlotCoords);
          p->setTypeY(QCPItemPosition::ptAxisRectRatio);
        }
        mark->point1->setCoords(step, 0);
        mark->point2->setCoords(step, 1);
        mark->setPen(QPen(Theme::current().tokens().warning, 1, Qt::DotLine));
      }
}

void RunChart::showReadout(QMouseEvent* event) {
  const double step = bottom_->axis(QCPAxis::atBottom)->pixelToCoord(event->position().x());
  QStringList parts;
  for (const Line& line : lines_) {
    if (!line.raw->visible() || line.raw->dataCount() == 0) continue;
    const auto at = line.raw->data()->findBegin(step);
    if (at == line.raw->data()->constEnd()) continue;
    parts << tr("%1 at step %2: %3").arg(seriesTitle(line.series), words::number(qint64(at->key)), words::figures(at->value, 4));
  }
  readout_->setText(parts.join(QStringLiteral("   ")));
}

bool RunChart::savePng(const QString& path) const { return plot_->savePng(path, 0, 0, 2.0); }

bool RunChart::saveSvg(const QString& path) const { return savePlotSvg(plot_, path, runs_.isEmpty() ? QString() : runs_.first().first); }

bool RunChart::saveCsv(const QString& path) const {
  QSaveFile file(path);
  if (!file.open(QIODevice::WriteOnly)) return false;
  bool first = true;
  for (const auto& [run, curves] : runs_) {
    QByteArray csv = curves->csv(run);
    if (!first) csv = csv.mid(csv.indexOf('\n') + 1);  // one header for all runs
    first = false;
    file.write(csv);
  }
  return file.commit();
}

void RunChart::exportTo(const QString& suffix) {
  const QString name = runs_.isEmpty() ? QStringLiteral("chart") : runs_.first().first;
  auto* dialog = new QFileDialog(this, tr("Save the chart"), name + '.' + suffix, QStringLiteral("*.") + suffix);
  dialog->setAcceptMode(QFileDialog::AcceptSave);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QFileDialog::fileSelected, this, [this, suffix](const QString& path) {
    const bool saved = suffix == u"png" ? savePng(path) : suffix == u"svg" ? saveSvg(path) : saveCsv(path);
    if (!saved) Q_EMIT saveFailed(path);
  });
  dialog->open();
}

void RunChart::applyColours() {
  applyTheme(plot_);
  for (QCPLegend* legend : {topLegend_, bottomLegend_}) {
    legend->setBrush(QBrush(Theme::current().tokens().panel));
    legend->setTextColor(Theme::current().tokens().text);
    legend->setFont(Theme::current().font(TextSize::Small));
  }
  rebuild();
}

QString RunChart::seriesTitle(const QString& series) {
  static const QMap<QString, const char*> kTitles{
      {QStringLiteral("train/loss"), QT_TR_NOOP("Training loss")},
      {QStringLiteral("validation/loss"), QT_TR_NOOP("Validation loss")},
      {QStringLiteral("validation/auc"), QT_TR_NOOP("Validation AUC")},
      {QStringLiteral("validation/perplexity"), QT_TR_NOOP("Validation perplexity")},
      {QStringLiteral("tokens_per_second"), QT_TR_NOOP("Tokens per second")},
      {QStringLiteral("validation/accuracy"), QT_TR_NOOP("Validation accuracy")},
      {QStringLiteral("validation/balanced_accuracy"), QT_TR_NOOP("Validation balanced accuracy")},
      {QStringLiteral("learning_rate"), QT_TR_NOOP("Learning rate")},
      {QStringLiteral("gradient_norm"), QT_TR_NOOP("Gradient norm")},
      {QStringLiteral("samples_per_second"), QT_TR_NOOP("Samples per second")},
      {QStringLiteral("memory_bytes"), QT_TR_NOOP("Memory (bytes)")}};
  const auto it = kTitles.constFind(series);
  return it == kTitles.constEnd() ? series : tr(*it);
}

void RunChart::retranslate() {
  log_->setText(tr("Log axis"));
  log_->setToolTip(tr("Logarithmic loss axis"));
  follow_->setText(tr("Follow"));
  follow_->setToolTip(tr("Keep the newest points in view"));
  smoothingLabel_->setText(tr("Smoothing"));
  smoothing_->setAccessibleName(tr("Smoothing of the training curves"));
  metric_->setAccessibleName(tr("Metric of the lower chart"));
  whole_->setIcon(themedIcon("fit"));
  whole_->setToolTip(tr("Whole history"));
  whole_->setAccessibleName(tr("Whole history"));
  table_->setText(tr("Table"));
  table_->setToolTip(tr("The same curves as a table"));
  export_->setText(tr("Save"));
  export_->menu()->clear();
  export_->menu()->addAction(tr("Picture (PNG)"), this, [this] { exportTo(QStringLiteral("png")); });
  export_->menu()->addAction(tr("Vector picture (SVG)"), this, [this] { exportTo(QStringLiteral("svg")); });
  export_->menu()->addAction(tr("Numbers (CSV)"), this, [this] { exportTo(QStringLiteral("csv")); });
  plot_->setAccessibleName(tr("Training chart. The Table button shows the same values as text."));
  tableView_->setAccessibleName(tr("Values of the training chart"));
  top_->axis(QCPAxis::atLeft)->setLabel(tr("Loss"));
  bottom_->axis(QCPAxis::atBottom)->setLabel(tr("Step"));
  metric_->clear();
  fillMetrics();
  rebuild();
}

}  // namespace cloister
