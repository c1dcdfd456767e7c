#include "core/onnx/model_check.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include <sys/stat.h>

#include <QFile>
#include <QFileInfo>

namespace cloister::onnx {
namespace {

constexpr std::size_t kMaximumNodes = 1'000'000;
constexpr std::int64_t kNewestOpset = 26;  // of the ONNX Runtime that is shipped

// The operators of the ai.onnx domain, sorted (onnx 1.21, get_all_schemas).
constexpr std::string_view kStandard[] = {"Abs",
                                          "Acos",
                                          "Acosh",
                                          "Add",
                                          "AffineGrid",
                                          "And",
                                          "ArgMax",
                                          "ArgMin",
                                          "Asin",
                                          "Asinh",
                                          "Atan",
                                          "Atanh",
                                          "Attention",
                                          "AveragePool",
                                          "BatchNormalization",
                                          "Bernoulli",
                                          "BitCast",
                                          "BitShift",
                                          "BitwiseAnd",
                                          "BitwiseNot",
                                          "BitwiseOr",
                                          "BitwiseXor",
                                          "BlackmanWindow",
                                          "Cast",
                                          "CastLike",
                                          "Ceil",
                                          "Celu",
                                          "CenterCropPad",
                                          "Clip",
                                          "Col2Im",
                                          "Compress",
                                          "Concat",
                                          "ConcatFromSequence",
                                          "Constant",
                                          "ConstantOfShape",
                                          "Conv",
                                          "ConvInteger",
                                          "ConvTranspose",
                                          "Cos",
                                          "Cosh",
                                          "CumProd",
                                          "CumSum",
                                          "DFT",
                                          "DeformConv",
                                          "DepthToSpace",
                                          "DequantizeLinear",
                                          "Det",
                                          "Div",
                                          "Dropout",
                                          "DynamicQuantizeLinear",
                                          "Einsum",
                                          "Elu",
                                          "Equal",
                                          "Erf",
                                          "Exp",
                                          "Expand",
                                          "EyeLike",
                                          "Flatten",
                                          "Floor",
                                          "GRU",
                                          "Gather",
                                          "GatherElements",
                                          "GatherND",
                                          "Gelu",
                                          "Gemm",
                                          "GlobalAveragePool",
                                          "GlobalLpPool",
                                          "GlobalMaxPool",
                                          "Greater",
                                          "GreaterOrEqual",
                                          "GridSample",
                                          "GroupNormalization",
                                          "HammingWindow",
                                          "HannWindow",
                                          "HardSigmoid",
                                          "HardSwish",
                                          "Hardmax",
                                          "Identity",
                                          "If",
                                          "ImageDecoder",
                                          "InstanceNormalization",
                                          "IsInf",
                                          "IsNaN",
                                          "LRN",
                                          "LSTM",
                                          "LayerNormalization",
                                          "LeakyRelu",
                                          "Less",
                                          "LessOrEqual",
                                          "Log",
                                          "LogSoftmax",
                                          "Loop",
                                          "LpNormalization",
                                          "LpPool",
                                          "MatMul",
                                          "MatMulInteger",
                                          "Max",
                                          "MaxPool",
                                          "MaxRoiPool",
                                          "MaxUnpool",
                                          "Mean",
                                          "MeanVarianceNormalization",
                                          "MelWeightMatrix",
                                          "Min",
                                          "Mish",
                                          "Mod",
                                          "Mul",
                                          "Multinomial",
                                          "Neg",
                                          "NegativeLogLikelihoodLoss",
                                          "NonMaxSuppression",
                                          "NonZero",
                                          "Not",
                                          "OneHot",
                                          "Optional",
                                          "OptionalGetElement",
                                          "OptionalHasElement",
                                          "Or",
                                          "PRelu",
                                          "Pad",
                                          "Pow",
                                          "QLinearConv",
                                          "QLinearMatMul",
                                          "QuantizeLinear",
                                          "RMSNormalization",
                                          "RNN",
                                          "RandomNormal",
                                          "RandomNormalLike",
                                          "RandomUniform",
                                          "RandomUniformLike",
                                          "Range",
                                          "Reciprocal",
                                          "ReduceL1",
                                          "ReduceL2",
                                          "ReduceLogSum",
                                          "ReduceLogSumExp",
                                          "ReduceMax",
                                          "ReduceMean",
                                          "ReduceMin",
                                          "ReduceProd",
                                          "ReduceSum",
                                          "ReduceSumSquare",
                                          "RegexFullMatch",
                                          "Relu",
                                          "Reshape",
                                          "Resize",
                                          "ReverseSequence",
                                          "RoiAlign",
                                          "RotaryEmbedding",
                                          "Round",
                                          "STFT",
                                          "Scan",
                                          "ScatterElements",
                                          "ScatterND",
                                          "Selu",
                                          "SequenceAt",
                                          "SequenceConstruct",
                                          "SequenceEmpty",
                                          "SequenceErase",
                                          "SequenceInsert",
                                          "SequenceLength",
                                          "SequenceMap",
                                          "Shape",
                                          "Shrink",
                                          "Sigmoid",
                                          "Sign",
                                          "Sin",
                                          "Sinh",
                                          "Size",
                                          "Slice",
                                          "Softmax",
                                          "SoftmaxCrossEntropyLoss",
                                          "Softplus",
                                          "Softsign",
                                          "SpaceToDepth",
                                          "Split",
                                          "SplitToSequence",
                                          "Sqrt",
                                          "Squeeze",
                                          "StringConcat",
                                          "StringNormalizer",
                                          "StringSplit",
                                          "Sub",
                                          "Sum",
                                          "Swish",
                                          "Tan",
                                          "Tanh",
                                          "TensorScatter",
                                          "TfIdfVectorizer",
                                          "ThresholdedRelu",
                                          "Tile",
                                          "TopK",
                                          "Transpose",
                                          "Trilu",
                                          "Unique",
                                          "Unsqueeze",
                                          "Where",
                                          "Xor"};

// Those of com.microsoft that quantized models hold.
constexpr std::string_view kMicrosoft[] = {
    "DequantizeLinear",   "DynamicQuantizeMatMul",    "Gelu",       "MatMulIntegerToFloat", "QGemm", "QLinearAdd",
    "QLinearAveragePool", "QLinearGlobalAveragePool", "QLinearMul", "QuantizeLinear"};

bool known(const Node& n) {
  if (n.domain.empty() || n.domain == "ai.onnx") return std::binary_search(std::begin(kStandard), std::end(kStandard), n.op);
  return n.domain == "com.microsoft" && std::binary_search(std::begin(kMicrosoft), std::end(kMicrosoft), n.op);
}

Failure outside(const QString& path, const QString& location, const char* why) {
  return {FailureKind::PolicyRefused,
          {{"rule", QStringLiteral("external data %1 of %2: %3").arg(location, path, QLatin1String(why))}},
          QString::fromLatin1(why)};
}

Result<void> checkExternal(const Tensor& t, const QString& path) {
  QString location;
  qint64 offset = 0, length = -1;
  for (const auto& [key, value] : t.external) {
    const QString text = QString::fromStdString(value);
    bool ok = true;
    if (key == "location") location = text;
    else if (key == "offset") offset = text.toLongLong(&ok);
    else if (key == "length") length = text.toLongLong(&ok);
    if (!ok || offset < 0) return outside(path, location, "offset or length is not a number");
  }
  // One plain name: nothing that could leave the folder, on any system.
  if (location.isEmpty() || location.contains('/') || location.contains('\\') || location.contains(':') || location.contains(QChar(0)) ||
      location == u"." || location == u"..")
    return outside(path, location, "the path leaves the model's folder");
  const QString file = QFileInfo(path).absolutePath() + '/' + location;
  struct stat st {};
  if (::lstat(QFile::encodeName(file).constData(), &st) != 0) return Failure{FailureKind::NotFound, {{"path", file}}, {}};
  if (!S_ISREG(st.st_mode) || st.st_nlink != 1) return outside(path, location, "not a plain file of its own");
  if (offset > st.st_size || (length >= 0 && length > st.st_size - offset))
    return Failure{FailureKind::TruncatedFile, {{"path", file}}, QStringLiteral("weights lie beyond its end")};
  return {};
}

Result<void> checkAttributes(const Node& n, const QString& path) {
  for (const auto& [name, value] : n.attributes) {
    if (std::holds_alternative<RawAttribute>(value))  // If, Loop, Scan: what is inside would have to be checked as a graph of its own
      return Failure{FailureKind::UnsupportedFormat,
                     {{"path", path}},
                     QStringLiteral("operator %1 with a graph inside").arg(QString::fromStdString(n.op))};
    if (const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&value); tensor && !(*tensor)->external.empty())
      return outside(path, QString::fromStdString(name), "an attribute may not lie outside the file");
  }
  return {};
}

}  // namespace

Result<Model> checkedModel(const QString& path) {
  auto model = readModel(path);
  if (!model) return model.error();
  const auto refuse = [&](const QString& what) { return Failure{FailureKind::UnsupportedFormat, {{"path", path}}, what}; };
  if (model->hasForeignParts) return refuse(QStringLiteral("local functions, sparse weights or training graphs"));
  if (model->nodes.size() > kMaximumNodes) return refuse(QStringLiteral("more than a million nodes"));
  for (const auto& [domain, version] : model->opsets)
    if (domain.empty() && version > kNewestOpset) return refuse(QStringLiteral("opset %1, known up to %2").arg(version).arg(kNewestOpset));
  for (const Node& n : model->nodes) {
    if (!known(n))
      return refuse(
          QStringLiteral("unknown operator %1%2")
              .arg(n.domain.empty() ? QString() : QString::fromStdString(n.domain) + QStringLiteral("::"), QString::fromStdString(n.op)));
    if (auto ok = checkAttributes(n, path); !ok) return ok.error();
  }
  for (const Tensor& t : model->initializers) {
    if (t.external.empty()) continue;
    if (auto ok = checkExternal(t, path); !ok) return ok.error();
  }
  return model;
}

}  // namespace cloister::onnx
