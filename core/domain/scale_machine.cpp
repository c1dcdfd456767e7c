// Descriptions of machines: the built-in list and files of the same form.
#include <cmath>

#include <QFile>
#include <QJsonDocument>

#include "core/domain/scale_model.h"

static void initMachines() { Q_INIT_RESOURCE(machines); }

namespace cloister {
namespace {

constexpr std::array<const char*, 4> kPrecisions{"bf16", "fp16", "fp8", "fp32"};

/// Takes numbers out of an object and remembers the first that is missing or out of its range.
class Reader {
 public:
  explicit Reader(QString path) : path_(std::move(path)) {}
  double number(const QJsonObject& o, const char* key, double least, double most) {
    const QJsonValue value = o[QLatin1String(key)];
    const double n = value.toDouble(-1);
    if (!wrong_ && (!value.isDouble() || !(n >= least && n <= most)))
      wrong_ =
          Failure{FailureKind::CorruptFile, {{"path", path_}, {"position", QLatin1String(key)}}, QStringLiteral("not a number in range")};
    return n;
  }
  ScaleLink link(const QJsonObject& o) {
    const double bandwidth = number(o, "bandwidth", 1e6, 1e14), fraction = number(o, "fraction", 0.01, 1);
    return {bandwidth * fraction, number(o, "latency", 0, 1)};
  }
  const std::optional<Failure>& wrong() const { return wrong_; }

 private:
  QString path_;
  std::optional<Failure> wrong_;
};

}  // namespace

Result<ScaleMachine> ScaleMachine::fromJson(const QJsonObject& o, const QString& path) {
  Reader reader(path);
  ScaleMachine m;
  m.json = o;
  m.id = o["id"].toString().left(64);
  m.name = o["name"].toString().left(200);
  m.perNode = int(reader.number(o, "gpusPerNode", 1, 1024));
  m.memory = std::int64_t(reader.number(o, "memory", 1e8, 1e15));
  const QJsonObject peak = o["peak"].toObject();
  for (std::size_t i = 0; i < kPrecisions.size(); ++i) m.peak[i] = reader.number(peak, kPrecisions[i], 0, 1e20);
  m.productFraction = reader.number(o, "productFraction", 0.01, 1);
  m.memoryBandwidth = reader.number(o, "memoryBandwidth", 1e6, 1e15) * reader.number(o, "memoryFraction", 0.01, 1);
  m.kernelSeconds = reader.number(o, "kernelSeconds", 0, 1);
  m.node = reader.link(o["node"].toObject());
  m.network = reader.link(o["network"].toObject());
  if (reader.wrong()) return *reader.wrong();
  return m;
}

const std::vector<ScaleMachine>& scaleMachines() {
  static const std::vector<ScaleMachine> all = [] {
    initMachines();
    std::vector<ScaleMachine> machines;
    const QString path = QStringLiteral(":/cloister/machines/machines.json");
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) return machines;
    for (const QJsonValue& o : QJsonDocument::fromJson(file.readAll()).object()["machines"].toArray())
      if (auto machine = ScaleMachine::fromJson(o.toObject(), path)) machines.push_back(*machine);
    return machines;
  }();
  return all;
}

Result<ScaleMachine> scaleMachine(const QString& id) {
  QStringList ids;
  for (const ScaleMachine& m : scaleMachines()) {
    if (m.id == id) return m;
    ids << m.id;
  }
  return Failure{FailureKind::InvalidArgument, {{"name", "machine"}, {"value", id}, {"allowed", ids.join(", ")}}, {}};
}

}  // namespace cloister
