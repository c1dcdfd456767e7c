// jinja_render FILE: reads {"cases": [{"template", "context": {name: JSON value}, "date": [year, month, day]?}]} and prints for each a
// line:
// {"text", "generation": [[from, to]]} or {"line", "column", "why", "raised"?}. Only tests/interop starts it, to compare with jinja2.
#include <cstdio>

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>

#include "core/domain/files.h"
#include "core/text/jinja/jinja_template.h"

using namespace cloister;
using jinja::Value;

namespace {

Value valueOf(const QJsonValue& json) {
  if (json.isBool()) return json.toBool();
  if (json.isString()) return json.toString().toStdString();
  if (json.isDouble()) {
    const double d = json.toDouble();
    return d == double(std::int64_t(d)) ? Value(std::int64_t(d)) : Value(d);
  }
  if (json.isArray()) {
    jinja::Values items;
    for (const QJsonValue& v : json.toArray()) items.push_back(valueOf(v));
    return Value::list(std::move(items));
  }
  if (!json.isObject()) return Value::none();
  jinja::Mapping m;
  const QJsonObject o = json.toObject();
  for (auto it = o.begin(); it != o.end(); ++it) m.set(Value(it.key().toStdString()), valueOf(it.value()));
  return Value::mapping(std::move(m));
}

QJsonObject rendered(const QJsonObject& one) {
  const auto made = JinjaTemplate::parse(one["template"].toString().toStdString(), QStringLiteral("template"));
  if (!made) return made.error().args;
  std::vector<std::pair<std::string, Value>> context;
  const QJsonObject given = one["context"].toObject();
  for (auto it = given.begin(); it != given.end(); ++it) context.emplace_back(it.key().toStdString(), valueOf(it.value()));
  std::optional<jinja::Date> date;
  if (const QJsonArray d = one["date"].toArray(); d.size() == 3) date = {d[0].toInt(), d[1].toInt(), d[2].toInt()};
  const auto output = (*made)->render(context, date);
  if (!output) return output.error().args;
  QJsonArray spans;
  for (const auto& [from, to] : output->generation) spans.append(QJsonArray{qint64(from), qint64(to)});
  return {{"text", QString::fromStdString(output->text)}, {"generation", spans}};
}

}  // namespace

int main(int argc, char** argv) {
  const QCoreApplication app(argc, argv);
  const auto in = argc == 2 ? readJson(QString::fromLocal8Bit(argv[1]), qint64{1} << 30) : Result<QJsonObject>(Failure{});
  if (!in) return 2;
  for (const QJsonValue& one : (*in)["cases"].toArray())
    std::puts(QJsonDocument(rendered(one.toObject())).toJson(QJsonDocument::Compact).constData());
  return 0;
}
