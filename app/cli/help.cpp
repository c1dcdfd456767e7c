
#include "app/cli/verb.h"

namespace cloister::cli {
namespace {

QString optionLine(const QCommandLineOption& option) {
  QStringList names;
  for (const QString& n : option.names()) names << (n.size() == 1 ? "-" : "--") + n;
  QString left = "  " + names.join(", ");
  if (!option.valueName().isEmpty()) left += ' ' + option.valueName();
  QString right = option.description();
  if (!option.defaultValues().isEmpty()) right += QStringLiteral(" [%1]").arg(option.defaultValues().join(','));
  if (left.size() > 30) return left + "\n" + QString(32, ' ') + right + '\n';
  return left.leftJustified(32) + right + '\n';
}

QString exitCodes() { return tr("Exit codes: 0 done, 1 failed, 2 usage, 3 bad input, 4 refused by policy, 130 stopped.") + '\n'; }

QString verbLines(const QString& group) {
  QString text;
  for (const auto& verb : verbs())
    if (group.isEmpty() || verb->path().first() == group)
      text += "  " + verb->path().join(' ').leftJustified(22) + "  " + verb->summary() + '\n';
  return text;
}

}  // namespace

QList<QCommandLineOption> commonOptions(bool needsProject) {
  QList<QCommandLineOption> options;
  if (needsProject)
    options << QCommandLineOption("project", tr("The project folder; otherwise $CLOISTER_PROJECT, otherwise the current folder."), "DIR");
  options << QCommandLineOption("json", tr("Print one JSON object on standard output and nothing else."))
          << QCommandLineOption("language", tr("Language of sentences: en or zh_CN."), "LANG")
          << QCommandLineOption(QStringList{"h", "help"}, tr("Show this text."));
  return options;
}

QString helpOf(const Verb& verb) {
  QString text = verb.summary() + "\n\n" + tr("Usage:") + " cloister-cli " + verb.path().join(' ') + ' ' + tr("[options]");
  if (!verb.arguments().isEmpty()) text += ' ' + verb.arguments();
  text += "\n\n" + tr("Options:") + '\n';
  for (const QCommandLineOption& option : verb.options()) text += optionLine(option);
  for (const QCommandLineOption& option : commonOptions(verb.needsProject())) text += optionLine(option);
  text += '\n' + (verb.examples().size() == 1 ? tr("Example:") : tr("Examples:")) + '\n';
  for (const QString& example : verb.examples()) text += "  " + example + '\n';
  return text + '\n' + exitCodes();
}

QString helpOfGroup(const QString& group) {
  return tr("Usage:") + " cloister-cli " + group + ' ' + tr("VERB [options]") + "\n\n" + verbLines(group);
}

QString helpOfProgram() {
  return tr("Cloister trains, evaluates and hands out models in closed networks.") + "\n\n" + tr("Usage:") + " cloister-cli " +
         tr("VERB [options]") + "\n\n" + verbLines({}) + '\n' + tr("Each verb explains itself: cloister-cli VERB --help") + '\n' +
         exitCodes();
}

}  // namespace cloister::cli
