// system show: what this machine is good for.
#include <QJsonArray>
#include <QLocale>

#include "app/cli/verb.h"
#include "core/runs/hardware.h"

namespace cloister::cli {
namespace {

QString joined(const QJsonArray& words) {
  QStringList list;
  for (const QJsonValue& v : words) list << v.toString();
  return list.join(", ");
}

class SystemShow : public Verb {
 public:
  QStringList path() const override { return {"system", "show"}; }
  QString summary() const override {
    return tr("Show processor, memory, disk, graphics cards and InfiniBand, and what they are good for.");
  }
  QStringList examples() const override { return {"cloister-cli system show --measure-disk --json"}; }
  QList<QCommandLineOption> options() const override {
    return {{"measure-disk", tr("Also write and read a file of 256 MB in the project's folder.")}};
  }
  int execute(Context& context) override {
    QJsonObject inventory = hardwareInventory(context.projectDir());
    inventory["cuda"] = cudaUse(inventory["gpus"].toArray());
    if (context.isSet("measure-disk")) {
      auto speed = measureDisk(context.projectDir());
      if (!speed) return context.fail(speed.error());
      QJsonObject disk = inventory["disk"].toObject();
      disk["measured"] = *speed;
      inventory["disk"] = disk;
    }
    const QString advice = hardwareAdvice(inventory, {});
    inventory["advice"] = advice;
    context.emitJson(inventory);
    print(context, inventory);
    return 0;
  }

 private:
  static void print(Context& context, const QJsonObject& inventory) {
    const QLocale locale;
    const auto size = [&locale](const QJsonValue& v) { return locale.formattedDataSize(v.toInteger()); };
    const QJsonObject cpu = inventory["cpu"].toObject(), memory = inventory["memory"].toObject(), disk = inventory["disk"].toObject();
    context.print(
        tr("Processor: %1, cores: %2, threads: %3").arg(cpu["model"].toString()).arg(cpu["cores"].toInt()).arg(cpu["threads"].toInt()));
    context.print(tr("Instructions: %1").arg(joined(cpu["instructions"].toArray())));
    context.print(tr("Memory: %1, %2 free").arg(size(memory["total"]), size(memory["free"])));
    context.print(tr("Disk: %1 free of %2 at %3").arg(size(disk["free"]), size(disk["total"]), disk["path"].toString()));
    if (const QJsonObject speed = disk["measured"].toObject(); !speed.isEmpty())
      context.print(tr("Disk speed: writes %1/s, reads %2/s")
                        .arg(size(qint64(speed["writeBytesPerSecond"].toDouble())), size(qint64(speed["readBytesPerSecond"].toDouble()))));
    for (const QJsonValue& gpu : inventory["gpus"].toArray())
      context.print(tr("Graphics card: %1, %2, driver %3").arg(gpu["name"].toString(), size(gpu["memoryTotal"]), gpu["driver"].toString()));
    const QJsonObject cuda = inventory["cuda"].toObject();
    if (cuda["usable"].toBool()) context.print(tr("CUDA: graphics cards that can train: %1").arg(cuda["devices"].toArray().size()));
    else context.print(tr("CUDA: %1").arg(describe(Failure::fromJson(cuda["trouble"].toObject()))));
    for (const QJsonValue& port : inventory["infiniband"].toArray())
      context.print(
          tr("InfiniBand: %1 %2, %3 Gbit/s").arg(port["name"].toString(), port["state"].toString()).arg(port["rateGbps"].toDouble()));
    context.print(inventory["advice"].toString());
  }
};

VerbRegistration<SystemShow> show;

}  // namespace
}  // namespace cloister::cli
