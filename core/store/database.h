// SQLite behind Result<T>: statements that reset themselves, transactions that nest, and SQLite's codes as Failures. Used by core/store
// only; nobody else includes sqlite3.h for a project. One thread per object.
#pragma once
#include <functional>
#include <memory>

#include <QByteArray>
#include <QHash>
#include <QString>

#include "core/domain/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace cloister {

class Database;

/// A prepared statement with its arguments, taken from the Database's cache and given back on destruction.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  /// true: a row is there to read.
  Result<bool> step();
  qint64 integer(int column) const;
  double real(int column) const;
  QString text(int column) const;
  QByteArray blob(int column) const;
  /// The column's bytes in place, valid until the next step.
  QByteArrayView bytes(int column) const;

  void bind(int index, qint64 value);
  void bind(int index, int value) { bind(index, qint64(value)); }
  void bind(int index, bool value) { bind(index, qint64(value)); }
  void bind(int index, double value);
  void bind(int index, const QString& value);
  void bind(int index, const QByteArray& blob);
  /// Ready for the next set of arguments.
  void reset();

 private:
  friend class Database;
  Statement(Database* db, QByteArray sql, sqlite3_stmt* handle) : db_(db), sql_(std::move(sql)), handle_(handle) {}
  Database* db_;
  QByteArray sql_;
  sqlite3_stmt* handle_;
  int bindError_ = 0;
};

class Database {
 public:
  enum class Mode { ReadOnly, ReadWrite, Create, Immutable };  ///< Immutable: a medium that cannot change (no locks, no WAL)
  /// Sets WAL (checked), synchronous=FULL, foreign keys, trusted_schema=OFF. path is named in failures.
  static Result<std::unique_ptr<Database>> open(const QString& path, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const QString& path() const { return path_; }
  /// Several statements without arguments.
  Result<void> execute(const QByteArray& sql);
  Result<Statement> prepare(const QByteArray& sql);
  template <typename... Args>
  Result<Statement> query(const QByteArray& sql, const Args&... args) {
    auto statement = prepare(sql);
    if (statement) {
      [[maybe_unused]] int index = 0;
      (statement->bind(++index, args), ...);
    }
    return statement;
  }
  /// A statement that gives no rows.
  template <typename... Args>
  Result<void> run(const QByteArray& sql, const Args&... args) {
    auto statement = query(sql, args...);
    if (!statement) return statement.error();
    const Result<bool> stepped = statement->step();
    if (!stepped) return stepped.error();
    return {};
  }
  /// The first column of the first row; 0 without a row.
  template <typename... Args>
  Result<qint64> number(const QByteArray& sql, const Args&... args) {
    auto statement = query(sql, args...);
    if (!statement) return statement.error();
    const Result<bool> row = statement->step();
    if (!row) return row.error();
    return *row ? statement->integer(0) : qint64(0);
  }
  /// each(sql, [](Statement& row) { … }, arguments …)
  template <typename Each, typename... Args>
  Result<void> each(const QByteArray& sql, Each&& perRow, const Args&... args) {
    auto statement = query(sql, args...);
    if (!statement) return statement.error();
    for (;;) {
      const Result<bool> row = statement->step();
      if (!row) return row.error();
      if (!*row) return {};
      perRow(*statement);
    }
  }

  /// All of work or nothing of it. Inner calls become savepoints.
  Result<void> transaction(const std::function<Result<void>()>& work);
  qint64 lastInsertId() const;
  int changes() const;
  /// A copy of the whole database by SQLite's backup interface, staged and renamed.
  Result<void> copyTo(const QString& target);
  Failure failure(int code) const;

 private:
  friend class Statement;
  explicit Database(QString path) : path_(std::move(path)) {}
  Result<void> configure(Mode mode);
  QString path_;
  sqlite3* handle_ = nullptr;
  QHash<QByteArray, QList<sqlite3_stmt*>> idle_;
  int depth_ = 0;
};

/// SQLite's result code (extended) and the errno behind it, as a kind.
FailureKind failureKindOfSqlite(int extendedCode, int systemErrno);

}  // namespace cloister
