#include "widgets/common/rail.h"

#include <QButtonGroup>
#include <QPainter>
#include <QVBoxLayout>

#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/theme.h"

namespace cloister {

RailButton::RailButton(const QString& id, const QString& icon, QWidget* parent) : QAbstractButton(parent), icon_(icon) {
  setObjectName("rail-" + id);
  setCheckable(true);
  setFocusPolicy(Qt::StrongFocus);
  setCursor(Qt::PointingHandCursor);
  whenThemed(this, [this] {
    setFont(Theme::current().font(TextSize::Small));
    updateGeometry();
    update();
  });
}

void RailButton::set(const QString& title, Page::Mark mark, const QString& missing, int number) {
  setText(title);
  mark_ = mark;
  missing_ = !missing.isEmpty();
  QString state = missing;
  if (state.isEmpty() && mark == Page::Mark::Done) state = tr("This step is done.");
  if (state.isEmpty() && mark == Page::Mark::Running) state = tr("This step is running.");
  const QString name = number > 0 ? tr("%1 (Ctrl+%2)").arg(title).arg(number) : title;
  setToolTip(state.isEmpty() ? name : name + '\n' + state);
  setAccessibleName(title);
  setAccessibleDescription(state);
  updateGeometry();
  update();
}

QSize RailButton::sizeHint() const {
  const QFontMetrics m(font());
  return {std::max(76, m.horizontalAdvance(text()) + 2 * space::kS), space::kIcon + m.height() + space::kL + space::kXs};
}

void RailButton::paintEvent(QPaintEvent*) {
  const Theme& theme = Theme::current();
  const Tokens& t = theme.tokens();
  QPainter p(this);
  p.setRenderHint(QPainter::Antialiasing);
  const QRectF area = QRectF(rect()).adjusted(space::kXs, 1, -space::kXs, -1);
  if (isChecked() || underMouse()) {
    p.setPen(Qt::NoPen);
    p.setBrush(isChecked() ? t.selection : t.raised);
    p.drawRoundedRect(area, space::kRadius, space::kRadius);
  }
  if (isChecked()) {
    p.setBrush(t.accent);
    p.setPen(Qt::NoPen);
    p.drawRect(QRectF(0, space::kS, 3, height() - 2 * space::kS));
  }
  const Role role = missing_ && !isChecked() ? Role::Quiet : isChecked() ? Role::Accent : Role::Text;
  const int left = (width() - space::kIcon) / 2, top = space::kS;
  p.setOpacity(missing_ && !isChecked() ? 0.75 : 1.0);
  p.drawPixmap(left, top, themedPixmap(icon_, role, space::kIcon, devicePixelRatioF()));
  p.setOpacity(1);
  p.setPen(theme.color(missing_ && !isChecked() ? Role::Quiet : Role::Text));
  QFont f = font();
  f.setWeight(isChecked() ? QFont::DemiBold : QFont::Normal);
  p.setFont(f);
  p.drawText(QRect(0, top + space::kIcon, width(), height() - top - space::kIcon), Qt::AlignHCenter | Qt::AlignVCenter, text());
  if (mark_ == Page::Mark::Done)
    p.drawPixmap(left + space::kIcon, top - space::kXs, themedPixmap("tick", Role::Good, 14, devicePixelRatioF()));
  if (mark_ == Page::Mark::Running) {
    p.setPen(Qt::NoPen);
    p.setBrush(t.accent);
    p.drawEllipse(QRectF(left + space::kIcon + 2, top - 1, 8, 8));
  }
  if (hasFocus()) {
    p.setBrush(Qt::NoBrush);
    p.setPen(QPen(t.accent, 2));
    p.drawRoundedRect(area.adjusted(1, 1, -1, -1), space::kRadius, space::kRadius);
  }
}

Rail::Rail(QWidget* parent) : QFrame(parent), group_(new QButtonGroup(this)) {
  setRole(this, "rail");
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, space::kS, 0, space::kS);
  column->setSpacing(0);
  top_ = new QVBoxLayout;
  top_->setSpacing(2);
  bottom_ = new QVBoxLayout;
  bottom_->setSpacing(2);
  column->addLayout(top_);
  column->addStretch(1);
  column->addLayout(bottom_);
  group_->setExclusive(true);
  whenTranslated(this, [this] { setAccessibleName(tr("Pages")); });
}

void Rail::add(const QString& id, const QString& icon, bool bottom) {
  auto* button = new RailButton(id, icon, this);
  (bottom ? bottom_ : top_)->addWidget(button);
  group_->addButton(button);
  buttons_.insert(id, button);
  connect(button, &QAbstractButton::clicked, this, [this, id] { Q_EMIT chosen(id); });
}

void Rail::setCurrent(const QString& id) {
  if (auto* b = buttons_.value(id)) b->setChecked(true);
}

}  // namespace cloister
