// The look as values: colours, sizes and type of both themes, the one style sheet made from them, and the change signal. Every colour on
// the screen, plots included, comes from here. Main thread only.
#pragma once
#include <functional>

#include <QColor>
#include <QFont>
#include <QObject>
#include <QPalette>

class QWidget;

namespace cloister {

/// Colours by role. Text roles have a contrast of at least 4.5:1 on window, panel and raised; icons and lines at least 3:1.
struct Tokens {
  bool dark = false;
  QColor window, panel, raised;  ///< grounds: behind pages, of cards and lists, of headers and hovered rows
  QColor text, quiet;            ///< text and secondary text
  QColor accent, onAccent;       ///< primary action, focus ring, progress; text on it
  QColor good, warning, bad;
  QColor line;       ///< borders of controls, axes, ticks (3:1)
  QColor divider;    ///< decoration between grounds that differ anyway
  QColor selection;  ///< ground of selected rows and thumbnails; text stays readable on it
  QColor image;      ///< ground behind medical images, black in both themes
};

/// Names for icons and labels that follow the theme by themselves.
enum class Role { Text, Quiet, Accent, OnAccent, Good, Warning, Bad };
enum class TextSize { Small, Base, Section, Page, Headline };  ///< 8.5, 10, 12, 16, 24 pt plus the user's step

/// The 8-pixel grid in device-independent pixels.
namespace space {
inline constexpr int kXs = 4, kS = 8, kM = 12, kL = 16, kXl = 24, kXxl = 32;
inline constexpr int kRadius = 4, kIcon = 20;
}  // namespace space

class Theme : public QObject {
  Q_OBJECT
 public:
  enum class Kind { Light, Dark, System };
  static Theme& current();

  const Tokens& tokens() const { return tokens_; }
  QColor color(Role) const;
  QFont font(TextSize, bool strong = false) const;
  /// Okabe–Ito, first colour first; darkened or lightened just enough for 3:1 on the panel. Use with dash(i): never colour alone.
  QColor series(int index) const;
  Qt::PenStyle dash(int index) const;

  Kind kind() const { return kind_; }
  void set(Kind);
  /// 0, 1 or 2: every type size that many points up.
  int textStep() const { return textStep_; }
  void setTextStep(int);
  QString styleSheet() const;

  static Tokens light();
  static Tokens dark();
  /// From the desktop's own palette, for high-contrast desktops.
  static Tokens fromPalette(const QPalette&);
  /// WCAG 2.1 contrast ratio, 1…21.
  static double contrast(const QColor&, const QColor&);
  /// A colour moved towards black or white until it has that contrast on ground.
  static QColor readable(QColor, const QColor& ground, double atLeast);

 Q_SIGNALS:
  void changed();

 private:
  Theme();
  void apply();
  qreal points(TextSize) const;
  Kind kind_ = Kind::Light;
  int textStep_ = 0;
  Tokens tokens_;
  QPalette system_;
  QFont font_;
  qreal scale_ = 1;  ///< the desktop's type size against our 10 points
};

/// Runs f now and again after each theme change, as long as context lives.
template <typename F>
void whenThemed(QObject* context, F f) {
  f();
  QObject::connect(&Theme::current(), &Theme::changed, context, f);
}

/// Marks a widget for the style sheet: "title", "section", "small", "quiet", "headline", "good", "warning", "bad", "card", "sheet",
/// "primary", "link", "danger" … (the list is in theme.cpp).
void setRole(QWidget*, const char* role);

}  // namespace cloister
