// Attacks against a model whose worst case is known in closed form (a linear one), and the laws every attack must keep.
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <QTest>

#include "core/engine/evaluate/attacks.h"

using namespace cloister;

namespace {

struct Linear {
  at::Tensor weight, bias;  // of class 1 against class 0: logits = (0, w·x + b)
  Classifier classifier() const {
    return [w = weight, b = bias](const at::Tensor& x) {
      const at::Tensor z = x.flatten(1).matmul(w) + b;
      return at::stack({at::zeros_like(z), z}, 1);
    };
  }
  at::Tensor margin(const at::Tensor& x, const at::Tensor& labels) const { return (x.flatten(1).matmul(weight) + bias) * (labels * 2 - 1); }
};

at::Generator generator(std::uint64_t seed) { return at::detail::createCPUGenerator(seed); }

/// Double precision and pixels around one half: no clamp is active and no rounding hides a wrong formula.
struct LinearCase {
  Linear model{at::randn({48}, generator(1), at::kDouble), at::randn({}, generator(2), at::kDouble)};
  at::Tensor images = 0.4 + 0.2 * at::rand({9, 3, 4, 4}, generator(3), at::kDouble);
  at::Tensor labels = at::tensor({0, 1, 0, 1, 1, 0, 1, 0, 1}, at::kLong);
  std::vector<std::int64_t> ids{0, 1, 2, 3, 4, 5, 6, 7, 8};
};

/// A network that bends: two layers with a smooth activation.
Classifier bent() {
  const at::Tensor a = at::randn({16, 48}, generator(11)), b = at::randn({4, 16}, generator(12));
  return [a, b](const at::Tensor& x) { return at::linear(at::tanh(at::linear(x.flatten(1), a)), b); };
}

AttackOptions options(AttackKind kind, AttackNorm norm, double epsilon, int steps = 10) {
  AttackOptions o;
  o.kind = kind;
  o.norm = norm;
  o.epsilon = epsilon;
  o.steps = steps;
  return o;
}

double wrongShare(const AttackOutcome& o) { return o.wrong.to(at::kDouble).mean().item<double>(); }

}  // namespace

Q_DECLARE_METATYPE(cloister::AttackKind)
Q_DECLARE_METATYPE(cloister::AttackNorm)

class TestAttacks : public QObject {
  Q_OBJECT

  static void rows() {
    QTest::addColumn<AttackKind>("kind");
    QTest::addColumn<AttackNorm>("norm");
    QTest::newRow("fgsm linf") << AttackKind::Fgsm << AttackNorm::Linf;
    QTest::newRow("fgsm l2") << AttackKind::Fgsm << AttackNorm::L2;
    QTest::newRow("pgd linf") << AttackKind::Pgd << AttackNorm::Linf;
    QTest::newRow("pgd l2") << AttackKind::Pgd << AttackNorm::L2;
  }

 private Q_SLOTS:
  // Tensors of a few numbers: waking threads for them would cost a thousand times the work.
  void initTestCase() { at::set_num_threads(1); }

  void reachesTheExactWorstCaseOfALinearModel_data() { rows(); }
  void reachesTheExactWorstCaseOfALinearModel() {
    QFETCH(AttackKind, kind);
    QFETCH(AttackNorm, norm);
    const LinearCase c;
    const double epsilon = norm == AttackNorm::Linf ? 0.05 : 0.3;
    AttackOptions o = options(kind, norm, epsilon, 20);
    o.stepSize = epsilon;  // in the L2 ball the direction turns towards the optimum by half in each step: 2⁻²⁰ after twenty
    const AttackOutcome out = attack(c.model.classifier(), c.images, c.labels, o, c.ids);
    const double dual = c.model.weight.norm(norm == AttackNorm::Linf ? 1 : 2).item<double>();
    const at::Tensor exact = c.model.margin(c.images, c.labels) - epsilon * dual;
    const double error = (c.model.margin(out.images, c.labels) - exact).abs().max().item<double>();
    QVERIFY2(error < 1e-6, qPrintable(QString::number(error)));
    // Robust accuracy has a closed form too.
    QVERIFY(out.wrong.equal(exact <= 0) || out.wrong.equal(exact < 0));
  }

  void laws_data() { rows(); }
  void laws() {
    QFETCH(AttackKind, kind);
    QFETCH(AttackNorm, norm);
    const Classifier f = bent();
    const at::Tensor images = at::rand({32, 3, 4, 4}, generator(21)), labels = at::randint(0, 4, {32}, generator(22), at::kLong);
    std::vector<std::int64_t> ids(32);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = std::int64_t(i);
    const at::Tensor clean = at::cross_entropy_loss(f(images), labels, {}, at::Reduction::None);
    double before = -1;
    for (const double epsilon : {0.0, 0.02, 0.1, 0.3}) {
      AttackOptions o = options(kind, norm, norm == AttackNorm::Linf ? epsilon : 3 * epsilon);
      o.keepStrongest = true;
      const AttackOutcome out = attack(f, images, labels, o, ids);
      const at::Tensor delta = out.images - images;
      const double size = (norm == AttackNorm::Linf ? delta.abs().max() : delta.flatten(1).norm(2, 1).max()).item<double>();
      QVERIFY2(size <= o.epsilon + 1e-6, qPrintable(QString::number(size)));
      QVERIFY(out.images.min().item<double>() >= 0 && out.images.max().item<double>() <= 1);
      QVERIFY((out.loss >= clean - 1e-6).all().item<bool>());
      if (epsilon == 0) QVERIFY(out.images.equal(images));
      QVERIFY(out.wrong.equal(decidedWrong(f(out.images), labels, 0.5)));
      QVERIFY2(wrongShare(out) >= before, qPrintable(QString::number(epsilon)));
      before = wrongShare(out);
    }
    QVERIFY(before > 0.9);
  }

  void moreStepsAndRestartsNeverHarmLess() {
    const Classifier f = bent();
    const at::Tensor images = at::rand({64, 3, 4, 4}, generator(31)), labels = f(images).argmax(1);
    std::vector<std::int64_t> ids(64);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = std::int64_t(i);
    AttackOptions o = options(AttackKind::Pgd, AttackNorm::Linf, 0.03, 3);
    o.keepStrongest = true;
    const double once = attack(f, images, labels, o, ids).loss.mean().item<double>();
    o.restarts = 4;
    const double four = attack(f, images, labels, o, ids).loss.mean().item<double>();
    o.restarts = 1;
    o.steps = 40;
    const double longer = attack(f, images, labels, o, ids).loss.mean().item<double>();
    const double single = attack(f, images, labels, options(AttackKind::Fgsm, AttackNorm::Linf, 0.03), ids).loss.mean().item<double>();
    QVERIFY(four >= once - 1e-6);
    QVERIFY(longer >= once - 1e-3);
    QVERIFY(longer >= single - 1e-3);
  }

  void aSampleGetsTheSameStartInAnyBatch() {
    const at::Tensor images = at::rand({6, 1, 5, 5}, generator(41));
    for (const AttackNorm norm : {AttackNorm::Linf, AttackNorm::L2}) {
      const at::Tensor all = randomStart(images, norm, 0.1, 7, 0, {10, 11, 12, 13, 14, 15});
      QVERIFY(randomStart(images.slice(0, 2, 4), norm, 0.1, 7, 0, {12, 13}).equal(all.slice(0, 2, 4)));
      QVERIFY(!randomStart(images, norm, 0.1, 7, 1, {10, 11, 12, 13, 14, 15}).equal(all));
      QVERIFY(!randomStart(images, norm, 0.1, 8, 0, {10, 11, 12, 13, 14, 15}).equal(all));
    }
  }

  void zeroGradientsAreReported() {
    // A step function of the image: right or wrong, but nothing to follow.
    const Classifier flat = [](const at::Tensor& x) {
      const at::Tensor z = (x.flatten(1).mean(1) > 0.5).to(at::kFloat) + 0 * x.flatten(1).sum(1);
      return at::stack({-z, z}, 1);
    };
    const at::Tensor images = at::rand({5, 1, 3, 3}, generator(51));
    const AttackOutcome out =
        attack(flat, images, at::zeros({5}, at::kLong), options(AttackKind::Pgd, AttackNorm::L2, 0.5), {0, 1, 2, 3, 4});
    QVERIFY(out.zeroGradient.all().item<bool>());
    QVERIFY(at::isfinite(out.images).all().item<bool>());
  }

  void thresholdMovesTheDecision() {
    const at::Tensor logits = at::tensor({0.0, 0.5, 0.0, -0.5}).view({2, 2}), labels = at::tensor({1, 1}, at::kLong);
    QCOMPARE(decidedWrong(logits, labels, 0.5).sum().item<int>(), 1);
    QCOMPARE(decidedWrong(logits, labels, 0.9).sum().item<int>(), 2);
    QCOMPARE(decidedWrong(logits, labels, 0.1).sum().item<int>(), 0);
  }
};

QTEST_GUILESS_MAIN(TestAttacks)
#include "test_attacks.moc"
