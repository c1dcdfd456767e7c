// The report of scaleReport (core/domain/scale_model.h) as lines: proposals, what falls out and why, and every assumption.
#pragma once
#include <QJsonObject>

#include "app/cli/context.h"

namespace cloister::cli {
void printScale(Context&, const QJsonObject& report);
}
