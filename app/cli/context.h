// What a verb gets: its parsed options, where to print, and how to stop. One per process, main thread; only stopRequested may be asked
// from other threads. stdout carries the result (with --json exactly one JSON object and nothing else), stderr carries progress and notes.
#pragma once
#include <functional>

#include <QCommandLineParser>
#include <QJsonObject>
#include <QObject>
#include <QString>
#include <QStringList>

#include "app/cli/progress_line.h"
#include "core/domain/result.h"

namespace cloister::cli {

/// The sentence in the user's language (context "Cli" of the translations).
QString tr(const char* text);

class Context : public QObject {
  Q_OBJECT
 public:
  explicit Context(const QCommandLineParser& parser);
  ~Context() override;

  bool json() const { return json_; }
  bool isSet(const QString& option) const { return parser_.isSet(option); }
  QString value(const QString& option) const { return parser_.value(option); }
  QStringList values(const QString& option) const { return parser_.values(option); }
  QStringList arguments() const { return parser_.positionalArguments(); }
  /// A whole number within bounds; InvalidArgument names the option.
  Result<qint64> integer(const QString& option, qint64 minimum, qint64 maximum) const;
  /// --project, else $CLOISTER_PROJECT, else the current folder. Absolute.
  QString projectDir() const;

  /// The result for scripts; does nothing without --json. Once per process.
  void emitJson(const QJsonObject&);
  /// A line of the result for people on stdout; does nothing with --json.
  void print(const QString& line);
  /// A remark on stderr, in both modes; clears the progress bar first.
  void note(const QString& line);
  ProgressLine& progress() { return progress_; }
  /// Prints the failure ({"error":{kind,message,…}} or a sentence) and returns its exit code. more: members beside "error".
  int fail(const Failure&, QJsonObject more = {});

  /// Runs the event loop until quit(code); returns code.
  int runEventLoop();
  void quit(int code);

  /// True once SIGINT or SIGTERM came. Any thread. A second signal ends the process at once with 130.
  static bool stopRequested();

 Q_SIGNALS:
  /// SIGINT or SIGTERM came: finish what must not be torn, then leave (by fail with kind Stopped, or quit).
  void stopAsked();

 private:
  const QCommandLineParser& parser_;
  bool json_ = false, emitted_ = false;
  ProgressLine progress_;
};

}  // namespace cloister::cli
