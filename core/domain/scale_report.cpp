// Requests and reports of the cost model as JSON, and layouts as text.
#include <algorithm>
#include <utility>

#include "core/domain/scale_model.h"

namespace cloister {
namespace {

constexpr int kMostGpus = 4096;
const QStringList kPrecisions{"bf16", "fp16", "fp8", "fp32"};
const QStringList kRecompute{"none", "selective", "full"};

Failure wrongArgument(const QString& name, const QString& value, const QString& allowed) {
  return Failure{FailureKind::InvalidArgument, {{"name", name}, {"value", value}, {"allowed", allowed}}, {}};
}

/// One "key=value" of a layout. False: no such key, or no such value.
bool setPart(ScaleLayout& l, const QString& key, const QString& value) {
  if (key == u"recompute") {
    const qsizetype at = kRecompute.indexOf(value);
    l.recompute = Recompute(std::max<qsizetype>(0, at));
    return at >= 0;
  }
  if (key == u"sp") {
    l.sequenceParallel = value == u"on";
    return value == u"on" || value == u"off";
  }
  static const std::pair<const char*, int ScaleLayout::*> numbers[] = {{"dp", &ScaleLayout::data},
                                                                       {"tp", &ScaleLayout::tensor},
                                                                       {"pp", &ScaleLayout::pipeline},
                                                                       {"ep", &ScaleLayout::expert},
                                                                       {"zero", &ScaleLayout::zero},
                                                                       {"micro", &ScaleLayout::microBatch},
                                                                       {"interleave", &ScaleLayout::interleave}};
  for (const auto& [name, member] : numbers) {
    if (key != QLatin1String(name)) continue;
    bool ok = false;
    l.*member = value.toInt(&ok);
    return ok && (key == u"zero" ? l.zero >= 0 && l.zero <= 3 : l.*member >= 1 && l.*member <= kMostGpus);
  }
  return false;
}

QJsonObject proposalJson(const ScaleProposal& p) {
  QJsonObject o = p.prediction.toJson();
  o["layout"] = p.layout.toText();
  o["ranks"] = p.layout.toJson();
  o["gpus"] = p.layout.gpus();
  return o;
}

/// Layouts near a given one: one setting changed, the cheapest first.
std::vector<ScaleLayout> neighbours(const ScaleLayout& l) {
  std::vector<ScaleLayout> all;
  const auto add = [&](auto change) {
    ScaleLayout changed = l;
    change(changed);
    all.push_back(changed);
  };
  if (l.tensor > 1 && !l.sequenceParallel) add([](ScaleLayout& c) { c.sequenceParallel = true; });
  for (int zero = l.zero + 1; zero <= 3 && l.data > 1; ++zero) add([zero](ScaleLayout& c) { c.zero = zero; });
  for (int r = int(l.recompute) + 1; r <= 2; ++r) add([r](ScaleLayout& c) { c.recompute = Recompute(r); });
  for (int micro = l.microBatch / 2; micro >= 1; micro /= 2) add([micro](ScaleLayout& c) { c.microBatch = micro; });
  for (int part = 2; part <= l.data; part *= 2) {
    if (l.data % part != 0) break;
    add([part](ScaleLayout& c) { c.data /= part, c.tensor *= part; });
    add([part](ScaleLayout& c) { c.data /= part, c.pipeline *= part; });
    add([part](ScaleLayout& c) { c.expert *= part; });
  }
  return all;
}

struct Planner {
  ScaleShape shape;
  ScaleRequest request;

  std::optional<ScaleReason> reason(const ScaleLayout& l) const {
    if (auto wrong = layoutReason(shape, l, request.workload, request.machine, request.gpus)) return wrong;
    const std::int64_t needed = scaleMemory(shape, l, request.workload, request.machine).total();
    if (needed <= usableMemory(request.machine)) return {};
    return ScaleReason{QStringLiteral("memory"), needed, usableMemory(request.machine)};
  }

  ScaleProposal predicted(const ScaleLayout& l) const { return {l, predictStep(shape, l, request.workload, request.machine)}; }

  /// The quickest layouts that one change, or else two, make of one that does not fit.
  QJsonArray changesOf(const ScaleLayout& from) const {
    std::vector<ScaleProposal> found;
    for (const ScaleLayout& one : neighbours(from))
      if (!reason(one)) found.push_back(predicted(one));
    if (found.empty())
      for (const ScaleLayout& one : neighbours(from))
        for (const ScaleLayout& two : neighbours(one))
          if (!reason(two)) found.push_back(predicted(two));
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.prediction.seconds.total() < b.prediction.seconds.total(); });
    QJsonArray all;
    QStringList seen;
    for (const ScaleProposal& p : found) {
      if (seen.contains(p.layout.toText())) continue;
      seen << p.layout.toText();
      all.append(proposalJson(p));
      if (all.size() == 4) break;
    }
    return all;
  }

  /// What makes this number of GPUs enough: shorter sequences, GPUs with more memory.
  QJsonArray changesOfNumber() const {
    QJsonArray all;
    ScaleWorkload shorter = request.workload;
    for (shorter.sequence /= 2; shorter.sequence >= 256; shorter.sequence /= 2) {
      const ScaleSearch found = searchLayouts(shape, shorter, request.machine, request.gpus, 1);
      if (found.best.empty()) continue;
      QJsonObject change = proposalJson(found.best.front());
      change["sequence"] = qint64(shorter.sequence);
      all.append(change);
      break;
    }
    for (const ScaleMachine& other : scaleMachines()) {
      if (other.memory <= request.machine.memory || other.id == u"cpu") continue;
      const ScaleSearch found = searchLayouts(shape, request.workload, other, request.gpus, 1);
      if (found.best.empty()) continue;
      QJsonObject change = proposalJson(found.best.front());
      change["machine"] = other.id;
      all.append(change);
    }
    return all;
  }

  QJsonObject ofLayout(const ScaleLayout& l) const {
    QJsonObject given;
    if (!layoutReason(shape, l, request.workload, request.machine, request.gpus)) given = proposalJson(predicted(l));
    given["layout"] = l.toText();
    const auto wrong = reason(l);
    given["fits"] = !wrong;
    if (!wrong) return given;
    given["reason"] = wrong->word;
    given["sentence"] = describeScaleReason(*wrong);
    given["changes"] = changesOf(l);
    return given;
  }

  void search(QJsonObject& report) const {
    const ScaleSearch found = searchLayouts(shape, request.workload, request.machine, request.gpus);
    QJsonArray best, others;
    for (const ScaleProposal& p : found.best) best.append(proposalJson(p));
    for (const ScaleOther& o : found.others) {
      QJsonObject other{{"tensor", o.layout.tensor},
                        {"pipeline", o.layout.pipeline},
                        {"layout", o.layout.toText()},
                        {"reason", o.reason.word},
                        {"sentence", describeScaleReason(o.reason)}};
      if (o.slower > 0) other["slower"] = o.slower;
      others.append(other);
    }
    report["best"] = best;
    report["others"] = others;
    report["tried"] = found.tried;
    report["fitting"] = found.fitting;
    if (found.best.empty()) report["changes"] = changesOfNumber();
  }
};

}  // namespace

Result<ScaleLayout> ScaleLayout::fromText(const QString& text, int gpus) {
  ScaleLayout l;
  bool hasData = false;
  for (const QString& part : text.split(',', Qt::SkipEmptyParts)) {
    const QString key = part.section('=', 0, 0).trimmed(), value = part.section('=', 1).trimmed();
    hasData |= key == u"dp";
    if (!setPart(l, key, value))
      return wrongArgument("layout", part.left(80),
                           "dp=N, tp=N, pp=N, ep=N, zero=0 … 3, micro=N, interleave=N, recompute=none|selective|full, sp=on|off");
  }
  const std::int64_t rest = std::int64_t(l.tensor) * l.pipeline;
  if (rest > kMostGpus || std::int64_t(l.data) * rest > kMostGpus)
    return wrongArgument("layout", text.left(80), QStringLiteral("1 … %1").arg(kMostGpus));
  if (!hasData) l.data = std::max(1, int(gpus / rest));
  return l;
}

QString ScaleLayout::toText() const {
  QStringList parts{QStringLiteral("dp=%1").arg(data), QStringLiteral("tp=%1").arg(tensor), QStringLiteral("pp=%1").arg(pipeline)};
  if (expert > 1) parts << QStringLiteral("ep=%1").arg(expert);
  parts << QStringLiteral("zero=%1").arg(zero) << QStringLiteral("micro=%1").arg(microBatch);
  if (interleave > 1) parts << QStringLiteral("interleave=%1").arg(interleave);
  parts << "recompute=" + kRecompute[int(recompute)];
  if (tensor > 1 && !sequenceParallel) parts << QStringLiteral("sp=off");
  return parts.join(',');
}

QJsonObject ScaleLayout::toJson() const {
  return {{"data", data},
          {"tensor", tensor},
          {"pipeline", pipeline},
          {"expert", expert},
          {"zero", zero},
          {"sequenceParallel", tensor > 1 && sequenceParallel},
          {"microBatch", microBatch},
          {"interleave", interleave},
          {"recompute", kRecompute[int(recompute)]}};
}

QJsonObject ScalePrediction::toJson() const {
  const QJsonObject parts{{"compute", seconds.compute}, {"recompute", seconds.recompute}, {"tensor", seconds.tensor},
                          {"expert", seconds.expert},   {"pipeline", seconds.pipeline},   {"data", seconds.data},
                          {"bubble", seconds.bubble},   {"optimizer", seconds.optimizer}};
  return {{"stepSeconds", seconds.total()},
          {"seconds", parts},
          {"memory", memory.toJson()},
          {"microBatches", qint64(microBatches)},
          {"modelFlops", modelFlops},
          {"tokensPerSecond", tokensPerSecond},
          {"mfu", mfu},
          {"hfu", hfu},
          {"dataSeconds", dataSeconds},
          {"dataAlgorithm", dataAlgorithm}};
}

Result<ScaleRequest> ScaleRequest::fromJson(const QJsonObject& o, const DecoderConfig& config) {
  ScaleRequest r;
  const auto number = [&](const char* name, std::int64_t usual, std::int64_t most) -> Result<std::int64_t> {
    const std::int64_t n = o.contains(QLatin1String(name)) ? o[QLatin1String(name)].toInteger(0) : usual;
    if (n < 1 || n > most) return wrongArgument(QLatin1String(name), QString::number(n), QStringLiteral("1 … %1").arg(most));
    return n;
  };
  const auto gpus = number("gpus", 8, kMostGpus);
  if (!gpus) return gpus.error();
  const auto sequence = number("sequence", std::min<std::int64_t>(4096, config.context), config.context);
  if (!sequence) return sequence.error();
  // Four million tokens, as LLaMA 2 (2307.09288) was trained with.
  const auto batch = number("globalBatch", std::max<std::int64_t>(1, (4 << 20) / *sequence), 1 << 24);
  if (!batch) return batch.error();
  const qsizetype precision = kPrecisions.indexOf(o["compute"].toString(kPrecisions[0]));
  if (precision < 0) return wrongArgument("compute", o["compute"].toString(), kPrecisions.join(", "));
  auto machine = o["machine"].isObject() ? ScaleMachine::fromJson(o["machine"].toObject(), QStringLiteral("machine"))
                                         : scaleMachine(o["machine"].toString(QStringLiteral("h100")));
  if (!machine) return machine.error();
  r.machine = *machine;
  r.gpus = int(*gpus);
  r.workload.sequence = *sequence;
  r.workload.globalBatch = *batch;
  r.workload.precision = ScalePrecision(precision);
  r.layout = o["layout"].toString();
  return r;
}

Result<QJsonObject> scaleReport(const DecoderConfig& config, const QJsonObject& request) {
  auto read = ScaleRequest::fromJson(request, config);
  if (!read) return read.error();
  const Planner planner{ScaleShape::of(config), *read};
  const ScaleWorkload& w = read->workload;
  QJsonObject report{{"gpus", read->gpus},
                     {"machine", read->machine.json},
                     {"parameters", qint64(planner.shape.parameters())},
                     {"sequence", qint64(w.sequence)},
                     {"globalBatch", qint64(w.globalBatch)},
                     {"compute", kPrecisions[int(w.precision)]},
                     {"forwardFlops", planner.shape.forwardFlops(w.sequence)},
                     {"usableMemory", qint64(usableMemory(read->machine))},
                     {"assumptions", scaleAssumptions(read->machine, w, planner.shape.flash)}};
  if (read->layout.isEmpty()) {
    planner.search(report);
  } else {
    const auto layout = ScaleLayout::fromText(read->layout, read->gpus);
    if (!layout) return layout.error();
    report["given"] = planner.ofLayout(*layout);
  }
  if (const auto smallest = smallestScale(planner.shape, w, read->machine)) report["smallest"] = proposalJson(*smallest);
  return report;
}

}  // namespace cloister
