// cloister-cli: everything the desktop does, for scripts, on the same project folder. Parses the command line, finds the verb, runs it.
#include <algorithm>
#include <cstdio>

#include <QCoreApplication>
#include <QLocale>
#include <QTranslator>

#include "app/cli/verb.h"
#include "core/domain/version.h"

namespace cloister::cli {
namespace {

void printText(const QString& text) {
  std::fputs(text.toLocal8Bit().constData(), stdout);
  std::fflush(stdout);
}

/// Words before the first option that could belong to a verb, and the arguments without them.
struct CommandLine {
  QStringList words, rest;
};

CommandLine split(const QStringList& arguments) {
  qsizetype words = 0;
  while (words < arguments.size() && !arguments[words].startsWith('-')) ++words;
  return {arguments.mid(0, words), arguments.mid(words)};
}

QString valueOf(const QStringList& arguments, const QString& option) {
  for (qsizetype i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == option) return arguments.value(i + 1);
    if (arguments[i].startsWith(option + '=')) return arguments[i].mid(option.size() + 1);
  }
  return {};
}

int usageError(const QStringList& arguments, const Failure& failure, const QString& hint) {
  QCommandLineParser none;
  none.addOption(QCommandLineOption("json"));
  none.parse(arguments.contains("--json") ? QStringList{"cloister-cli", "--json"} : QStringList{"cloister-cli"});
  Context context(none);
  const int code = context.fail(failure);
  if (!hint.isEmpty()) context.note(hint);
  return code == 0 ? 2 : code;
}

/// --language, else the system's. False for one that we do not have.
bool useLanguage(const QStringList& arguments) {
  QString language = valueOf(arguments, QStringLiteral("--language"));
  if (language.isEmpty()) language = QLocale::system().language() == QLocale::Chinese ? QStringLiteral("zh_CN") : QStringLiteral("en");
  if (language != u"en" && language != u"zh_CN") return false;
  QLocale::setDefault(language == u"en" ? QLocale(QLocale::English, QLocale::UnitedStates) : QLocale(language));
  for (const char* part : {"cli_", "cloister_"}) {
    auto* translator = new QTranslator(QCoreApplication::instance());
    if (translator->load(QStringLiteral(":/i18n/") + QLatin1String(part) + language + QStringLiteral(".qm")))
      QCoreApplication::installTranslator(translator);
  }
  return true;
}

QStringList verbNames() {
  QStringList names;
  for (const auto& verb : verbs()) names << verb->path().join(' ');
  return names;
}

int unknownVerb(const QStringList& arguments, const QStringList& words) {
  const QString given = words.mid(0, 2).join(' ');
  QStringList near = similar(given, verbNames());
  if (near.isEmpty()) near = similar(words.first(), verbNames());
  const QString hint = near.isEmpty() ? tr("All verbs: cloister-cli --help") : tr("Did you mean: %1?").arg(near.join(QStringLiteral(", ")));
  return usageError(
      arguments, {FailureKind::InvalidArgument, {{"name", tr("verb")}, {"value", given}, {"allowed", verbNames().join(", ")}}, {}}, hint);
}

Failure badValue(const QString& name, const QString& value, const QString& allowed, const QString& detail = {}) {
  return {FailureKind::InvalidArgument, {{"name", name}, {"value", value}, {"allowed", allowed}}, detail};
}

/// What is wrong with options that the parser refused.
Failure optionFailure(const Verb& verb, const QCommandLineParser& parser, const QStringList& rest) {
  const QStringList unknown = parser.unknownOptionNames();
  if (unknown.isEmpty()) return badValue(tr("command line"), rest.join(' '), verb.arguments(), parser.errorText());
  QStringList known;
  for (const QCommandLineOption& o : verb.options() + commonOptions(verb.needsProject())) known << o.names().last();
  const QStringList near = similar(unknown.first(), known);
  return badValue(tr("option"), "--" + unknown.first(), "--" + (near.isEmpty() ? known : near).join(QStringLiteral(", --")));
}

int runVerb(Verb& verb, const QStringList& rest, const QStringList& arguments) {
  QCommandLineParser parser;
  parser.setSingleDashWordOptionMode(QCommandLineParser::ParseAsLongOptions);
  parser.addOptions(commonOptions(verb.needsProject()));
  parser.addOptions(verb.options());
  const QString hint = tr("How to use it: cloister-cli %1 --help").arg(verb.path().join(' '));
  if (!parser.parse(QStringList{QStringLiteral("cloister-cli")} + rest))
    return usageError(arguments, optionFailure(verb, parser, rest), hint);
  if (parser.isSet("help")) {
    printText(helpOf(verb));
    return 0;
  }
  const QStringList given = parser.positionalArguments();
  const int most = verb.maximumArguments();
  if (given.size() < verb.minimumArguments() || (most >= 0 && given.size() > most))
    return usageError(arguments, badValue(tr("arguments"), given.join(' '), verb.arguments().isEmpty() ? tr("none") : verb.arguments()),
                      hint);
  Context context(parser);
  return verb.execute(context);
}

int run(const QStringList& arguments) {
  if (!useLanguage(arguments))
    return usageError(
        arguments,
        {FailureKind::InvalidArgument, {{"name", "--language"}, {"value", valueOf(arguments, "--language")}, {"allowed", "en, zh_CN"}}, {}},
        {});
  const CommandLine line = split(arguments);
  if (line.words.isEmpty()) {
    if (line.rest.contains("--version")) {
      printText(QStringLiteral("cloister-cli %1 (%2)\n").arg(programVersion(), codeCommit()));
      return 0;
    }
    if (line.rest.isEmpty() || line.rest.contains("--help") || line.rest.contains("-h")) {
      printText(helpOfProgram());
      return line.rest.isEmpty() ? 2 : 0;
    }
    return usageError(
        arguments,
        {FailureKind::InvalidArgument, {{"name", tr("verb")}, {"value", line.rest.first()}, {"allowed", verbNames().join(", ")}}, {}},
        tr("The verb comes first: cloister-cli VERB [options]"));
  }
  int used = 0;
  if (Verb* verb = findVerb(line.words, &used)) return runVerb(*verb, line.words.mid(used) + line.rest, arguments);
  const bool group = std::any_of(verbs().begin(), verbs().end(), [&](auto& v) { return v->path().first() == line.words.first(); });
  if (group && line.words.size() == 1) {
    printText(helpOfGroup(line.words.first()));
    return line.rest.contains("--help") || line.rest.contains("-h") ? 0 : 2;
  }
  return unknownVerb(arguments, line.words);
}

}  // namespace
}  // namespace cloister::cli

int main(int argc, char** argv) {
  QCoreApplication app(argc, argv);
  QCoreApplication::setApplicationName(QStringLiteral("cloister-cli"));
  QCoreApplication::setOrganizationName(QStringLiteral("cloister"));
  QCoreApplication::setApplicationVersion(cloister::programVersion());
  return cloister::cli::run(QCoreApplication::arguments().mid(1));
}
