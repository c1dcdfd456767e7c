// The fused operations of a training step against the chain of LibTorch operations they replace, forward and backward, on every instruction
// set this processor has.
#include <QtTest>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>

#include "core/engine/kernels/fused.h"
#include "core/engine/kernels/row_kernels.h"

using namespace cloister;

namespace {

struct NormCase {
  at::Tensor x, weight, bias, residual, mean, var;
};

NormCase someNorm(at::ScalarType type, double offset, bool residual) {
  NormCase c;
  c.x = (at::randn({5, 48, 9, 11}) * 2 + offset).to(type).contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  c.weight = at::randn({48}).set_requires_grad(true);
  c.bias = at::randn({48}).set_requires_grad(true);
  if (residual) c.residual = at::randn({5, 48, 9, 11}).to(type).contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  c.mean = at::zeros({48});
  c.var = at::ones({48});
  return c;
}

NormCase sameAgain(const NormCase& c) {
  const auto leaf = [](const at::Tensor& t) { return t.detach().clone().set_requires_grad(true); };
  return {leaf(c.x), leaf(c.weight), leaf(c.bias), c.residual.defined() ? leaf(c.residual) : at::Tensor(), at::zeros({48}), at::ones({48})};
}

double apart(const at::Tensor& a, const at::Tensor& b) {
  at::NoGradGuard noGrad;
  return ((a.to(at::kDouble) - b.to(at::kDouble)).abs() / (1 + b.to(at::kDouble).abs())).max().item<double>();
}

}  // namespace

class TestKernels : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() { at::set_num_threads(2); }

  void normAgreesWithTheChain_data() {
    QTest::addColumn<int>("after");  // 0 nothing, 1 relu, 2 relu and residual, 3 relu and pool
    QTest::addColumn<double>("offset");
    QTest::addColumn<bool>("half");
    for (int after : {0, 1, 2, 3})
      for (double offset : {0.0, 300.0})
        for (bool half : {false, true})
          QTest::addRow("after %d offset %g %s", after, offset, half ? "bf16" : "fp32") << after << offset << half;
  }
  void normAgreesWithTheChain() {
    QFETCH(int, after);
    QFETCH(double, offset);
    QFETCH(bool, half);
    if (half && offset > 0) return;  // 8 bits of mantissa leave no signal about 300
    NormCase ours = someNorm(half ? at::kBFloat16 : at::kFloat, offset, after == 2), theirs = sameAgain(ours);
    kernels::AfterNorm what{.residual = ours.residual, .relu = after > 0, .pool = {}};
    if (after == 3) what.pool = kernels::Pool{3, 2, 1};
    const at::Tensor y = kernels::batchNorm(ours.x, ours.weight, ours.bias, ours.mean, ours.var, 0.1, 1e-5, what);
    // The chain runs in double on the same values, so that what differs is our rounding alone.
    at::Tensor wanted =
        at::batch_norm(theirs.x.to(at::kDouble), theirs.weight.to(at::kDouble), theirs.bias.to(at::kDouble),
                       theirs.mean = theirs.mean.to(at::kDouble), theirs.var = theirs.var.to(at::kDouble), true, 0.1, 1e-5, false);
    if (after == 2) wanted = wanted + theirs.residual;
    if (after > 0) wanted = at::relu(wanted);
    if (after == 3) wanted = at::max_pool2d(wanted, 3, 2, 1);
    const double tolerance = half ? 8e-3 : offset > 0 ? 2e-4 : 1e-5;
    QVERIFY2(apart(y, wanted) < tolerance, qPrintable(QString::number(apart(y, wanted))));
    QVERIFY(apart(ours.mean, theirs.mean) < 1e-5);
    QVERIFY(apart(ours.var, theirs.var) < 1e-5);

    const at::Tensor direction = at::randn(y.sizes()).to(y.scalar_type());
    (y * direction).sum().backward();
    (wanted * direction).sum().backward();
    // A relu input within rounding of zero may fall on either side; a bfloat16 maximum may be a tie. Both move single gradients.
    const double flips = half ? 0.01 : 0.0005;
    const auto agree = [&](const at::Tensor& a, const at::Tensor& b, double limit) {
      at::NoGradGuard noGrad;
      const at::Tensor off = ((a.to(at::kDouble) - b.to(at::kDouble)).abs() > limit * (1 + b.to(at::kDouble).abs())).to(at::kDouble);
      return off.mean().item<double>() <= flips;
    };
    QVERIFY(agree(ours.x.grad(), theirs.x.grad(), half ? 2e-2 : 1e-4));
    if (after == 2) QVERIFY(agree(ours.residual.grad(), theirs.residual.grad(), half ? 2e-2 : 1e-6));
    QVERIFY(apart(ours.weight.grad(), theirs.weight.grad()) < (half ? 0.1 : 1e-3));
    QVERIFY(apart(ours.bias.grad(), theirs.bias.grad()) < (half ? 0.1 : 1e-3));
  }

  void notANumberIsSeen() {
    for (bool pool : {false, true}) {
      NormCase c = someNorm(at::kFloat, 0, false);
      {
        at::NoGradGuard noGrad;
        c.x[2][7][3][4] = std::nan("");
      }
      kernels::AfterNorm after{.residual = {}, .relu = true, .pool = {}};
      if (pool) after.pool = kernels::Pool{3, 2, 1};
      const at::Tensor y = kernels::batchNorm(c.x, c.weight, c.bias, c.mean, c.var, 0.1, 1e-5, after);
      QVERIFY(y.select(1, 7).isnan().all().item<bool>());
      QVERIFY(!y.select(1, 8).isnan().any().item<bool>());
    }
  }

  void sumsDoNotDependOnLuck() {
    const NormCase c = someNorm(at::kFloat, 0, true);
    std::vector<at::Tensor> gradients;
    for (int i = 0; i < 3; ++i) {
      NormCase again = sameAgain(c);
      const kernels::AfterNorm after{.residual = again.residual, .relu = true, .pool = {}};
      kernels::batchNorm(again.x, again.weight, again.bias, again.mean, again.var, 0.1, 1e-5, after).sum().backward();
      gradients.push_back(again.x.grad());
    }
    QVERIFY(gradients[0].equal(gradients[1]) && gradients[0].equal(gradients[2]));
  }

  void productsAgreeWithConvolutions_data() {
    QTest::addColumn<QVector<int>>("shape");  // images, in, out, kernel, stride, padding, size, float input
    QTest::newRow("stem of one channel") << QVector<int>{3, 1, 64, 7, 2, 3, 45, 1};
    QTest::newRow("stem of three channels") << QVector<int>{2, 3, 64, 7, 2, 3, 32, 1};
    QTest::newRow("5 x 5 stem") << QVector<int>{2, 1, 32, 5, 1, 2, 20, 1};
    QTest::newRow("deep 3 x 3") << QVector<int>{2, 256, 256, 3, 1, 1, 7, 0};
    QTest::newRow("deep 3 x 3, stride 2") << QVector<int>{2, 256, 256, 3, 2, 1, 9, 0};
    QTest::newRow("deep 1 x 1") << QVector<int>{2, 1024, 512, 1, 1, 0, 7, 0};
    QTest::newRow("the library's own") << QVector<int>{2, 32, 32, 3, 1, 1, 16, 0};
  }
  void productsAgreeWithConvolutions() {
    QFETCH(QVector<int>, shape);
    const int images = shape[0], in = shape[1], out = shape[2], k = shape[3], stride = shape[4], padding = shape[5], size = shape[6];
    const bool image = shape[7] != 0;
    const auto half = [](const at::Tensor& t) { return t.to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast); };
    at::Tensor x = half(at::randn({images, in, size, size}));
    if (image) x = x.to(at::kFloat);
    x.set_requires_grad(!image);
    const at::Tensor weight = half(at::randn({out, in, k, k}) / std::sqrt(double(in * k * k))).set_requires_grad(true);
    const at::Tensor y = kernels::convolution(x, weight, stride, padding);
    const at::Tensor x64 = x.detach().to(at::kDouble).set_requires_grad(!image),
                     w64 = weight.detach().to(at::kDouble).set_requires_grad(true);
    const at::Tensor wanted = at::conv2d(x64, w64, {}, stride, padding);
    QCOMPARE(y.scalar_type(), at::kBFloat16);
    QVERIFY(y.is_contiguous(at::MemoryFormat::ChannelsLast));
    QVERIFY(apart(y, wanted) < 5e-3);
    const at::Tensor direction = at::randn(y.sizes()).to(at::kBFloat16);
    (y * direction).sum().backward();
    (wanted * direction).sum().backward();
    QVERIFY(apart(weight.grad(), w64.grad()) < 2e-2);
    if (!image) QVERIFY(apart(x.grad(), x64.grad()) < 2e-2);
  }

  void dropoutKeepsItsShareAndItsMask() {
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      at::Tensor x = at::ones({1000, 1003}).to(type).set_requires_grad(true);
      const at::Tensor y = kernels::dropout(x, 0.25, 77);
      const double kept = (y > 0).to(at::kDouble).mean().item<double>();
      QVERIFY2(std::abs(kept - 0.75) < 0.002, qPrintable(QString::number(kept)));  // four standard deviations: 0.0017
      QVERIFY(apart(y.max(), at::full({}, 4.0 / 3)) < 4e-3);
      y.sum().backward();
      QVERIFY(x.grad().equal(y.detach()));
      QVERIFY(y.equal(kernels::dropout(x, 0.25, 77)));
      const at::Tensor both = (y > 0).logical_and(kernels::dropout(x, 0.25, 78) > 0);
      QVERIFY(std::abs(both.to(at::kDouble).mean().item<double>() - 0.5625) < 0.003);  // another key is independent
      // Neighbours are independent: lag one, and lag one row.
      const at::Tensor up = (y.detach() > 0).to(at::kDouble) - 0.75;
      QVERIFY(std::abs((up.narrow(1, 0, 1002) * up.narrow(1, 1, 1002)).mean().item<double>()) < 0.001);
      QVERIFY(std::abs((up.narrow(0, 0, 999) * up.narrow(0, 1, 999)).mean().item<double>()) < 0.001);
    }
  }

  void instructionSetsAgree() {
    struct Set {
      bool here;
      const kernels::RowKernels<kernels::BFloat>& rows;
      const kernels::FlatKernels& flat;
    };
    const Set sets[] = {{true, kernels::baseline::bfloatRows, kernels::baseline::flat},
                        {bool(__builtin_cpu_supports("x86-64-v3")), kernels::avx2::bfloatRows, kernels::avx2::flat},
                        {bool(__builtin_cpu_supports("x86-64-v4")), kernels::avx512::bfloatRows, kernels::avx512::flat}};
    const std::int64_t n = 1000;  // not a whole number of vectors
    const at::Tensor weight = at::randn({n}), gradient = at::randn({n}).to(at::kBFloat16), x = at::randn({n}).to(at::kBFloat16);
    at::Tensor first, copy;
    for (const Set& s : sets) {
      if (!s.here) continue;
      at::Tensor w = weight.clone(), m = at::zeros({n}), v = at::zeros({n}), average = weight.clone(), c = at::zeros({n}).to(at::kBFloat16);
      const void* pointers[] = {gradient.const_data_ptr(), gradient.const_data_ptr()};
      const kernels::ParameterChunk chunk{w.data_ptr<float>(),
                                          static_cast<kernels::BFloat*>(c.data_ptr()),
                                          m.data_ptr<float>(),
                                          v.data_ptr<float>(),
                                          average.data_ptr<float>(),
                                          pointers,
                                          2,
                                          true,
                                          n};
      QVERIFY(std::abs(s.flat.squares(chunk) / (4 * gradient.to(at::kDouble).square().sum().item<double>()) - 1) < 1e-6);
      s.flat.adamw(chunk, {.gradientScale = 0.5f,
                           .keep = 0.999f,
                           .beta1 = 0.9f,
                           .beta2 = 0.999f,
                           .stepSize = 0.01f,
                           .rootCorrection = 0.03f,
                           .epsilon = 1e-8f,
                           .averageShare = 0.1f});
      QVERIFY(c.equal(w.to(at::kBFloat16)));
      at::Tensor masked = at::zeros({n}).to(at::kBFloat16);
      s.rows.drop(static_cast<const kernels::BFloat*>(x.const_data_ptr()), static_cast<kernels::BFloat*>(masked.data_ptr()), 0, n, 99,
                  1u << 30, 1.25f);
      if (!first.defined()) {
        first = w;
        copy = masked;
      }
      QVERIFY(apart(w, first) < 1e-6);  // fused multiply-add rounds once where the others round twice
      QVERIFY(masked.equal(copy));
    }
    float odd[] = {1.0f, std::nanf(""), INFINITY, -INFINITY, 3.4e38f, 1.00390625f, 1.01171875f, 0.0f};
    kernels::BFloat to[8];
    kernels::flatKernels().toBFloat(odd, to, 8);
    QCOMPARE(to[0], kernels::BFloat(0x3f80));
    QVERIFY((to[1] & 0x7f80) == 0x7f80 && (to[1] & 0x7f) != 0);
    QCOMPARE(to[2], kernels::BFloat(0x7f80));
    QCOMPARE(to[3], kernels::BFloat(0xff80));
    QCOMPARE(to[4], kernels::BFloat(0x7f80));  // beyond the largest: infinity, as IEEE rounding has it
    QCOMPARE(to[5], kernels::BFloat(0x3f80));  // ties to even
    QCOMPARE(to[6], kernels::BFloat(0x3f82));
  }
};

QTEST_GUILESS_MAIN(TestKernels)
#include "test_kernels.moc"
