// Character-separated rows from UTF-8 text that arrives in pieces: RFC 4180 quotes, line breaks within quotes, CR, LF and CRLF, and limits
// on every size. One thread; throws SourceError.
#pragma once
#include <functional>
#include <vector>

#include <QByteArray>
#include <QString>
#include <QStringList>

namespace cloister::table {

class CsvParser {
 public:
  struct Limits {
    qsizetype field = 8 << 20;  ///< bytes
    int columns = 4096;
  };
  /// Called for each row that is not blank; false stops.
  using Row = std::function<bool(const std::vector<QByteArray>&)>;

  CsvParser(char separator, Row row, Limits limits) : separator_(separator), row_(std::move(row)), limits_(limits) {}
  CsvParser(char separator, Row row) : CsvParser(separator, std::move(row), Limits()) {}
  /// False once the row callback asked to stop.
  bool feed(QByteArrayView text);
  /// The last line may lack its end; a quote that is never closed is TruncatedFile unless partial text was meant.
  void end(bool partial = false);

 private:
  void endField();
  bool endRow();

  char separator_;
  Row row_;
  Limits limits_;
  enum class State { FieldStart, Plain, Quoted, QuoteInQuoted } state_ = State::FieldStart;
  bool afterCr_ = false, stopped_ = false;
  QByteArray field_;
  std::vector<QByteArray> fields_;
};

/// What a text's first part says about itself.
struct Dialect {
  char separator = ',';
  char decimal = '.';
  bool header = true;
  QStringList types;  ///< text, number, date per column
  std::vector<std::vector<QByteArray>> rows;
};

/// separator, decimal 0 and header -1 mean: detect. text: UTF-8, the first megabyte or so; whole: nothing follows it.
Dialect detectDialect(const QByteArray& text, bool whole, char separator, char decimal, int header);

}  // namespace cloister::table
