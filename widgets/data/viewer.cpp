#include "widgets/data/viewer.h"

#include <cmath>

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QScrollArea>
#include <QSlider>
#include <QTabWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/data/frame_image.h"
#include "widgets/data/header_table.h"
#include "widgets/data/image_canvas.h"
#include "widgets/data/ingest_task.h"

namespace cloister {
namespace {

constexpr int kFrameCacheKiB = 256 << 10;
constexpr int kPlayMs = 80;

// Window presets that radiologists use for CT (centre, width in HU).
struct CtPreset {
  const char* name;
  double center, width;
};
constexpr CtPreset kCt[] = {{QT_TRANSLATE_NOOP("cloister::Viewer", "Lung"), -600, 1500},
                            {QT_TRANSLATE_NOOP("cloister::Viewer", "Soft tissue"), 40, 400},
                            {QT_TRANSLATE_NOOP("cloister::Viewer", "Bone"), 400, 1800},
                            {QT_TRANSLATE_NOOP("cloister::Viewer", "Brain"), 40, 80}};

// Paths and digests have no spaces: a zero-width one every few characters lets them wrap.
QString breakable(const QString& text) {
  QString out;
  int since = 0;
  for (const QChar c : text) {
    out += c;
    since = c.isSpace() ? 0 : since + 1;
    if (since >= 16 || c == u'/' || c == u'_') {
      out += QChar(0x200B);
      since = 0;
    }
  }
  return out;
}

}  // namespace

Viewer::Viewer(StoreClient& store, QWidget* parent)
    : QWidget(parent), store_(store), frames_(kFrameCacheKiB), task_(new IngestTask(store, this)) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(space::kS);
  canvas_ = new ImageCanvas(this);
  column->addWidget(canvas_, 3);
  buildControls(column);
  tabs_ = new QTabWidget(this);
  tabs_->setDocumentMode(true);
  auto* scroll = new QScrollArea(tabs_);
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  facts_ = new QLabel(scroll);
  facts_->setWordWrap(true);
  facts_->setAlignment(Qt::AlignTop);
  facts_->setContentsMargins(0, space::kS, 0, 0);
  facts_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  scroll->setWidget(facts_);
  header_ = new HeaderTable(tabs_);
  tabs_->addTab(scroll, QString());
  tabs_->addTab(header_, QString());
  column->addWidget(tabs_, 2);

  player_.setInterval(kPlayMs);
  connect(&player_, &QTimer::timeout, this, [this] {
    if (!task_->running()) load((frame_ + 1) % std::max(1, sample_.frames));
  });
  connect(canvas_, &ImageCanvas::dragged, this, &Viewer::drag);
  connect(canvas_, &ImageCanvas::reset, this, [this] {
    canvas_->fit();
    setWindow(firstCenter_, firstWidth_);
  });
  connect(canvas_, &ImageCanvas::frameStep, this, [this](int step) {
    if (sample_.frames > 1) slider_->setValue(slider_->value() + step);
  });
  connect(canvas_, &ImageCanvas::playToggled, this, [this] { play(!player_.isActive()); });
  whenTranslated(this, [this] { retranslate(); });
}

void Viewer::buildControls(QVBoxLayout* column) {
  windowRow_ = new QWidget(this);
  auto* row = new QHBoxLayout(windowRow_);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(space::kXs);
  const auto box = [this](double least) {
    auto* b = new QDoubleSpinBox(windowRow_);
    b->setDecimals(0);
    b->setRange(least, 1e7);
    b->setButtonSymbols(QAbstractSpinBox::NoButtons);
    b->setKeyboardTracking(false);
    connect(b, &QDoubleSpinBox::valueChanged, this, [this] {
      if (!filling_) setWindow(centerBox_->value(), widthBox_->value());
    });
    return b;
  };
  centerLabel_ = new QLabel(windowRow_);
  widthLabel_ = new QLabel(windowRow_);
  centerBox_ = box(-1e7);
  widthBox_ = box(1);
  centerLabel_->setBuddy(centerBox_);
  widthLabel_->setBuddy(widthBox_);
  presets_ = new QComboBox(this);
  presets_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  presets_->setMinimumContentsLength(6);
  fit_ = new QToolButton(windowRow_);
  fit_->setIcon(themedIcon("fit"));
  row->addWidget(centerLabel_);
  row->addWidget(centerBox_, 1);
  row->addWidget(widthLabel_);
  row->addWidget(widthBox_, 1);
  row->addWidget(fit_);
  column->addWidget(windowRow_);
  column->addWidget(presets_);
  connect(presets_, &QComboBox::activated, this, [this](int i) {
    const QPointF window = presets_->itemData(i).toPointF();
    setWindow(window.x(), window.y());
  });
  connect(fit_, &QToolButton::clicked, canvas_, &ImageCanvas::fit);

  frameRow_ = new QWidget(this);
  auto* frames = new QHBoxLayout(frameRow_);
  frames->setContentsMargins(0, 0, 0, 0);
  frames->setSpacing(space::kS);
  play_ = new QToolButton(frameRow_);
  play_->setIcon(themedIcon("play"));
  slider_ = new QSlider(Qt::Horizontal, frameRow_);
  frameLabel_ = new QLabel(frameRow_);
  frames->addWidget(play_);
  frames->addWidget(slider_, 1);
  frames->addWidget(frameLabel_);
  column->addWidget(frameRow_);
  frameRow_->hide();
  connect(play_, &QToolButton::clicked, this, [this] { play(!player_.isActive()); });
  connect(slider_, &QSlider::valueChanged, this, [this](int frame) {
    if (!filling_) load(frame);
  });
}

void Viewer::retranslate() {
  canvas_->setAccessibleName(tr("Picture"));
  canvas_->setAccessibleDescription(
      tr("Drag sideways to change the window's width, up and down for its level. Double-click to reset. "
         "The wheel turns frames, with Ctrl it zooms. Space plays."));
  canvas_->setToolTip(canvas_->accessibleDescription());
  centerLabel_->setText(tr("Level"));
  widthLabel_->setText(tr("Width"));
  centerBox_->setAccessibleName(tr("Window level"));
  widthBox_->setAccessibleName(tr("Window width"));
  presets_->setAccessibleName(tr("Window presets"));
  fit_->setToolTip(tr("Fit the picture to the space"));
  fit_->setAccessibleName(fit_->toolTip());
  slider_->setAccessibleName(tr("Frame"));
  tabs_->setTabText(0, tr("Facts"));
  tabs_->setTabText(1, tr("Header"));
  tabs_->setAccessibleName(tr("Facts and header of the sample"));
  play(player_.isActive());
  if (sample_.id > 0) {
    fillFacts();
    fillPresets();
  } else {
    canvas_->setMessage(tr("Select a sample to see it here."));
  }
}

void Viewer::showHeader(bool on) { tabs_->setCurrentIndex(on ? 1 : 0); }

void Viewer::clear() {
  ++generation_;
  task_->cancel();
  play(false);
  sample_ = {};
  pixels_.reset();
  frames_.clear();
  facts_->clear();
  header_->setHeader({});
  canvas_->setMessage(tr("Select a sample to see it here."));
}

void Viewer::show_(const Sample& sample, const QString& objectPath) {
  const bool same = sample.sha256 == sample_.sha256 && sample.frame == sample_.frame && pixels_;
  sample_ = sample;
  path_ = objectPath;
  fillFacts();
  if (same) return;  // only the label changed
  play(false);
  frames_.clear();
  pixels_.reset();
  firstWidth_ = width_ = 0;
  filling_ = true;
  slider_->setRange(0, std::max(0, sample.frames - 1));
  slider_->setValue(sample.frame);
  filling_ = false;
  frameRow_->setVisible(sample.frames > 1);
  load(sample.frame);
}

void Viewer::load(int frame) {
  frame_ = frame;
  filling_ = true;
  slider_->setValue(frame);
  filling_ = false;
  frameLabel_->setText(tr("Frame %1 of %2").arg(words::number(frame + 1), words::number(sample_.frames)));
  if (auto* known = frames_.object(frame)) {
    pixels_ = *known;
    render();
    return;
  }
  const int generation = ++generation_;
  if (!pixels_) canvas_->setMessage(tr("Reading…"));
  task_->start("render", {{"file", path_}, {"frame", frame}}, [this, generation](const Result<QJsonObject>& answer) {
    if (generation != generation_) return;
    if (!answer) {
      play(false);
      canvas_->setMessage(describe(answer.error()));
      return;
    }
    const QString raw = task_->outFile();
    store_.background([raw, object = *answer] { return readFrame(raw, object); }, this,
                      [this, generation, object = *answer](const Result<std::shared_ptr<const DecodedFrame>>& pixels) {
                        if (generation != generation_) return;
                        if (!pixels) {
                          canvas_->setMessage(describe(pixels.error()));
                          return;
                        }
                        pixels_ = *pixels;
                        const qint64 bytes = qint64(pixels_->grey.size() * sizeof(float) + pixels_->rgb.size());
                        frames_.insert(frame_, new std::shared_ptr<const DecodedFrame>(pixels_), int(bytes >> 10) + 1);
                        loaded(object);
                      });
  });
}

void Viewer::loaded(const QJsonObject& answer) {
  const bool first = firstWidth_ <= 0 && answer_ != answer;
  answer_ = answer;
  header_->setHeader(answer["header"].toArray());
  windowRow_->setVisible(pixels_->channels == 1);
  presets_->setVisible(pixels_->channels == 1);
  if (pixels_->channels == 1 && (first || width_ <= 0)) {
    low_ = answer["minimum"].toDouble();
    high_ = std::max(low_ + 1, answer["maximum"].toDouble());
    const QJsonObject window = answer["window"].toObject();
    firstCenter_ = window["center"].toDouble((low_ + high_) / 2);
    firstWidth_ = window["width"].toDouble();
    if (firstWidth_ <= 0) {  // a lookup table stands in the file: start from the whole range
      firstCenter_ = (low_ + high_) / 2;
      firstWidth_ = high_ - low_;
    }
    fillPresets();
    setWindow(firstCenter_, firstWidth_);
    return;
  }
  render();
}

void Viewer::fillPresets() {
  presets_->clear();
  const auto add = [this](const QString& name, double center, double width) { presets_->addItem(name, QPointF(center, width)); };
  add(tr("As imported"), firstCenter_, firstWidth_);
  for (const QJsonValue& v : answer_["windows"].toArray()) {
    const QJsonObject w = v.toObject();
    const QString name = w["explanation"].toString();
    const double center = w["center"].toDouble(), width = w["width"].toDouble();
    add(name.isEmpty() ? tr("File: %1 / %2").arg(words::figures(center), words::figures(width)) : name, center, width);
  }
  add(tr("Whole range"), (low_ + high_) / 2, high_ - low_);
  if (sample_.modality == u"CT")
    for (const CtPreset& p : kCt) add(tr(p.name), p.center, p.width);
}

void Viewer::setWindow(double center, double width) {
  center_ = center;
  width_ = std::max(1.0, width);
  filling_ = true;
  const int decimals = high_ - low_ < 20 ? 2 : 0;
  for (QDoubleSpinBox* box : {centerBox_, widthBox_}) box->setDecimals(decimals);
  centerBox_->setValue(center_);
  widthBox_->setValue(width_);
  filling_ = false;
  render();
}

void Viewer::drag(double dx, double dy) {
  if (!pixels_ || pixels_->channels == 3) return;
  const double range = std::max(1.0, std::max(firstWidth_, 0.25 * (high_ - low_)));
  setWindow(center_ + dy * range, width_ + dx * range);
}

// One picture at a time on the pool; what changed meanwhile is drawn next, so that dragging never queues up.
void Viewer::render() {
  if (!pixels_) return;
  if (rendering_) {
    renderAgain_ = true;
    return;
  }
  rendering_ = true;
  store_.background([pixels = pixels_, center = center_, width = width_] { return windowed(*pixels, center, width); }, this,
                    [this, shown = pixels_](const QImage& image) {
                      rendering_ = false;
                      if (pixels_ && (shown == pixels_ || !renderAgain_)) canvas_->setImage(image);
                      if (std::exchange(renderAgain_, false)) render();
                    });
}

void Viewer::play(bool on) {
  const bool can = on && sample_.frames > 1;
  if (can) player_.start();
  else player_.stop();
  play_->setIcon(themedIcon(can ? "pause" : "play"));
  play_->setToolTip(can ? tr("Pause (Space)") : tr("Play the frames (Space)"));
  play_->setAccessibleName(play_->toolTip());
}

void Viewer::fillFacts() {
  const Sample& s = sample_;
  QStringList rows;
  const auto add = [&rows](const QString& name, const QString& value) {
    if (!value.isEmpty())
      rows << QStringLiteral("<tr><td style='padding-right:12px'><span style='color:%1'>%2</span></td><td>%3</td></tr>")
                  .arg(Theme::current().tokens().quiet.name(), name.toHtmlEscaped(), breakable(value).toHtmlEscaped());
  };
  add(tr("Label"), s.label.isEmpty() ? tr("none") : s.label);
  add(tr("Patient"), s.patient);
  add(tr("Site"), s.site);
  add(tr("Modality"), s.modality);
  add(tr("Size"), tr("%1 × %2 pixels, %3 bits").arg(s.width).arg(s.height).arg(s.bits));
  add(tr("Key"), s.key);
  add(tr("Imported from"), s.file);
  add(tr("File size"), words::bytes(double(s.bytes)));
  add(tr("SHA-256"), s.sha256);
  if (!s.problem.isEmpty()) add(tr("Warning"), s.problem);
  if (s.excluded) add(tr("Excluded"), tr("left out of snapshots"));
  facts_->setText("<table>" + rows.join(QString()) + "</table>");
  facts_->setAccessibleName(tr("Facts of %1").arg(s.key));
}

}  // namespace cloister
