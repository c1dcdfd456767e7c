// DICOM text to Unicode: single byte sets, UTF-8, GB18030, GBK and code extensions by ISO 2022 escapes (PS3.3 C.12.1.1.2, PS3.5 6.1).
// Never fails: bytes that belong to no character become U+FFFD. Pure functions; any thread.
#pragma once
#include <QByteArray>
#include <QString>

namespace cloister::dicom {

/// charset: the value of Specific Character Set, '\\'-separated. personName: '^' and '=' also end an escaped run.
QString decodeDicomText(const QByteArray& bytes, const QString& charset, bool personName);

/// Of several '\\'-separated values the first, without padding.
QString firstValue(const QString& text);

}  // namespace cloister::dicom
