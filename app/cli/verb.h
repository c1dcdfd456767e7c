// One verb of cloister-cli ("data import"): its words, its options and what it does. A verb file declares a class and a static
// VerbRegistration of it; nothing else needs to know. Main thread; long work runs on the Qt event loop and ends by Context::quit.
//
//   class DataCheck : public Verb { … };
//   static VerbRegistration<DataCheck> registration;
#pragma once
#include <memory>
#include <vector>

#include <QCommandLineOption>
#include <QList>
#include <QStringList>

#include "app/cli/context.h"

namespace cloister::cli {

class Verb {
 public:
  virtual ~Verb() = default;
  virtual QStringList path() const = 0;             ///< {"data", "import"} or {"train"}
  virtual QString summary() const = 0;              ///< one sentence, translated (context "Cli")
  virtual QStringList examples() const = 0;         ///< whole command lines, at least one
  virtual QString arguments() const { return {}; }  ///< positional arguments as shown: "PATH…", "[RUN]"
  virtual int minimumArguments() const { return 0; }
  virtual int maximumArguments() const { return 0; }  ///< -1: any number
  virtual QList<QCommandLineOption> options() const { return {}; }
  virtual bool needsProject() const { return true; }  ///< offers --project
  /// The exit code: 0 done, 1 failed, 2 usage, 3 bad input, 4 refused by policy, 130 stopped. Failures leave by Context::fail.
  virtual int execute(Context&) = 0;
};

/// A verb about one folder, without a project.
class FolderVerb : public Verb {
 public:
  QString arguments() const override { return QStringLiteral("DIR"); }
  int minimumArguments() const override { return 1; }
  int maximumArguments() const override { return 1; }
  bool needsProject() const override { return false; }
};

/// All verbs, sorted by path.
const std::vector<std::unique_ptr<Verb>>& verbs();
void registerVerb(std::unique_ptr<Verb>);
/// The verb that has exactly these leading words; wordsUsed tells how many. Null when there is none.
Verb* findVerb(const QStringList& words, int* wordsUsed);
/// At most three verbs (or options) spelled like the given one.
QStringList similar(const QString& given, const QStringList& known);

template <typename T>
struct VerbRegistration {
  VerbRegistration() { registerVerb(std::make_unique<T>()); }
};

/// Text of --help: of one verb, of a group ("data") or of the program.
QString helpOf(const Verb&);
QString helpOfGroup(const QString& group);
QString helpOfProgram();
QList<QCommandLineOption> commonOptions(bool needsProject);

}  // namespace cloister::cli
