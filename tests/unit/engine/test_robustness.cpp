// Robust accuracy of a linear model has a closed form; masking signs must appear for models that are known to mask, and only for them.
#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <QTest>

#include "core/engine/evaluate/robustness.h"

using namespace cloister;

namespace {

at::Generator generator(std::uint64_t seed) { return at::detail::createCPUGenerator(seed); }

struct Set {
  at::Tensor images = 0.4 + 0.2 * at::rand({60, 1, 4, 4}, generator(3));
  at::Tensor weight = at::randn({16}, generator(1));
  at::Tensor scores = (images.flatten(1) - 0.5).matmul(weight);
  RobustnessInput input;
  RobustnessOptions options;

  Set() {
    input.classes = 2;
    for (int i = 0; i < 60; ++i) {
      const bool positive = scores[i].item<float>() > 0;
      input.labels.push_back(i % 10 == 0 ? !positive : positive);  // one in ten is wrong from the start
      input.groups.push_back(i / 2);
      input.sampleIds.push_back(100 + i);
    }
    input.images = [this](std::size_t b, std::size_t e) { return images.slice(0, std::int64_t(b), std::int64_t(e)); };
    input.classifiers.assign(2, [this](const at::Tensor& x) {
      const at::Tensor z = (x.flatten(1) - 0.5).matmul(weight);
      return at::stack({-z, z}, 1);
    });
    options.linf = {0.01, 0.03};
    options.l2 = {0.05};
    options.batch = 7;
    options.bootstrap.resamples = 100;
  }

  double exactAccuracy(double epsilon, int norm) const {
    const double dual = weight.norm(norm).item<double>();
    int right = 0;
    for (int i = 0; i < 60; ++i) right += (input.labels[std::size_t(i)] ? 1 : -1) * scores[i].item<double>() - epsilon * dual > 0;
    return right / 60.0;
  }
};

bool has(const AttackCurve& c, const std::string& kind) {
  return std::any_of(c.signs.begin(), c.signs.end(), [&](const MaskingSign& s) { return s.kind == kind; });
}

}  // namespace

class TestRobustness : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // Tensors of a few numbers: waking threads for them would cost a thousand times the work.
  void initTestCase() { at::set_num_threads(1); }

  void linearModelAsInClosedForm() {
    Set set;
    std::int64_t last = 0, total = 0;
    const auto curves = measureRobustness(set.input, set.options, [&](std::int64_t done, std::int64_t of) {
      QVERIFY(done > last);
      last = done;
      total = of;
    });
    QCOMPARE(last, total);
    QCOMPARE(curves.size(), std::size_t(4));
    for (const AttackCurve& c : curves) {
      QCOMPARE(c.points[0].epsilon, 0.0);
      QCOMPARE(c.points[0].robustAccuracy.value, 0.9);
      QCOMPARE(c.points[0].successRate.value, 0.0);
      for (const RobustnessPoint& p : c.points) {
        // PGD in the L2 ball only approaches the best direction: one borderline sample of 60 may differ.
        const double allowed = c.norm == AttackNorm::L2 && c.kind == AttackKind::Pgd ? 1.01 / 60 : 1e-9;
        QVERIFY(std::abs(p.robustAccuracy.value - set.exactAccuracy(p.epsilon, c.norm == AttackNorm::Linf ? 1 : 2)) <= allowed);
        QVERIFY(p.robustAccuracy.low <= p.robustAccuracy.value && p.robustAccuracy.value <= p.robustAccuracy.high);
        QVERIFY(std::abs(p.successRate.value - (0.9 - p.robustAccuracy.value) / 0.9) < 1e-9);
      }
      QVERIFY2(c.signs.empty(), c.signs.empty() ? "" : c.signs[0].kind.c_str());
      QVERIFY(!c.examples.empty());
      for (const AttackExample& e : c.examples) {
        QCOMPARE(e.before, set.input.labels[e.sample]);
        QVERIFY(e.after != e.before);
        QVERIFY((e.attacked - e.original).abs().max().item<double>() > 0);
      }
    }
  }

  void batchesAndThreadsDoNotMatter() {
    Set a, b;
    b.options.batch = 60;
    b.input.classifiers.resize(1);
    const auto x = measureRobustness(a.input, a.options), y = measureRobustness(b.input, b.options);
    for (std::size_t c = 0; c < x.size(); ++c)
      for (std::size_t p = 0; p < x[c].points.size(); ++p) {
        QCOMPARE(x[c].points[p].robustAccuracy.value, y[c].points[p].robustAccuracy.value);
        QVERIFY(std::abs(x[c].points[p].meanLoss - y[c].points[p].meanLoss) < 1e-4);
      }
  }

  void maskedGradientsAreCalledOut() {
    Set set;
    // Rounding in front of the model: gradients are zero, and the attack fails although any picture is allowed.
    set.input.classifiers[0] = set.input.classifiers[1] = [&set](const at::Tensor& x) {
      const at::Tensor z = ((x * 20).round() / 20 - 0.5).flatten(1).matmul(set.weight);
      return at::stack({-z, z}, 1);
    };
    set.options.l2.clear();
    for (const AttackCurve& c : measureRobustness(set.input, set.options)) {
      QVERIFY(has(c, "zero_gradient"));
      QCOMPARE(has(c, "full_range_resists"), c.kind == AttackKind::Pgd);
    }
  }

  void randomOutputIsCalledOut() {
    Set set;
    auto noise = generator(9);
    set.input.classifiers.resize(1);
    set.input.classifiers[0] = [&set, &noise](const at::Tensor& x) {
      const at::Tensor z = (x.flatten(1) - 0.5).matmul(set.weight);
      return at::stack({-z, z}, 1) + 0.1 * at::randn({x.size(0), 2}, noise);
    };
    const auto curves = measureRobustness(set.input, set.options);
    for (const AttackCurve& c : curves) QVERIFY(has(c, "random_output"));
    QVERIFY(!sentence({"random_output", 0.1}).empty());
  }

  void softmaxInsteadOfLogitsIsCalledOut() {
    Set set;
    const Classifier logits = set.input.classifiers[0];
    set.input.classifiers[0] = set.input.classifiers[1] = [logits](const at::Tensor& x) { return at::softmax(logits(x), 1); };
    for (const AttackCurve& c : measureRobustness(set.input, set.options)) QVERIFY(has(c, "probabilities_given"));
  }
};

QTEST_GUILESS_MAIN(TestRobustness)
#include "test_robustness.moc"
