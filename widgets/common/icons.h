// The one icon set: line drawings from resources/icons, 20 px, painted in the colour of a role and following theme changes. Main thread.
#pragma once
#include <QIcon>

#include "widgets/common/theme.h"

namespace cloister {
/// name: file name in resources/icons without ".svg".
QIcon themedIcon(const QString& name, Role role = Role::Text);
QPixmap themedPixmap(const QString& name, Role role, int size, qreal devicePixelRatio);
}  // namespace cloister
