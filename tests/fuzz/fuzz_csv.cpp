// Tables: encoding, dialect, and the rows in two pieces, which must equal the rows in one.
#include <cstdlib>
#include <exception>

#include "plugins/sources/table/csv_parser.h"
#include "plugins/sources/table/text_input.h"

using namespace cloister;

namespace {

using Rows = std::vector<std::vector<QByteArray>>;

/// Rows of the text fed in pieces of the given size; empty with *failed when it was refused.
Rows rowsOf(const QByteArray& text, char separator, qsizetype piece, bool& failed) {
  Rows rows;
  failed = false;
  try {
    table::CsvParser parser(separator, [&](const std::vector<QByteArray>& row) {
      rows.push_back(row);
      return rows.size() < 5000;
    });
    for (qsizetype at = 0; at < text.size(); at += piece)
      if (!parser.feed(QByteArrayView(text).sliced(at, std::min(piece, text.size() - at)))) break;
    parser.end();
  } catch (const std::exception&) {
    failed = true;
    rows.clear();
  }
  return rows;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > (1 << 16)) return -1;
  const QByteArray bytes(reinterpret_cast<const char*>(data + 1), qsizetype(size - 1));
  try {
    table::ToUtf8 convert(table::detectEncoding(bytes));
    const qsizetype half = bytes.size() / 2;
    QByteArray text = convert.convert(bytes.left(half), false);
    text += convert.convert(bytes.mid(half), true);
    const table::Dialect dialect = table::detectDialect(text, true, 0, 0, -1);
    bool failedWhole = false, failedParts = false;
    const Rows whole = rowsOf(text, dialect.separator, std::max<qsizetype>(1, text.size()), failedWhole);
    const Rows parts = rowsOf(text, dialect.separator, 1 + data[0], failedParts);
    if (whole != parts || failedWhole != failedParts) std::abort();
  } catch (const std::exception&) {
    // A refusal is the wanted end.
  }
  return 0;
}
