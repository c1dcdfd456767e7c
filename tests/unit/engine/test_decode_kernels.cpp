// The operations of generation against LibTorch's in double on the same values: products of one to nine rows at odd sizes, with and without
// bias, several weights at once; attention of one token, grouped and padded; every instruction set; threads that help while others run.
#include <QtTest>

#include <atomic>
#include <thread>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>

#include "core/engine/kernels/decode_ops.h"
#include "core/engine/kernels/decode_rows.h"
#include "core/engine/kernels/helpers.h"

using namespace cloister;

namespace {

double apart(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return 1e9;
  return ((a.to(at::kDouble) - b).abs() / (1 + b.abs())).max().item<double>();
}

at::Tensor multiplied(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias) {
  const at::Tensor y = at::matmul(x.to(at::kDouble), w.to(at::kDouble).t());
  return bias.defined() ? y + bias.to(at::kDouble) : y;
}

// The largest error of a product, in parts of what may be: the result's rounding to its type, and that of sums in float of these
// magnitudes.
double excess(const at::Tensor& y, const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias) {
  const at::Tensor wanted = multiplied(x, w, bias), magnitude = multiplied(x.abs(), w.abs(), bias.defined() ? bias.abs() : bias);
  if (y.sizes() != wanted.sizes()) return 1e9;
  const double rounding = y.scalar_type() == at::kFloat ? 0x1p-24 : 0x1p-8;
  return ((y.to(at::kDouble) - wanted).abs() / (rounding * wanted.abs() + 4e-7 * magnitude)).max().item<double>();
}

at::Tensor attended(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask, double scale) {
  const std::int64_t group = q.size(1) / k.size(1);
  const at::Tensor keys = k.to(at::kDouble).repeat_interleave(group, 1), values = v.to(at::kDouble).repeat_interleave(group, 1);
  at::Tensor scores = at::matmul(q.to(at::kDouble), keys.transpose(2, 3)) * scale;
  if (mask.defined()) scores = scores.masked_fill(mask.logical_not(), -std::numeric_limits<double>::infinity());
  return at::matmul(at::softmax(scores, -1), values);
}

template <typename T>
struct Level {
  const char* name;
  const kernels::DecodeRows<T>* rows;
};
template <typename T>
std::vector<Level<T>> levels();
#if defined(__x86_64__)
#define CLOISTER_LEVELS(type, set)                                                             \
  template <>                                                                                  \
  std::vector<Level<type>> levels<type>() {                                                    \
    std::vector<Level<type>> all{{"baseline", &kernels::baseline::set}};                       \
    if (__builtin_cpu_supports("x86-64-v3")) all.push_back({"avx2", &kernels::avx2::set});     \
    if (__builtin_cpu_supports("x86-64-v4")) all.push_back({"avx512", &kernels::avx512::set}); \
    return all;                                                                                \
  }
#else
#define CLOISTER_LEVELS(type, set)                  \
  template <>                                       \
  std::vector<Level<type>> levels<type>() {         \
    return {{"baseline", &kernels::baseline::set}}; \
  }
#endif
CLOISTER_LEVELS(float, floatDecode)
CLOISTER_LEVELS(kernels::BFloat, bfloatDecode)

template <typename T>
void holdLevels(at::ScalarType type) {
  for (const std::int64_t rows : {1, 2, 3, 4, 5, 7, 8, 9})
    for (const std::int64_t width : {1, 31, 64, 100, 321})
      for (const std::int64_t outs : {1, 7, 37}) {
        const at::Tensor x = at::randn({rows, width}).to(type), w = at::randn({outs, width}).to(type), bias = at::randn({outs}).to(type);
        for (const Level<T>& level : levels<T>()) {
          std::vector<float> spread(std::size_t(rows * kernels::spreadWidth(width)));
          at::Tensor y = at::ones({rows, outs}, x.options());
          level.rows->spread(static_cast<const T*>(x.const_data_ptr()), spread.data(), rows, width);
          level.rows->products(spread.data(), static_cast<const T*>(w.const_data_ptr()), static_cast<const T*>(bias.const_data_ptr()),
                               static_cast<T*>(y.mutable_data_ptr()), rows, width, outs, outs);
          const double off = excess(y, x, w, bias);
          QVERIFY2(off < 1, qPrintable(QString("%1: %2 rows of %3 by %4: %5").arg(level.name).arg(rows).arg(width).arg(outs).arg(off)));
        }
      }
}

}  // namespace

class TestDecodeKernels : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() { at::set_num_threads(2); }

  void everyInstructionSet() {
    holdLevels<float>(at::kFloat);
    holdLevels<kernels::BFloat>(at::kBFloat16);
  }

  void productsOfSeveralWeights() {
    at::NoGradGuard noGrad;
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
      for (const std::int64_t rows : {1, 2, 3, 5, 8})
        for (const std::int64_t width : {33, 320, 1027}) {
          const at::Tensor x = at::randn({rows, 1, width}).to(type), bias = at::randn({203}).to(type), none;
          const at::Tensor a = at::randn({203, width}).to(type), b = at::randn({64, width}).to(type), c = at::randn({1, width}).to(type);
          QVERIFY(kernels::canMultiplyFewRows(x, a));
          const at::Tensor y = kernels::multiplyFewRows(x, {{a, bias}, {b, none}, {c, none}});
          const auto part = [&](std::int64_t from, std::int64_t count) { return y.narrow(2, from, count); };
          QVERIFY(excess(part(0, 203), x, a, bias) < 1);
          QVERIFY(excess(part(203, 64), x, b, none) < 1);
          QVERIFY(excess(part(267, 1), x, c, none) < 1);
          // A row alone gives what it gives among others, with one thread as with two.
          at::set_num_threads(1);
          const at::Tensor alone = kernels::multiplyFewRows(x.narrow(0, rows - 1, 1), {{a, bias}, {b, none}, {c, none}});
          QVERIFY(at::equal(alone, y.narrow(0, rows - 1, 1)));
          at::set_num_threads(2);
        }
  }

  void leavesTheRestToTheLibrary() {
    const at::Tensor w = at::randn({8, 16}), x = at::randn({2, 16});
    QVERIFY(!kernels::canMultiplyFewRows(x, w));  // gradients are recorded
    at::NoGradGuard noGrad;
    QVERIFY(kernels::canMultiplyFewRows(x, w));
    QVERIFY(!kernels::canMultiplyFewRows(at::randn({9, 16}), w));
    QVERIFY(!kernels::canMultiplyFewRows(x.to(at::kBFloat16), w));
    QVERIFY(!kernels::canMultiplyFewRows(x, at::randn({16, 8}).t()));
    QVERIFY(!kernels::canMultiplyFewRows(x.to(at::kDouble), w.to(at::kDouble)));
    {
      const kernels::LibraryProducts here;
      QVERIFY(!kernels::canMultiplyFewRows(x, w));
    }
    QVERIFY(kernels::canMultiplyFewRows(x, w));
    const at::Tensor none;
    QVERIFY(!kernels::canAttendOneToken(at::randn({1, 4, 2, 8}), at::randn({1, 2, 5, 8}), at::randn({1, 2, 5, 8}), none));
    QVERIFY(!kernels::canAttendOneToken(at::randn({1, 3, 1, 8}), at::randn({1, 2, 5, 8}), at::randn({1, 2, 5, 8}), none));
  }

  void numbersThatAreNotFiniteAreSeen() {
    at::NoGradGuard noGrad;
    at::Tensor x = at::ones({1, 40}), none;
    x.mutable_data_ptr<float>()[37] = std::numeric_limits<float>::quiet_NaN();
    QVERIFY(kernels::multiplyFewRows(x, {{at::ones({5, 40}), none}}).isnan().all().item<bool>());
    QVERIFY(kernels::attendOneToken(x.view({1, 1, 1, 40}), at::ones({1, 1, 3, 40}), at::ones({1, 1, 3, 40}), none, 1)
                .isnan()
                .all()
                .item<bool>());
  }

  void attention() {
    at::NoGradGuard noGrad;
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
      for (const std::int64_t tokens : {1, 15, 130, 700})
        for (const std::int64_t width : {16, 20, 64, 192})
          for (const bool padded : {false, true}) {
            const std::int64_t valueWidth = width == 192 ? 128 : width;
            // Views of larger buffers, as the cache gives them.
            const at::Tensor q = at::randn({2, 6, 1, width}).to(type), k = at::randn({2, 2, 800, width}).to(type).narrow(2, 0, tokens);
            const at::Tensor v = at::randn({2, 2, 800, valueWidth}).to(type).narrow(2, 0, tokens);
            at::Tensor mask;
            if (padded) {
              mask = at::rand({2, 1, 1, tokens}) > 0.3;
              mask.select(3, tokens - 1).fill_(true);
            }
            QVERIFY(kernels::canAttendOneToken(q, k, v, mask));
            const at::Tensor out = kernels::attendOneToken(q, k, v, mask, 0.3), wanted = attended(q, k, v, mask, 0.3);
            QVERIFY2(apart(out, wanted) < (type == at::kFloat ? 1e-5 : 1.0 / 128),
                     qPrintable(QString("%1 tokens of %2: %3").arg(tokens).arg(width).arg(apart(out, wanted))));
          }
  }

  void everyPieceOnce() {
    for (int round = 0; round < 2000; ++round) {
      const std::int64_t pieces = round % 37;
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(pieces));
      kernels::shareOut(pieces, 1 + round % 4, [&](std::int64_t i) { done[std::size_t(i)].fetch_add(1); });
      for (const auto& d : done) QCOMPARE(d.load(), 1);
    }
  }

  void severalCallers() {
    std::atomic<std::int64_t> sum{0};
    const auto work = [&] {
      for (int round = 0; round < 500; ++round) kernels::shareOut(20, 3, [&](std::int64_t i) { sum += i; });
    };
    std::thread a(work), b(work);
    a.join();
    b.join();
    QCOMPARE(sum.load(), std::int64_t(2 * 500 * 190));
  }
};

QTEST_GUILESS_MAIN(TestDecodeKernels)
#include "test_decode_kernels.moc"
