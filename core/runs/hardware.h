// What this machine is good for. Reads /proc, /sys and the drivers' files; measures the disk when asked. No LibTorch, no CUDA library.
// Any thread; measureDisk blocks for about a second.
#pragma once
#include <QJsonArray>
#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

/// {"cpu":{"model","cores","threads","instructions":[…]},"memory":{"total","free"},"disk":{"path","free","total"},
///  "gpus":[{"name","memoryTotal","memoryFree","driver"}],"infiniband":[{"name","state","rateGbps"}]}
/// root: where proc/ and sys/ lie (tests); nvidia-smi is asked only for the real root.
QJsonObject hardwareInventory(const QString& projectDir, const QString& root = QStringLiteral("/"));
/// Whether a graphics card can train, asked of `cloister-worker hardware` where a card is:
/// {"usable","driver","devices":[…],"trouble":failure when it cannot}. gpus: of the inventory. Blocks for some seconds where there is a
/// card.
QJsonObject cudaUse(const QJsonArray& gpus);
/// MemAvailable in bytes, or less where a control group grants less.
qint64 memoryFree(const QString& root = QStringLiteral("/"));
/// What `nvidia-smi --query-gpu=name,memory.total,memory.free,driver_version --format=csv,noheader,nounits` printed → "gpus".
QJsonArray parseNvidiaSmi(const QByteArray& csv);
/// {"writeBytesPerSecond","readBytesPerSecond","direct","bytes"} by a 256 MB file in dir, O_DIRECT where possible, removed afterwards.
Result<QJsonObject> measureDisk(const QString& dir);
/// One sentence: what to train here, what not. needs: FitReport-like object or empty.
QString hardwareAdvice(const QJsonObject& inventory, const QJsonObject& needs);

}  // namespace cloister
