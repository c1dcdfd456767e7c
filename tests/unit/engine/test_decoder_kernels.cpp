// The fused operations of a language model against the chain of LibTorch operations they replace, computed in double on the same values:
// results and gradients, in both types, for widths with and without a rest; and every instruction set of this processor against the others.
#include <QtTest>

#include <cmath>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>

#include "core/engine/kernels/decoder_ops.h"
#include "core/engine/kernels/decoder_rows.h"

using namespace cloister;

namespace {

at::Tensor leaf(const at::Tensor& t, at::ScalarType type) { return t.to(type).detach().clone().set_requires_grad(true); }
at::Tensor exactly(const at::Tensor& t) { return t.detach().to(at::kDouble).set_requires_grad(true); }

double apart(const at::Tensor& a, const at::Tensor& b) {
  at::NoGradGuard noGrad;
  if (!a.defined() || a.sizes() != b.sizes()) return 1e9;
  return ((a.to(at::kDouble) - b.to(at::kDouble)).abs() / (1 + b.to(at::kDouble).abs())).max().item<double>();
}
double bound(bool half) { return half ? 1.0 / 128 : 5e-6; }

at::Tensor normed(const at::Tensor& x, const at::Tensor& w) { return w * x * at::rsqrt(x.square().mean(-1, true) + 1e-5); }

at::Tensor turned(const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine, std::int64_t heads) {
  const at::Tensor h = x.unflatten(-1, {heads, x.size(-1) / heads}).transpose(1, 2);
  const std::int64_t half = h.size(-1) / 2;
  const at::Tensor a = h.narrow(-1, 0, half), b = h.narrow(-1, half, half);
  return at::cat({a * cosine - b * sine, b * cosine + a * sine}, -1);
}

}  // namespace

class TestDecoderKernels : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() { at::set_num_threads(2); }

  void normAndItsGradients_data() {
    QTest::addColumn<bool>("halfStream");
    QTest::addColumn<bool>("halfOut");
    QTest::addColumn<bool>("residual");
    QTest::newRow("float") << false << false << false;
    QTest::newRow("mixed") << false << true << false;
    QTest::newRow("bfloat16") << true << true << false;
    QTest::newRow("float, residual") << false << false << true;
    QTest::newRow("mixed, residual") << false << true << true;
    QTest::newRow("bfloat16, residual") << true << true << true;
  }
  void normAndItsGradients() {
    QFETCH(bool, halfStream);
    QFETCH(bool, halfOut);
    QFETCH(bool, residual);
    const auto stream = halfStream ? at::kBFloat16 : at::kFloat, out = halfOut ? at::kBFloat16 : at::kFloat;
    for (const std::int64_t width : {48, 320}) {  // an odd and an even number of vectors
      // Sixteenths, whose sums bfloat16 holds exactly: what differs is the arithmetic, not the stream's rounding.
      const auto sixteenths = [&](std::int64_t most) { return at::randint(-most, most, {3, 130, width}) / 16; };
      const at::Tensor x = leaf(sixteenths(80), stream), d = leaf(sixteenths(40), out), w = leaf(at::rand({width}) + 0.5, at::kFloat);
      const at::Tensor x2 = exactly(x), d2 = exactly(d), w2 = exactly(w);
      QVERIFY(kernels::canFuseNorm(x, out));
      const at::Tensor gy = at::randn({3, 130, width}).to(out), gs = at::randn({3, 130, width}).to(stream);
      at::Tensor sum, y;
      if (residual) std::tie(sum, y) = kernels::addNorm(x, d, w, 1e-5);
      else y = kernels::rmsNorm(x, w, 1e-5, out);
      const at::Tensor wantedSum = residual ? x2 + d2 : x2, wanted = normed(wantedSum, w2);
      QVERIFY(y.scalar_type() == out);
      QVERIFY2(apart(y, wanted) < bound(halfOut), qPrintable(QString::number(apart(y, wanted))));
      at::Tensor ours = (y * gy).sum(), theirs = (wanted * gy.to(at::kDouble)).sum();
      if (residual) {
        QVERIFY(apart(sum, wantedSum) < bound(halfStream));
        ours = ours + (sum * gs).sum();
        theirs = theirs + (wantedSum * gs.to(at::kDouble)).sum();
      }
      ours.backward();
      theirs.backward();
      QVERIFY2(apart(x.grad(), x2.grad()) < 2 * bound(halfStream), qPrintable(QString::number(apart(x.grad(), x2.grad()))));
      if (residual) QVERIFY(apart(d.grad(), d2.grad()) < 2 * bound(halfOut));
      QVERIFY2(apart(w.grad(), w2.grad()) < 2 * bound(halfStream), qPrintable(QString::number(apart(w.grad(), w2.grad()))));
    }
  }

  void aNormWithoutATrainedWeightGivesNone() {
    const at::Tensor x = leaf(at::randn({5, 32}), at::kFloat), w = at::rand({32});
    kernels::rmsNorm(x, w, 1e-5, at::kFloat).sum().backward();
    QVERIFY(x.grad().defined() && !w.grad().defined());
    QVERIFY(!kernels::canFuseNorm(at::randn({5, 40}), at::kFloat));
    QVERIFY(!kernels::canFuseNorm(at::randn({5, 32}, at::kDouble), at::kDouble));
  }

  void gatesAndTheirGradients() {
    for (const bool half : {false, true})
      for (const std::int64_t width : {64, 37}) {
        const auto type = half ? at::kBFloat16 : at::kFloat;
        const at::Tensor g = leaf(at::randn({2, 77, width}) * 4, type), u = leaf(at::randn({2, 77, width}), type);
        const at::Tensor both = leaf(at::cat({g, u}, -1), type), g2 = exactly(g), u2 = exactly(u);
        const at::Tensor y = kernels::gated(g, u), z = kernels::gatedHalves(both), wanted = at::silu(g2) * u2;
        const at::Tensor slope = at::randn({2, 77, width}).to(type);
        QVERIFY(apart(y, wanted) < bound(half) && apart(z, wanted) < bound(half));
        (y * slope).sum().backward();
        (z * slope).sum().backward();
        (wanted * slope.to(at::kDouble)).sum().backward();
        QVERIFY(apart(g.grad(), g2.grad()) < bound(half) && apart(u.grad(), u2.grad()) < bound(half));
        QVERIFY(apart(both.grad(), at::cat({g2.grad(), u2.grad()}, -1)) < bound(half));
      }
  }

  void gatesFarFromZeroStayFinite() {
    const at::Tensor g = leaf(at::arange(-200.0, 200.0, 1.0).to(at::kFloat), at::kFloat), u = leaf(at::randn({400}), at::kFloat);
    const at::Tensor y = kernels::gated(g, u), g2 = exactly(g), wanted = at::silu(g2) * u.detach().to(at::kDouble);
    QVERIFY(apart(y, wanted) < 1e-6);
    y.sum().backward();
    wanted.sum().backward();
    QVERIFY(apart(g.grad(), g2.grad()) < 1e-6);
    const at::Tensor bad = kernels::gated(at::randn({16}) * std::nan(""), at::randn({16}));
    QVERIFY(bad.isnan().all().item<bool>());
  }

  void rotationAndItsGradients() {
    for (const bool half : {false, true})
      for (const std::int64_t size : {64, 24})
        for (const std::int64_t rows : {1, 3}) {
          const auto type = half ? at::kBFloat16 : at::kFloat;
          const std::int64_t h = 4, k = 2, t = 21;
          const at::Tensor angles = at::randn({rows, 1, t, size / 2}), cosine = angles.cos(), sine = angles.sin();
          const at::Tensor x = leaf(at::randn({3, t, (h + 2 * k) * size}), type), x2 = exactly(x);
          const auto [q, key, v] = kernels::splitAndRotate(x, cosine, sine, h, k);
          const at::Tensor c2 = cosine.to(at::kDouble), s2 = sine.to(at::kDouble);
          const at::Tensor wq = turned(x2.narrow(2, 0, h * size), c2, s2, h), wk = turned(x2.narrow(2, h * size, k * size), c2, s2, k);
          const at::Tensor wv = x2.narrow(2, (h + k) * size, k * size).unflatten(-1, {k, size}).transpose(1, 2);
          QVERIFY(apart(q, wq) < bound(half) && apart(key, wk) < bound(half) && apart(v, wv) == 0);
          const at::Tensor gq = at::randn(q.sizes()).to(type), gv = at::randn(v.sizes()).to(type);
          ((q * gq).sum() + (key * key).sum() + (v * gv).sum()).backward();
          ((wq * gq.to(at::kDouble)).sum() + (wk * wk).sum() + (wv * gv.to(at::kDouble)).sum()).backward();
          QVERIFY2(apart(x.grad(), x2.grad()) < 2 * bound(half), qPrintable(QString::number(apart(x.grad(), x2.grad()))));
          const at::Tensor alone = leaf(x.detach().narrow(2, 0, h * size), type);
          const at::Tensor again = kernels::rotateHeads(alone, cosine, sine, h);
          QVERIFY(again.equal(q));
          (again * gq).sum().backward();
          QVERIFY(alone.grad().equal(x.grad().narrow(2, 0, h * size)));
        }
  }

  void crossEntropyAndItsGradient() {
    for (const bool half : {false, true})
      for (const std::int64_t width : {512, 1003, 7}) {
        const at::Tensor logits = (at::randn({65, width}) * 6).to(half ? at::kBFloat16 : at::kFloat);
        const at::Tensor labels = at::randint(0, width, {65}, at::kLong), exact = exactly(logits);
        const at::Tensor wanted = at::cross_entropy_loss(exact, labels, {}, 2);  // 2: the sum
        (wanted / 65).backward();
        const at::Tensor kept = logits.clone();
        QVERIFY(std::abs(kernels::crossEntropyInPlace(kept, labels, 0) - wanted.item<double>()) < 1e-4 * wanted.item<double>());
        QVERIFY(kept.equal(logits));
        kernels::crossEntropyInPlace(kept, labels, 1.0 / 65);
        const double difference = (kept.to(at::kDouble) - exact.grad()).abs().max().item<double>() * 65;
        QVERIFY2(difference < (half ? 1.0 / 256 : 2e-6), qPrintable(QString::number(difference)));
      }
    at::Tensor bad = at::randn({1, 40});
    bad[0][3] = std::nan("");
    QVERIFY(std::isnan(kernels::crossEntropyInPlace(bad, at::arange(1, at::kLong), 0)));
  }

  void theNumberOfThreadsChangesRoundingOfSumsAlone() {
    const at::Tensor x = at::randn({900, 320}), w = leaf(at::rand({320}), at::kFloat);
    at::Tensor before;
    for (const int threads : {1, 2}) {
      at::set_num_threads(threads);
      w.mutable_grad().reset();
      kernels::rmsNorm(x, w, 1e-5, at::kFloat).square().sum().backward();
      if (before.defined()) QVERIFY(apart(w.grad(), before) < 1e-6);
      before = w.grad().clone();
    }
  }

  void instructionSetsAgree() {
#if defined(__x86_64__)
    const at::Tensor g = at::randn({9, 100}), u = at::randn({9, 100});
    const auto run = [&](const kernels::DecoderRows<float>& rows) {
      at::Tensor y = g.clone();
      rows.gated(g.const_data_ptr<float>(), u.const_data_ptr<float>(), y.mutable_data_ptr<float>(), 9, 100, 100);
      at::Tensor logits = g.clone();
      std::vector<std::int64_t> labels(9, 5);
      std::vector<float> top(9), sum(9), wanted(9);
      rows.crossEntropy(logits.mutable_data_ptr<float>(), labels.data(), 9, 100, 1, top.data(), sum.data(), wanted.data());
      return at::cat({y, logits});
    };
    const at::Tensor baseline = run(kernels::baseline::floatDecoder);
    if (__builtin_cpu_supports("x86-64-v3")) QVERIFY(apart(run(kernels::avx2::floatDecoder), baseline) < 1e-6);
    if (__builtin_cpu_supports("x86-64-v4")) QVERIFY(apart(run(kernels::avx512::floatDecoder), baseline) < 1e-6);
#endif
  }
};

QTEST_GUILESS_MAIN(TestDecoderKernels)
#include "test_decoder_kernels.moc"
