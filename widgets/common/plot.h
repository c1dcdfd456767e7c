// QCustomPlot under the house rules: its header uses Qt's keyword macros, which are off here, and every plot takes its colours, type and
// grid from the theme. Include this, never <qcustomplot.h>. Main thread.
#pragma once
#define signals Q_SIGNALS
#define slots Q_SLOTS
#define foreach(variable, container) for (variable : container)
#include <qcustomplot.h>
#undef signals
#undef slots
#undef foreach

#include "widgets/common/theme.h"

namespace cloister {

/// Ground, axes, ticks, grid, legend and fonts of every axis rect in the colours of the theme; again after each theme change.
void followTheme(QCustomPlot* plot);
void applyTheme(QCustomPlot* plot);
/// The pen of series i: colour and dash, so that colour is never the only sign.
QPen seriesPen(int index, double width = 1.6, double opacity = 1.0);
/// The plot as SVG, as it is on the screen. False when the file cannot be written.
bool savePlotSvg(QCustomPlot* plot, const QString& path, const QString& title);

}  // namespace cloister
