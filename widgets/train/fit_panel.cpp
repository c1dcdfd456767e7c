#include "widgets/train/fit_panel.h"

#include <QJsonArray>
#include <QLabel>
#include <QPainter>
#include <QVBoxLayout>

#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {

/// Parts of the memory as one bar with the free memory as its length, and below it what each part is; every part has a pattern beside its
/// colour.
class MemoryBar : public QWidget {
 public:
  explicit MemoryBar(QWidget* parent) : QWidget(parent) {
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    whenThemed(this, [this] { updateGeometry(); });
  }
  void set(const QList<QPair<QString, double>>& parts, qint64 free) {
    parts_ = parts;
    free_ = free;
    setMinimumHeight(arrange(width(), nullptr));
    updateGeometry();
    update();
  }
  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override { return arrange(width, nullptr); }
  QSize sizeHint() const override { return {10 * space::kXxl, arrange(10 * space::kXxl, nullptr)}; }
  QSize minimumSizeHint() const override { return {5 * space::kXxl, space::kXl}; }

 protected:
  void resizeEvent(QResizeEvent*) override { setMinimumHeight(arrange(width(), nullptr)); }
  void paintEvent(QPaintEvent*) override {
    const Tokens& t = Theme::current().tokens();
    QPainter p(this);
    p.setFont(legendFont());
    const QRectF box(0.5, 0.5, width() - 1, space::kXl - 1);
    p.fillRect(box, t.raised);
    double need = 0;
    for (const auto& part : parts_) need += part.second;
    const double scale = box.width() / std::max({need, double(free_), 1.0});
    double x = box.left();
    for (int i = 0; i < parts_.size(); ++i) {
      const double w = parts_[i].second * scale;
      p.fillRect(QRectF(x, box.top(), w, box.height()), brush(i));
      x += w;
    }
    if (double(free_) < need) {  // where the free memory ends
      p.setPen(QPen(t.bad, 2));
      const double end = box.left() + double(free_) * scale;
      p.drawLine(QPointF(end, box.top()), QPointF(end, box.bottom()));
    }
    p.setPen(t.line);
    p.drawRect(box);
    arrange(width(), &p);
  }

 private:
  static QFont legendFont() { return Theme::current().font(TextSize::Small); }
  static QBrush brush(int i) {
    static constexpr Qt::BrushStyle kPatterns[] = {Qt::SolidPattern, Qt::BDiagPattern,  Qt::Dense4Pattern,
                                                   Qt::FDiagPattern, Qt::Dense6Pattern, Qt::CrossPattern};
    return QBrush(Theme::current().series(i), kPatterns[i % 6]);
  }
  /// Swatch and words of each part, as many on a line as fit; draws them when there is a painter. Gives the height of bar and legend.
  int arrange(int width, QPainter* p) const {
    const QFontMetrics m(legendFont());
    const int line = m.lineSpacing() + space::kXs, swatch = m.ascent();
    int x = 0, y = space::kXl + space::kXs;
    for (int i = 0; i < parts_.size(); ++i) {
      const QString text = parts_[i].first + QLatin1Char(' ') + words::bytes(parts_[i].second);
      const int needed = swatch + space::kXs + m.horizontalAdvance(text) + space::kM;
      if (x > 0 && x + needed - space::kM > width) {
        x = 0;
        y += line;
      }
      if (p) {
        const QRect box(x, y + (m.lineSpacing() - swatch) / 2, swatch, swatch);
        p->fillRect(box, brush(i));
        p->setPen(Theme::current().tokens().line);
        p->drawRect(box.adjusted(0, 0, -1, -1));
        p->setPen(Theme::current().tokens().quiet);
        p->drawText(x + swatch + space::kXs, y + m.ascent(), text);
      }
      x += needed;
    }
    return parts_.isEmpty() ? space::kXl : y + line;
  }

  QList<QPair<QString, double>> parts_;
  qint64 free_ = 0;
};

FitPanel::FitPanel(QWidget* parent) : QFrame(parent) {
  setRole(this, "card");
  auto* layout = new QVBoxLayout(this);
  layout->setSpacing(space::kS);
  title_ = new QLabel(this);
  setRole(title_, "section");
  verdict_ = new QLabel(this);
  bar_ = new MemoryBar(this);
  figures_ = new QLabel(this);
  advice_ = new QLabel(this);
  devices_ = new QLabel(this);
  for (QLabel* l : {verdict_, figures_, advice_, devices_}) {
    l->setWordWrap(true);
    l->setTextInteractionFlags(Qt::TextSelectableByMouse);
  }
  setRole(devices_, "small");
  for (QWidget* w : std::initializer_list<QWidget*>{title_, verdict_, bar_, figures_, advice_, devices_}) layout->addWidget(w);
  layout->addStretch(1);
  retranslate();
}

void FitPanel::showReport(const FitReport& report) {
  report_ = report;
  known_ = true;
  fill();
}

void FitPanel::showUnknown(const QString& why) {
  known_ = false;
  unknown_ = why;
  fill();
}

void FitPanel::showDevices(const QJsonObject& inventory) {
  inventory_ = inventory;
  fill();
}

void FitPanel::fill() {
  bar_->setVisible(known_);
  figures_->setVisible(known_);
  advice_->setVisible(known_ && !report_.advice.isEmpty());
  if (!known_) {
    verdict_->setText(unknown_);
    setRole(verdict_, "quiet");
  } else {
    verdict_->setText(report_.fits ? tr("Fits this machine.") : tr("Does not fit this machine."));
    setRole(verdict_, report_.fits ? "good" : "bad");
    static const QMap<QString, const char*> kParts{
        {QStringLiteral("weights"), QT_TR_NOOP("weights")},          {QStringLiteral("cache"), QT_TR_NOOP("key/value cache")},
        {QStringLiteral("logits"), QT_TR_NOOP("scores of tokens")},  {QStringLiteral("overhead"), QT_TR_NOOP("program and working memory")},
        {QStringLiteral("gradients"), QT_TR_NOOP("gradients")},      {QStringLiteral("optimizer"), QT_TR_NOOP("optimizer")},
        {QStringLiteral("activations"), QT_TR_NOOP("activations")},  {QStringLiteral("data"), QT_TR_NOOP("data")},
        {QStringLiteral("average"), QT_TR_NOOP("averaged weights")}, {QStringLiteral("copies"), QT_TR_NOOP("bfloat16 copies")},
        {QStringLiteral("library"), QT_TR_NOOP("library")},          {QStringLiteral("runtime"), QT_TR_NOOP("library")}};
    QList<QPair<QString, double>> parts;
    QStringList spoken;
    for (auto it = report_.parts.begin(); it != report_.parts.end(); ++it) {
      if (it.value().toDouble() <= 0) continue;
      const auto name = kParts.constFind(it.key());
      parts << qMakePair(name == kParts.constEnd() ? it.key() : tr(*name), it.value().toDouble());
      spoken << parts.last().first + QLatin1Char(' ') + words::bytes(parts.last().second);
    }
    bar_->set(parts, report_.memoryFree);
    QString text = tr("Memory %1 of %2 free.").arg(words::bytes(double(report_.memoryNeeded)), words::bytes(double(report_.memoryFree)));
    text +=
        QLatin1Char('\n') + tr("Disk %1 of %2 free.").arg(words::bytes(double(report_.diskNeeded)), words::bytes(double(report_.diskFree)));
    if (!report_.card.isEmpty())
      text += QLatin1Char('\n') + tr("Graphics card %1: %2 of %3 free.")
                                      .arg(report_.card["name"].toString(), words::bytes(report_.card["memoryNeeded"].toDouble()),
                                           words::bytes(report_.card["memoryFree"].toDouble()));
    if (report_.secondsEstimated >= 0)
      text += QLatin1Char('\n') + tr("About %1 on this machine.").arg(words::duration(report_.secondsEstimated));
    figures_->setText(text);
    bar_->setAccessibleName(tr("Memory by part"));
    bar_->setAccessibleDescription(spoken.join(QStringLiteral(", ")));
    advice_->setText(report_.advice);
  }
  QStringList devices;
  const QJsonObject cpu = inventory_["cpu"].toObject(), memory = inventory_["memory"].toObject();
  if (!cpu.isEmpty())
    devices << tr("Processor: %1, %Ln thread(s), %2 of memory free", nullptr, cpu["threads"].toInt())
                   .arg(cpu["model"].toString(), words::bytes(memory["free"].toDouble()));
  const QJsonArray gpus = inventory_["gpus"].toArray();
  for (const QJsonValue& g : gpus)
    devices << tr("GPU: %1, %2 of %3 free")
                   .arg(g["name"].toString(), words::bytes(g["memoryFree"].toDouble()), words::bytes(g["memoryTotal"].toDouble()));
  if (!inventory_.isEmpty() && gpus.isEmpty()) devices << tr("No GPU found: training runs on the processor.");
  devices_->setText(devices.join('\n'));
}

void FitPanel::retranslate() {
  title_->setText(tr("Will it fit?"));
  fill();
}

}  // namespace cloister
