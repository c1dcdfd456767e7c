#include "widgets/train/fit_panel.h"

#include <QJsonArray>
#include <QLabel>
#include <QPainter>
#include <QVBoxLayout>

#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {

/// Parts of the memory as one bar with the free memory as its length; every part has a pattern beside its colour.
class MemoryBar : public QWidget {
 public:
  explicit MemoryBar(QWidget* parent) : QWidget(parent) {
    setMinimumHeight(space::kXl);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    whenThemed(this, [this] { update(); });
  }
  void set(const QJsonObject& parts, qint64 free) {
    parts_ = parts;
    free_ = free;
    update();
  }

 protected:
  void paintEvent(QPaintEvent*) override {
    const Tokens& t = Theme::current().tokens();
    QPainter p(this);
    const QRectF box = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    p.fillRect(box, t.raised);
    double need = 0;
    for (const QJsonValue& v : std::as_const(parts_)) need += v.toDouble();
    const double scale = box.width() / std::max({need, double(free_), 1.0});
    static constexpr Qt::BrushStyle kPatterns[] = {Qt::SolidPattern, Qt::BDiagPattern,  Qt::Dense4Pattern,
                                                   Qt::FDiagPattern, Qt::Dense6Pattern, Qt::CrossPattern};
    double x = box.left();
    int i = 0;
    for (auto it = parts_.begin(); it != parts_.end(); ++it, ++i) {
      const double w = it.value().toDouble() * scale;
      p.fillRect(QRectF(x, box.top(), w, box.height()), QBrush(Theme::current().series(i), kPatterns[i % 6]));
      x += w;
    }
    if (double(free_) < need) {  // where the free memory ends
      p.setPen(QPen(t.bad, 2));
      const double end = box.left() + double(free_) * scale;
      p.drawLine(QPointF(end, box.top()), QPointF(end, box.bottom()));
    }
    p.setPen(t.line);
    p.drawRect(box);
  }

 private:
  QJsonObject parts_;
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
    bar_->set(report_.parts, report_.memoryFree);
    QStringList parts;
    static const QMap<QString, const char*> kParts{
        {QStringLiteral("weights"), QT_TR_NOOP("weights")},     {QStringLiteral("gradients"), QT_TR_NOOP("gradients")},
        {QStringLiteral("optimizer"), QT_TR_NOOP("optimizer")}, {QStringLiteral("activations"), QT_TR_NOOP("activations")},
        {QStringLiteral("data"), QT_TR_NOOP("data")},           {QStringLiteral("average"), QT_TR_NOOP("averaged weights")},
        {QStringLiteral("library"), QT_TR_NOOP("library")},     {QStringLiteral("runtime"), QT_TR_NOOP("library")}};
    for (auto it = report_.parts.begin(); it != report_.parts.end(); ++it) {
      const auto name = kParts.constFind(it.key());
      parts << (name == kParts.constEnd() ? it.key() : tr(*name)) + QStringLiteral(" ") + words::bytes(it.value().toDouble());
    }
    QString text =
        tr("Memory %1 of %2 free: %3.")
            .arg(words::bytes(double(report_.memoryNeeded)), words::bytes(double(report_.memoryFree)), parts.join(QStringLiteral(", ")));
    text +=
        QLatin1Char('\n') + tr("Disk %1 of %2 free.").arg(words::bytes(double(report_.diskNeeded)), words::bytes(double(report_.diskFree)));
    if (report_.secondsEstimated >= 0)
      text += QLatin1Char('\n') + tr("About %1 on this machine.").arg(words::duration(report_.secondsEstimated));
    figures_->setText(text);
    bar_->setAccessibleName(tr("Memory by part"));
    bar_->setAccessibleDescription(text);
    advice_->setText(report_.advice);
  }
  QStringList devices;
  const QJsonObject cpu = inventory_["cpu"].toObject(), memory = inventory_["memory"].toObject();
  if (!cpu.isEmpty())
    devices << tr("Processor: %1, %n threads, %2 free", nullptr, cpu["threads"].toInt())
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
