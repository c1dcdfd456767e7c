// For tests of the pages for language models: a project with two small models, made from a synthetic text by the command line.
#pragma once
#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QString>

namespace cloister {

/// 400 short lines that follow a pattern, so that a small model learns something in a second.
inline QByteArray tinyText() {
  const char* who[] = {"The heart", "The lung", "The left kidney", "The liver"};
  const char* how[] = {"is of normal size", "shows no finding", "is well defined", "was not examined"};
  QByteArray text;
  for (int i = 0; i < 400; ++i) text += QByteArray(who[i % 4]) + ' ' + how[(i / 4) % 4] + " in image " + QByteArray::number(i % 10) + ".\n";
  return text;
}

inline bool cli(const QStringList& arguments, QByteArray* out = nullptr) {
  QProcess p;
  QProcessEnvironment alone = QProcessEnvironment::systemEnvironment();
  alone.insert("OMP_NUM_THREADS", "1");  // tests run side by side
  p.setProcessEnvironment(alone);
  p.start(QStringLiteral(CLOISTER_BIN_DIR) + "/cloister-cli", arguments);
  if (!p.waitForFinished(120'000)) return false;
  if (out) *out = p.readAllStandardOutput();
  if (p.exitCode() != 0) qWarning("%s: %s", qPrintable(arguments.join(' ')), p.readAllStandardError().constData());
  return p.exitStatus() == QProcess::NormalExit && p.exitCode() == 0;
}

inline bool writeFile(const QString& path, const QByteArray& bytes) {
  QFile f(path);
  return f.open(QIODevice::WriteOnly) && f.write(bytes) == bytes.size();
}

/// dir/corpus.txt, dir/tok, and models base and tuned in dir/project/models. Trains for some seconds.
inline bool makeLanguageProject(const QString& dir) {
  const QString text = dir + "/corpus.txt", tok = dir + "/tok", shards = dir + "/shards", project = dir + "/project";
  if (!writeFile(text, tinyText())) return false;
  if (!cli({"tokenizer", "train", "--input", text, "--vocab-size", "400", "--to", tok})) return false;
  if (!cli({"text", "prepare", "--input", text, "--tokenizer", tok, "--to", shards, "--length", "64"})) return false;
  const auto train = [&](const QString& steps, const QString& to) {
    return cli({"model", "train", shards, "--tokenizer", tok, "--architecture", "llama-1m", "--set", "epochs=50", "--set",
                "max_steps=" + steps, "--to", to});
  };
  if (!train("2", dir + "/base") || !train("30", dir + "/tuned")) return false;
  if (!cli({"project", "create", "--project", project, "--name", "Language"})) return false;
  QFile file(project + "/project.json");
  if (!file.open(QIODevice::ReadOnly)) return false;
  QJsonObject json = QJsonDocument::fromJson(file.readAll()).object();
  file.close();
  json["task"] = "language-model";
  if (!writeFile(project + "/project.json", QJsonDocument(json).toJson()) || !QDir().mkpath(project + "/models")) return false;
  return QDir().rename(dir + "/base/model", project + "/models/base") && QDir().rename(dir + "/tuned/model", project + "/models/tuned");
}

}  // namespace cloister
