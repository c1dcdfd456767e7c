#include "plugins/sources/table/csv_parser.h"

#include <algorithm>
#include <map>

#include <QRegularExpression>
#include <QSet>
#include <QStringList>

#include "core/extension/source_plugin.h"

namespace cloister::table {

void CsvParser::endField() {
  if (int(fields_.size()) >= limits_.columns)
    throw SourceError(FailureKind::TooLarge, QStringLiteral("more than %1 columns").arg(limits_.columns),
                      {{"limit", QStringLiteral("%1 columns").arg(limits_.columns)}});
  fields_.push_back(std::move(field_));
  field_ = {};
  state_ = State::FieldStart;
}

bool CsvParser::endRow() {
  const bool blank = fields_.empty() && field_.isEmpty() && state_ == State::FieldStart;
  if (!blank) {
    endField();
    if (!row_(fields_)) stopped_ = true;
  }
  fields_.clear();
  state_ = State::FieldStart;
  return !stopped_;
}

bool CsvParser::feed(QByteArrayView text) {
  for (const char c : text) {
    if (stopped_) return false;
    if (c == '\0') throw SourceError(FailureKind::CorruptFile, QStringLiteral("a NUL byte is not text"));
    const bool lf = c == '\n', cr = c == '\r';
    if (afterCr_) {
      afterCr_ = false;
      if (lf) continue;  // CRLF ended the row already
    }
    if (state_ == State::Quoted) {
      if (c == '"') state_ = State::QuoteInQuoted;
      else field_ += c;
    } else if (state_ == State::QuoteInQuoted && c == '"') {
      field_ += c;
      state_ = State::Quoted;
    } else if (c == separator_) {
      endField();
      state_ = State::Plain;  // a row that ends here has one more, empty, field
    } else if (lf || cr) {
      afterCr_ = cr;
      endRow();
    } else if (c == '"' && field_.isEmpty() && state_ != State::QuoteInQuoted) {
      state_ = State::Quoted;
    } else {
      field_ += c;
      state_ = State::Plain;
    }
    if (field_.size() > limits_.field)
      throw SourceError(FailureKind::TooLarge, QStringLiteral("a cell of more than %1 bytes").arg(limits_.field),
                        {{"limit", limits_.field}});
  }
  return !stopped_;
}

void CsvParser::end(bool partial) {
  if (stopped_) return;
  if (state_ == State::Quoted && !partial) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("a quoted cell is never closed"));
  if (!partial) endRow();
}

namespace {

bool isNumber(const QByteArray& raw, char decimal) {
  QByteArray cell = raw.trimmed();
  if (decimal == ',') {
    if (cell.contains('.')) return false;
    cell.replace(',', '.');
  }
  bool ok = false;
  if (!cell.isEmpty()) (void)cell.toDouble(&ok);
  return ok;
}

bool isDate(const QByteArray& cell) {
  static const QRegularExpression pattern(
      QStringLiteral("^\\s*(\\d{4}[-/]\\d{1,2}[-/]\\d{1,2}([ T]\\d{1,2}:\\d{2}(:\\d{2})?)?|\\d{1,2}[./]\\d{1,2}[./]\\d{4})\\s*$"));
  return cell.size() <= 40 && pattern.match(QString::fromUtf8(cell)).hasMatch();
}

std::vector<std::vector<QByteArray>> firstRows(const QByteArray& text, bool whole, char separator, size_t most) {
  std::vector<std::vector<QByteArray>> rows;
  CsvParser parser(separator, [&](const std::vector<QByteArray>& row) {
    rows.push_back(row);
    return rows.size() < most;
  });
  parser.feed(text);
  parser.end(!whole);
  return rows;
}

/// Rows that agree on a number of columns above one speak for a separator, most of all when the first row is among them.
double agreement(const std::vector<std::vector<QByteArray>>& rows) {
  std::map<size_t, int> counts;
  for (const auto& r : rows) ++counts[r.size()];
  double best = 0;
  for (const auto& [columns, n] : counts) {
    if (columns < 2) continue;
    const double share = double(n) / double(rows.size()) * (rows[0].size() == columns ? 1.0 : 0.5);
    best = std::max(best, share + 0.001 * double(std::min<size_t>(columns, 99)));
  }
  return best;
}

/// Under this separator every comma stands within a number: then the comma is a decimal sign.
bool commasAreDecimal(const std::vector<std::vector<QByteArray>>& rows) {
  static const QRegularExpression number(QStringLiteral("^\\s*-?\\d+,\\d+\\s*$"));
  bool any = false;
  for (const auto& row : rows)
    for (const QByteArray& cell : row) {
      if (!cell.contains(',')) continue;
      if (cell.size() > 40 || !number.match(QString::fromLatin1(cell)).hasMatch()) return false;
      any = true;
    }
  return any;
}

char detectSeparator(const QByteArray& text, bool whole) {
  char best = ',';
  double most = 0;
  for (const char candidate : {',', ';', '\t', '|', ' '}) {
    double score = 0;
    try {
      const auto rows = firstRows(text, whole, candidate, 200);
      if (rows.empty()) continue;
      score = agreement(rows);
      if (candidate != ',' && score >= 0.95 && commasAreDecimal(rows)) score += 1;
    } catch (const SourceError&) {
      continue;  // with this separator it is no table
    }
    if (candidate == ' ' && score < 1.0) continue;
    if (score > most + (candidate == ' ' ? 0.2 : 0)) {
      most = score;
      best = candidate;
    }
  }
  return best;
}

char detectDecimal(const std::vector<std::vector<QByteArray>>& rows) {
  static const QRegularExpression comma(QStringLiteral("^\\s*-?\\d+,\\d+\\s*$")), point(QStringLiteral("^\\s*-?\\d+\\.\\d+\\s*$"));
  int commas = 0, points = 0;
  for (const auto& row : rows)
    for (const QByteArray& cell : row) {
      if (cell.size() > 40) continue;
      const QString text = QString::fromLatin1(cell);
      commas += comma.match(text).hasMatch() ? 1 : 0;
      points += point.match(text).hasMatch() ? 1 : 0;
    }
  return commas > points ? ',' : '.';
}

QString typeOf(const std::vector<std::vector<QByteArray>>& rows, size_t column, size_t from, char decimal) {
  bool number = true, date = true, any = false;
  for (size_t i = from; i < rows.size(); ++i) {
    if (column >= rows[i].size() || rows[i][column].trimmed().isEmpty()) continue;
    any = true;
    number = number && isNumber(rows[i][column], decimal);
    date = date && isDate(rows[i][column]);
    if (!number && !date) return QStringLiteral("text");
  }
  if (!any) return QStringLiteral("text");
  return number ? QStringLiteral("number") : QStringLiteral("date");
}

/// Names differ, are no numbers or dates, and are not values that occur below them.
bool looksLikeHeader(const std::vector<std::vector<QByteArray>>& rows, char decimal) {
  if (rows.empty()) return false;
  QSet<QByteArray> names;
  for (const QByteArray& cell : rows[0]) {
    const QByteArray name = cell.trimmed();
    if (name.isEmpty() && &cell != &rows[0].front()) return false;
    if (names.contains(name) || isNumber(name, decimal) || isDate(name)) return false;
    names.insert(name);
  }
  for (size_t column = 0; column < rows[0].size(); ++column)
    for (size_t i = 1; i < rows.size(); ++i)
      if (column < rows[i].size() && !rows[0][column].trimmed().isEmpty() && rows[i][column] == rows[0][column]) return false;
  return true;
}

}  // namespace

Dialect detectDialect(const QByteArray& text, bool whole, char separator, char decimal, int header) {
  Dialect d;
  d.separator = separator ? separator : detectSeparator(text, whole);
  d.rows = firstRows(text, whole, d.separator, 1000);
  if (d.rows.empty() && whole) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("there is no row in it"));
  d.decimal = decimal ? decimal : detectDecimal(d.rows);
  d.header = header < 0 ? looksLikeHeader(d.rows, d.decimal) : header > 0;
  const size_t columns = d.rows.empty() ? 0 : d.rows[0].size();
  for (size_t c = 0; c < columns; ++c) d.types << typeOf(d.rows, c, d.header ? 1 : 0, d.decimal);
  return d;
}

}  // namespace cloister::table
