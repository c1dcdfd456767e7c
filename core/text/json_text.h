// JSON in which texts matter to the byte: QJsonDocument drops a U+FEFF that a text begins with. Any thread.
#pragma once
#include <QByteArray>
#include <QJsonDocument>

namespace cloister {

/// QJsonDocument::fromJson with every character kept.
QJsonDocument parseJsonExactly(QByteArray bytes, QJsonParseError* error = nullptr);

}  // namespace cloister
