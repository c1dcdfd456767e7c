// How the loss of a run fell, read from the logs of its attempts. Any thread; a log that cannot be read is left out.
#pragma once
#include <QJsonObject>
#include <QString>

namespace cloister {

/// {"train":[[step,loss],…],"validation":[[step,loss],…]}: at most some hundred points each, every one the mean of what it stands for. A
/// step that a later attempt did again counts as that attempt did it.
QJsonObject trainingCurve(const QString& runDir);

}  // namespace cloister
