#include "widgets/common/theme.h"

#include <algorithm>
#include <cmath>

#include <QApplication>
#include <QFontMetrics>
#include <QStyle>
#include <QStyleFactory>
#include <QWidget>

namespace cloister {
namespace {

double linear(double channel) { return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4); }

double luminance(const QColor& c) { return 0.2126 * linear(c.redF()) + 0.7152 * linear(c.greenF()) + 0.0722 * linear(c.blueF()); }

QColor mixed(const QColor& a, const QColor& b, double share) {
  return QColor::fromRgbF(float(a.redF() * (1 - share) + b.redF() * share), float(a.greenF() * (1 - share) + b.greenF() * share),
                          float(a.blueF() * (1 - share) + b.blueF() * share));
}

// Okabe and Ito, "Color Universal Design", 2008; black is left out because it is the text colour.
constexpr QRgb kSeries[] = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0xF0E442};
constexpr Qt::PenStyle kDashes[] = {Qt::SolidLine, Qt::DashLine, Qt::DotLine, Qt::DashDotLine, Qt::DashDotDotLine};

// One sheet for everything. {role} is a colour, [small] a type size in points, [line] the height of a line of text: a control whose least
// height were less would be squeezed by layouts that are short of room.
constexpr char kSheet[] = R"(
* { outline: 0; }
QWidget { color: {text}; }
QMainWindow, QDialog, QWidget#page, QWidget#centre { background: {window}; }
QToolTip { color: {text}; background: {raised}; border: 1px solid {line}; padding: 4px 8px; }
QLabel { background: transparent; }
QLabel[role="title"] { font-size: [page]; font-weight: 600; }
QLabel[role="section"], QGroupBox[role="section"] { font-size: [section]; font-weight: 600; }
QLabel[role="headline"] { font-size: [headline]; font-weight: 600; }
QLabel[role="small"] { font-size: [small]; color: {quiet}; }
QLabel[role="quiet"] { color: {quiet}; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="good"] { color: {good}; font-weight: 600; }
QLabel[role="warning"] { color: {warning}; font-weight: 600; }
QLabel[role="bad"] { color: {bad}; font-weight: 600; }
QLabel[role="error"] { color: {bad}; font-size: [small]; }
QFrame[role="card"], QAbstractButton[role="card"] { background: {panel}; border: 1px solid {divider}; border-radius: 4px; }
QFrame[role="panel"], QWidget[role="panel"] { background: {panel}; }
QFrame[role="sheet"] { background: {panel}; border: 1px solid {line}; border-radius: 4px; }
QFrame[role="drop"] { background: {panel}; border: 2px dashed {line}; border-radius: 4px; }
QFrame[role="drop"][hot="true"] { border-color: {accent}; background: {raised}; }
QFrame[role="bar"] { background: {panel}; border: 0; border-bottom: 1px solid {divider}; }
QFrame[role="strip"] { background: {panel}; border: 0; border-top: 1px solid {divider}; }
QFrame[role="rail"] { background: {panel}; border: 0; border-right: 1px solid {divider}; }
QFrame[role="inspector"] { background: {panel}; border: 0; border-left: 1px solid {divider}; }
QFrame[role="banner"] { background: {panel}; border: 1px solid {bad}; border-left: 4px solid {bad}; border-radius: 4px; }
QFrame[role="banner"][tone="warning"] { border-color: {warning}; }
QFrame[role="banner"][tone="good"] { border-color: {good}; }
QFrame[role="divider"] { background: {divider}; border: 0; }

QPushButton { background: {panel}; border: 1px solid {line}; border-radius: 4px; padding: 5px 14px; min-height: [line]; }
QPushButton:hover { background: {raised}; }
QPushButton:pressed { background: {divider}; }
QPushButton:focus { border: 2px solid {accent}; padding: 4px 13px; }
QPushButton:disabled { color: {quiet}; border-color: {divider}; background: {window}; }
QPushButton:checked { background: {selection}; border-color: {accent}; }
QPushButton[role="primary"] { background: {accent}; color: {onAccent}; border-color: {accent}; font-weight: 600; padding: 6px 20px; }
QPushButton[role="primary"]:hover { background: {accentHover}; }
QPushButton[role="primary"]:focus { border: 2px solid {text}; padding: 5px 19px; }
QPushButton[role="primary"]:disabled { background: {raised}; color: {quiet}; border-color: {divider}; }
QPushButton[role="danger"] { color: {bad}; border-color: {bad}; }
QPushButton[role="link"], QToolButton[role="link"] { background: transparent; border: 1px solid transparent; color: {accent}; padding: 2px 4px; min-height: 0; text-align: left; }
QPushButton[role="link"]:hover, QToolButton[role="link"]:hover { text-decoration: underline; }
QPushButton[role="link"]:focus, QToolButton[role="link"]:focus { border: 2px solid {accent}; border-radius: 4px; padding: 1px 3px; }
QPushButton[role="link"]:disabled { color: {quiet}; }
QToolButton[role="link"]:checked { background: transparent; border-color: transparent; }
QToolButton[role="link"]:checked:focus { border-color: {accent}; }
QPushButton[role="chip"] { background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 3px 7px; min-height: 0; }
QPushButton[role="chip"]:hover { background: {raised}; }
QPushButton[role="chip"]:checked { background: {selection}; border-color: {accent}; }
QPushButton[role="chip"]:focus { border: 2px solid {accent}; padding: 2px 6px; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 4px 6px; }
QToolButton:hover { background: {raised}; }
QToolButton:checked { background: {selection}; border-color: {accent}; }
QToolButton:focus { border: 2px solid {accent}; padding: 3px 5px; }
QToolButton:disabled { color: {quiet}; }
QToolButton::menu-indicator { image: none; }

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QComboBox, QDateEdit {
  background: {panel}; border: 1px solid {line}; border-radius: 4px; padding: 3px 7px; min-height: [line];
  selection-background-color: {accent}; selection-color: {onAccent}; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus { border: 2px solid {accent}; padding: 2px 6px; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled { color: {quiet}; background: {window}; border-color: {divider}; }
QLineEdit[wrong="true"], QSpinBox[wrong="true"] { border-color: {bad}; }
QComboBox::drop-down { border: 0; width: 24px; }
QComboBox::down-arrow { image: url(:/icons/arrow-{tone}.svg); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: {panel}; border: 1px solid {line}; selection-background-color: {selection}; selection-color: {text}; padding: 4px; }
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { border: 0; width: 20px; background: transparent; }
QSpinBox::up-button:hover, QSpinBox::down-button:hover { background: {raised}; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url(:/icons/arrow-up-{tone}.svg); width: 10px; height: 10px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: url(:/icons/arrow-{tone}.svg); width: 10px; height: 10px; }
QCheckBox, QRadioButton { spacing: 8px; padding: 2px; border: 2px solid transparent; border-radius: 4px; background: transparent; }
QCheckBox:focus, QRadioButton:focus { border-color: {accent}; }
QCheckBox::indicator, QRadioButton::indicator { width: 14px; height: 14px; border: 1px solid {line}; background: {panel}; }
QCheckBox::indicator { border-radius: 3px; }
QRadioButton::indicator { border-radius: 7px; }
QCheckBox::indicator:checked { background: {accent}; border-color: {accent}; image: url(:/icons/check-{tone}.svg); }
QRadioButton::indicator:checked { border: 4px solid {accent}; background: {panel}; border-radius: 7px; width: 8px; height: 8px; }
QCheckBox:disabled, QRadioButton:disabled { color: {quiet}; }
QSlider::groove:horizontal { height: 4px; background: {divider}; border-radius: 2px; }
QSlider::sub-page:horizontal { background: {accent}; border-radius: 2px; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -6px 0; border-radius: 8px; background: {panel}; border: 2px solid {accent}; }
QSlider:focus { border: 2px solid {accent}; border-radius: 4px; }
QProgressBar { background: {raised}; border: 1px solid {line}; border-radius: 4px; min-height: 8px; max-height: 8px; text-align: center; }
QProgressBar::chunk { background: {accent}; border-radius: 3px; }

QAbstractItemView { background: {panel}; alternate-background-color: {window}; border: 1px solid {divider}; border-radius: 4px;
  gridline-color: {divider}; selection-background-color: {selection}; selection-color: {text}; }
QAbstractItemView:focus { border: 2px solid {accent}; }
QTableView::item, QTreeView::item, QListView::item { padding: 2px 5px; border: 1px solid transparent; }
QTableView::item:selected, QTreeView::item:selected, QListView::item:selected { background: {selection}; color: {text}; }
QTableView::item:focus { border: 2px solid {accent}; }
QHeaderView { background: {raised}; border: 0; }
QHeaderView::section { background: {raised}; color: {text}; border: 0; border-bottom: 1px solid {line}; border-right: 1px solid {divider}; padding: 4px 8px; font-weight: 600; }
QTableCornerButton::section { background: {raised}; border: 0; }
QTabWidget::pane { border: 0; border-top: 1px solid {divider}; }
QTabBar { background: transparent; }
QTabBar::tab { background: transparent; padding: 6px 12px; border: 0; border-bottom: 3px solid transparent; color: {quiet}; }
QTabBar::tab:selected { color: {text}; border-bottom-color: {accent}; font-weight: 600; }
QTabBar::tab:hover { color: {text}; }
QTabBar::tab:focus { border: 2px solid {accent}; border-radius: 4px; }
QScrollArea, QScrollArea > QWidget > QWidget[role="clear"] { background: transparent; border: 0; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: {line}; border-radius: 4px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: {quiet}; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page { background: transparent; border: 0; width: 0; height: 0; }
QSplitter::handle { background: transparent; }
QMenu { background: {panel}; border: 1px solid {line}; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: {selection}; }
QMenu::item:disabled { color: {quiet}; }
QMenu::separator { height: 1px; background: {divider}; margin: 4px 8px; }
QGroupBox { border: 1px solid {divider}; border-radius: 4px; margin-top: 12px; padding: 12px 8px 8px 8px; background: {panel}; }
QGroupBox::title { subcontrol-origin: margin; left: 8px; padding: 0 4px; }
)";

}  // namespace

Theme::Theme() : tokens_(light()) {
  if (!qApp) return;
  system_ = QApplication::palette();
  font_ = QApplication::font();
  // Who set a larger type on the desktop wants it here as well.
  if (font_.pointSizeF() > 0) scale_ = std::clamp(font_.pointSizeF() / 10, 1.0, 1.6);
  // Named, so that Chinese comes in the weight asked for and in the forms used in mainland China, whatever the desktop speaks.
  QStringList families = font_.families();
  families << QStringLiteral("Noto Sans CJK SC") << QStringLiteral("Source Han Sans SC") << QStringLiteral("WenQuanYi Micro Hei");
  font_.setFamilies(families);
}

Theme& Theme::current() {
  static Theme theme;
  return theme;
}

Tokens Theme::light() {
  Tokens t;
  t.window = QColor::fromRgb(0xF6F7F9);
  t.panel = QColor::fromRgb(0xFFFFFF);
  t.raised = QColor::fromRgb(0xEEF1F4);
  t.text = QColor::fromRgb(0x1A1F24);
  t.quiet = QColor::fromRgb(0x57606A);
  t.accent = QColor::fromRgb(0x0B6E6E);
  t.onAccent = QColor::fromRgb(0xFFFFFF);
  t.good = QColor::fromRgb(0x1F7A3D);
  t.warning = QColor::fromRgb(0x8A5A00);
  t.bad = QColor::fromRgb(0xB3261E);
  t.line = QColor::fromRgb(0x7A838D);
  t.divider = QColor::fromRgb(0xD5DAE0);
  t.selection = QColor::fromRgb(0xE0F0EE);
  t.image = QColor(Qt::black);
  return t;
}

Tokens Theme::dark() {
  Tokens t;
  t.dark = true;
  t.window = QColor::fromRgb(0x16191D);
  t.panel = QColor::fromRgb(0x1D2126);
  t.raised = QColor::fromRgb(0x262B31);
  t.text = QColor::fromRgb(0xE6EAEE);
  t.quiet = QColor::fromRgb(0xA0A9B2);
  t.accent = QColor::fromRgb(0x3CC3B5);
  t.onAccent = QColor::fromRgb(0x0B1214);
  t.good = QColor::fromRgb(0x63C988);
  t.warning = QColor::fromRgb(0xE3B341);
  t.bad = QColor::fromRgb(0xFF8A80);
  t.line = QColor::fromRgb(0x808A95);
  t.divider = QColor::fromRgb(0x363D45);
  t.selection = QColor::fromRgb(0x1B3D3A);
  t.image = QColor(Qt::black);
  return t;
}

Tokens Theme::fromPalette(const QPalette& p) {
  Tokens t;
  t.window = p.color(QPalette::Window);
  t.panel = p.color(QPalette::Base);
  t.text = readable(p.color(QPalette::WindowText), t.panel, 7);
  t.dark = luminance(t.panel) < 0.18;
  t.raised = mixed(t.panel, t.text, 0.12);
  t.quiet = readable(mixed(t.text, t.panel, 0.2), t.raised, 4.5);
  t.accent = readable(p.color(QPalette::Highlight), t.raised, 4.5);
  t.onAccent = readable(p.color(QPalette::HighlightedText), t.accent, 4.5);
  const Tokens base = t.dark ? dark() : light();
  t.good = readable(base.good, t.raised, 4.5);
  t.warning = readable(base.warning, t.raised, 4.5);
  t.bad = readable(base.bad, t.raised, 4.5);
  t.line = t.text;
  t.divider = mixed(t.panel, t.text, 0.5);
  t.selection = mixed(t.panel, t.accent, 0.2);
  t.image = QColor(Qt::black);
  return t;
}

double Theme::contrast(const QColor& a, const QColor& b) {
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

QColor Theme::readable(QColor c, const QColor& ground, double atLeast) {
  const QColor towards = luminance(ground) > 0.18 ? QColor(Qt::black) : QColor(Qt::white);
  for (int i = 0; i < 50 && contrast(c, ground) < atLeast; ++i) c = mixed(c, towards, 0.04);
  return contrast(c, ground) < atLeast ? towards : c;
}

QColor Theme::color(Role role) const {
  switch (role) {
    case Role::Text:
      return tokens_.text;
    case Role::Quiet:
      return tokens_.quiet;
    case Role::Accent:
      return tokens_.accent;
    case Role::OnAccent:
      return tokens_.onAccent;
    case Role::Good:
      return tokens_.good;
    case Role::Warning:
      return tokens_.warning;
    case Role::Bad:
      return tokens_.bad;
  }
  return tokens_.text;
}

static qreal pointSize(TextSize size) {
  switch (size) {
    case TextSize::Small:
      return 8.5;
    case TextSize::Base:
      return 10;
    case TextSize::Section:
      return 12;
    case TextSize::Page:
      return 16;
    case TextSize::Headline:
      return 24;
  }
  return 10;
}

qreal Theme::points(TextSize size) const { return pointSize(size) * scale_ + textStep_; }

QFont Theme::font(TextSize size, bool strong) const {
  QFont f = font_;
  f.setPointSizeF(points(size));
  f.setWeight(strong ? QFont::DemiBold : QFont::Normal);
  return f;
}

QColor Theme::series(int index) const { return readable(QColor::fromRgb(kSeries[size_t(index) % std::size(kSeries)]), tokens_.panel, 3.0); }

Qt::PenStyle Theme::dash(int index) const { return kDashes[size_t(index) % std::size(kDashes)]; }

void Theme::set(Kind kind) {
  kind_ = kind;
  apply();
}

void Theme::setTextStep(int step) {
  textStep_ = std::clamp(step, 0, 2);
  apply();
}

QString Theme::styleSheet() const {
  QString sheet = QString::fromLatin1(kSheet);
  const std::pair<const char*, QColor> colours[] = {
      {"window", tokens_.window},       {"panel", tokens_.panel},
      {"raised", tokens_.raised},       {"text", tokens_.text},
      {"quiet", tokens_.quiet},         {"accent", tokens_.accent},
      {"onAccent", tokens_.onAccent},   {"good", tokens_.good},
      {"warning", tokens_.warning},     {"bad", tokens_.bad},
      {"line", tokens_.line},           {"divider", tokens_.divider},
      {"selection", tokens_.selection}, {"accentHover", mixed(tokens_.accent, tokens_.text, 0.15)}};
  for (const auto& [name, colour] : colours) sheet.replace('{' + QLatin1String(name) + '}', colour.name());
  sheet.replace("{tone}", tokens_.dark ? "dark" : "light");
  const std::pair<const char*, TextSize> sizes[] = {
      {"[small]", TextSize::Small}, {"[section]", TextSize::Section}, {"[page]", TextSize::Page}, {"[headline]", TextSize::Headline}};
  sheet.replace("[line]", QString::number(std::max(20, QFontMetrics(font(TextSize::Base)).height())) + "px");
  for (const auto& [name, size] : sizes) sheet.replace(QLatin1String(name), QString::number(points(size)) + "pt");
  return sheet;
}

void Theme::apply() {
  if (!qApp) return;
  const bool highContrast = contrast(system_.color(QPalette::WindowText), system_.color(QPalette::Window)) > 19.5;
  if (kind_ == Kind::System && highContrast) tokens_ = fromPalette(system_);
  else if (kind_ == Kind::System) tokens_ = luminance(system_.color(QPalette::Window)) < 0.18 ? dark() : light();
  else tokens_ = kind_ == Kind::Dark ? dark() : light();

  if (QApplication::style()->name().compare(QLatin1String("fusion"), Qt::CaseInsensitive) != 0)
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
  QPalette p;
  p.setColor(QPalette::Window, tokens_.window);
  p.setColor(QPalette::Base, tokens_.panel);
  p.setColor(QPalette::AlternateBase, tokens_.window);
  p.setColor(QPalette::Button, tokens_.panel);
  p.setColor(QPalette::ToolTipBase, tokens_.raised);
  p.setColor(QPalette::Highlight, tokens_.accent);
  p.setColor(QPalette::HighlightedText, tokens_.onAccent);
  p.setColor(QPalette::Link, tokens_.accent);
  p.setColor(QPalette::LinkVisited, tokens_.accent);
  p.setColor(QPalette::PlaceholderText, tokens_.quiet);
  p.setColor(QPalette::Mid, tokens_.line);
  p.setColor(QPalette::Dark, tokens_.line);
  p.setColor(QPalette::Light, tokens_.raised);
  for (auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::ToolTipText, QPalette::BrightText}) {
    p.setColor(role, tokens_.text);
    p.setColor(QPalette::Disabled, role, tokens_.quiet);
  }
  QApplication::setPalette(p);
  QApplication::setFont(font(TextSize::Base));
  qApp->setStyleSheet(styleSheet());
  Q_EMIT changed();
}

void setRole(QWidget* widget, const char* role) {
  if (widget->property("role").toByteArray() == role) return;
  widget->setProperty("role", QByteArray(role));
  widget->style()->unpolish(widget);
  widget->style()->polish(widget);
}

}  // namespace cloister
