#include "widgets/system/system_page.h"

#include <QClipboard>
#include <QDir>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include "core/runs/hardware.h"
#include "widgets/common/flow_layout.h"
#include "widgets/common/icons.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {
namespace {

constexpr int kCardWidth = 368;
constexpr char kTask[] = "measure-disk";

class FixedCard : public QFrame {
 public:
  using QFrame::QFrame;
  QSize sizeHint() const override { return {kCardWidth, std::max(152, QFrame::sizeHint().height())}; }
};

}  // namespace

SystemPage::SystemPage(StoreClient& store, QWidget* parent) : Page(page::kSystem, store, parent) {
  auto* advice = new QFrame(this);
  setRole(advice, "card");
  auto* row = new QHBoxLayout(advice);
  row->setContentsMargins(space::kL, space::kM, space::kL, space::kM);
  row->setSpacing(space::kM);
  adviceIcon_ = new QLabel(advice);
  advice_ = new QLabel(advice);
  advice_->setWordWrap(true);
  row->addWidget(adviceIcon_, 0, Qt::AlignTop);
  row->addWidget(advice_, 1);
  body()->addWidget(advice);

  auto* scroll = new QScrollArea(this);
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setFocusPolicy(Qt::NoFocus);
  auto* inner = new QWidget(scroll);
  setRole(inner, "clear");
  auto* flow = new FlowLayout(inner, space::kL);
  cpu_ = makeCard("system");
  memory_ = makeCard("memory");
  diskCard_ = makeCard("disk");
  gpu_ = makeCard("gpu");
  network_ = makeCard("network");
  for (const Card* c : {&cpu_, &memory_, &diskCard_, &gpu_, &network_}) flow->addWidget(c->frame);
  scroll->setWidget(inner);
  body()->addWidget(scroll, 1);

  measure_ = new QPushButton(this);
  measure_->setIcon(themedIcon("disk"));
  copy_ = new QPushButton(this);
  copy_->setIcon(themedIcon("copy"));
  footerTools()->addWidget(measure_);
  footerTools()->addWidget(copy_);
  footerTools()->addStretch(1);
  connect(measure_, &QPushButton::clicked, this, &SystemPage::measure);
  connect(copy_, &QPushButton::clicked, this, &SystemPage::copyAll);
  whenThemed(this, [this] { adviceIcon_->setPixmap(themedPixmap("info", Role::Accent, space::kIcon, devicePixelRatioF())); });
}

SystemPage::Card SystemPage::makeCard(const char* icon) {
  Card c;
  c.frame = new FixedCard(this);
  setRole(c.frame, "card");
  auto* column = new QVBoxLayout(c.frame);
  column->setContentsMargins(space::kL, space::kM, space::kL, space::kM);
  column->setSpacing(space::kXs);
  auto* row = new QHBoxLayout;
  row->setSpacing(space::kS);
  c.icon = new QLabel(c.frame);
  c.title = new QLabel(c.frame);
  setRole(c.title, "quiet");
  row->addWidget(c.icon);
  row->addWidget(c.title, 1);
  column->addLayout(row);
  c.figure = new QLabel(c.frame);
  c.figure->setWordWrap(true);
  setRole(c.figure, "section");
  c.facts = new QLabel(c.frame);
  c.facts->setWordWrap(true);
  c.facts->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  column->addWidget(c.figure);
  column->addWidget(c.facts);
  column->addStretch(1);
  whenThemed(c.icon, [label = c.icon, icon] {
    label->setPixmap(themedPixmap(QString::fromLatin1(icon), Role::Quiet, space::kIcon, label->devicePixelRatioF()));
  });
  return c;
}

QString SystemPage::title() const { return tr("System"); }
QString SystemPage::subtitle() const { return tr("What this computer is good for."); }

QString SystemPage::help() const {
  return tr(
      "<p>Training is limited first by the graphics card or processor, then by memory, then by the disk that holds the prepared "
      "images. <b>Measure the disk</b> writes and reads a file of 256 MB in the project folder and removes it again.</p><p>The Train "
      "page checks a recipe against these figures before it starts.</p>");
}

void SystemPage::refresh() {
  if (asked_) return;
  asked_ = true;
  const QString dir = store().state().open ? store().state().dir : QDir::homePath();
  const auto look = [dir] {
    QJsonObject inventory = hardwareInventory(dir);
    inventory["cuda"] = cudaUse(inventory["gpus"].toArray());
    return inventory;
  };
  store().background(look, this, [this](const QJsonObject& inventory) {
    inventory_ = inventory;
    asked_ = false;
    show_();
  });
}

void SystemPage::retranslate() {
  cpu_.title->setText(tr("Processor"));
  memory_.title->setText(tr("Memory"));
  diskCard_.title->setText(tr("Disk of the project"));
  gpu_.title->setText(tr("Graphics card"));
  network_.title->setText(tr("InfiniBand"));
  measure_->setText(tr("Measure the disk"));
  copy_->setText(tr("Copy all figures"));
  for (QPushButton* b : {measure_, copy_}) b->setAccessibleName(b->text());
  show_();
}

void SystemPage::show_() {
  if (inventory_.isEmpty()) {
    advice_->setText(tr("Reading the inventory…"));
    return;
  }
  advice_->setText(hardwareAdvice(inventory_, {}));
  const QJsonObject cpu = inventory_["cpu"].toObject(), memory = inventory_["memory"].toObject(), disk = inventory_["disk"].toObject();
  cpu_.figure->setText(cpu["model"].toString());
  QStringList instructions;
  for (const QJsonValue& v : cpu["instructions"].toArray()) instructions << v.toString();
  cpu_.facts->setText(tr("%1, %2").arg(words::counted(cpu["cores"].toInt(), words::Noun::Core),
                                       words::counted(cpu["threads"].toInt(), words::Noun::Thread)) +
                      '\n' +
                      (instructions.isEmpty() ? tr("No vector instructions that matter here") : instructions.join(QStringLiteral(", "))));
  memory_.figure->setText(words::bytes(memory["total"].toDouble()));
  memory_.facts->setText(tr("%1 free now").arg(words::bytes(memory["free"].toDouble())));
  diskCard_.figure->setText(tr("%1 free of %2").arg(words::bytes(disk["free"].toDouble()), words::bytes(disk["total"].toDouble())));
  QString speed = measuring_ ? tr("Measuring…") : tr("Speed not measured yet");
  if (!disk_.isEmpty())
    speed = tr("Writes %1/s, reads %2/s")
                .arg(words::bytes(disk_["writeBytesPerSecond"].toDouble()), words::bytes(disk_["readBytesPerSecond"].toDouble()));
  diskCard_.facts->setText(speed);
  const QJsonArray gpus = inventory_["gpus"].toArray();
  QStringList names, facts;
  for (const QJsonValue& v : gpus) {
    const QJsonObject g = v.toObject();
    names << g["name"].toString();
    facts << tr("%1 free of %2, driver %3")
                 .arg(words::bytes(g["memoryFree"].toDouble()), words::bytes(g["memoryTotal"].toDouble()), g["driver"].toString());
  }
  gpu_.figure->setText(gpus.isEmpty() ? tr("None") : names.join('\n'));
  const QJsonObject cuda = inventory_["cuda"].toObject();
  facts << (cuda["usable"].toBool() ? tr("Can train: %n card(s) with CUDA", nullptr, int(cuda["devices"].toArray().size()))
                                    : describe(Failure::fromJson(cuda["trouble"].toObject())));
  gpu_.facts->setText(facts.join('\n'));
  const QJsonArray links = inventory_["infiniband"].toArray();
  QStringList ports;
  for (const QJsonValue& v : links) {
    const QJsonObject port = v.toObject();
    ports << tr("%1: %2, %3 Gbit/s").arg(port["name"].toString(), port["state"].toString(), words::figures(port["rateGbps"].toDouble()));
  }
  network_.figure->setText(links.isEmpty() ? tr("None") : tr("%n port(s)", nullptr, int(links.size())));
  network_.facts->setText(links.isEmpty() ? tr("Only needed to train on several computers at once.") : ports.join('\n'));
  for (const Card* c : {&cpu_, &memory_, &diskCard_, &gpu_, &network_}) {
    c->frame->setAccessibleName(c->title->text());
    c->frame->setAccessibleDescription(c->figure->text() + '\n' + c->facts->text());
  }
}

void SystemPage::measure() {
  measuring_ = true;
  disk_ = {};
  measure_->setEnabled(false);
  show_();
  Q_EMIT taskChanged(kTask, tr("Measuring the disk"), {}, -1, -1);
  const QString dir = store().state().open ? store().state().dir : QDir::homePath();
  store().background([dir] { return measureDisk(dir); }, this,
                     [this](const Result<QJsonObject>& result) {
                       measuring_ = false;
                       measure_->setEnabled(true);
                       Q_EMIT taskEnded(kTask);
                       if (result) disk_ = *result;
                       else showFailure(result.error());
                       show_();
                     });
}

void SystemPage::copyAll() {
  QStringList lines{advice_->text()};
  for (const Card* c : {&cpu_, &memory_, &diskCard_, &gpu_, &network_})
    lines
        << QStringLiteral("%1: %2\n  %3").arg(c->title->text(), c->figure->text(), c->facts->text().replace('\n', QStringLiteral("\n  ")));
  QGuiApplication::clipboard()->setText(lines.join('\n'));
}

}  // namespace cloister
