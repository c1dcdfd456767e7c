// What the export page says of candidates, from export.json of images and of language models. Values in, words out. Main thread.
#pragma once
#include <QJsonObject>
#include <QStringList>

namespace cloister {

/// The cells of a candidate's row: format, accuracy or perplexity, size, speed, agreement, and what it cost.
QStringList candidateCells(const QJsonObject& exported, const QJsonObject& candidate);
/// Which one is suggested, and why.
QString candidatesWhy(const QJsonObject& exported);

}  // namespace cloister
