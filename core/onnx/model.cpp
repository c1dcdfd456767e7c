#include "core/onnx/model.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include <QFile>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/onnx/wire.h"

namespace cloister::onnx {
namespace {

// onnx.proto; names as there.
namespace field {
enum Model {
  ir_version = 1,
  producer_name = 2,
  producer_version = 3,
  graph = 7,
  opset_import = 8,
  metadata_props = 14,
  training_info = 20,
  functions = 25
};
enum Graph { node = 1, graph_name = 2, initializer = 5, input = 11, output = 12, sparse_initializer = 15 };
enum Node { node_input = 1, node_output = 2, node_name = 3, op_type = 4, attribute = 5, node_domain = 7 };
enum Attr { attr_name = 1, f = 2, i = 3, s = 4, t = 5, floats = 7, ints = 8, attr_type = 20 };
enum AttrType { FLOAT = 1, INT = 2, STRING = 3, TENSOR = 4, FLOATS = 6, INTS = 7 };
enum Tensor {
  dims = 1,
  data_type = 2,
  float_data = 4,
  int32_data = 5,
  int64_data = 7,
  tensor_name = 8,
  raw_data = 9,
  double_data = 10,
  uint64_data = 11,
  external_data = 13,
  data_location = 14
};
enum Value { value_name = 1, value_type = 2 };
enum Type { tensor_type = 1, elem_type = 1, shape = 2, dim = 1, dim_value = 1, dim_param = 2 };
enum Opset { opset_domain = 1, opset_version = 2 };
enum Entry { entry_key = 1, entry_value = 2 };
}  // namespace field

constexpr std::size_t kSmall = 1024;               // shapes and scales stay inside: shape inference reads them
constexpr std::int64_t kExternalAlignment = 4096;  // onnx.proto: offsets SHOULD be multiples of 4096, so that they can be mapped

std::string_view rawBytes(const Tensor& t) {
  return t.data ? std::string_view(reinterpret_cast<const char*>(t.data->data()), t.data->size()) : std::string_view();
}

struct External {
  std::string location;
  std::int64_t offset = 0;
};

WireWriter stringEntry(const std::string& key, const std::string& value) {
  WireWriter w;
  w.bytes(field::entry_key, key);
  w.bytes(field::entry_value, value);
  return w;
}

WireWriter tensorProto(const Tensor& t, const External* external = nullptr) {
  WireWriter w;
  for (const std::int64_t d : t.dims) w.int64(field::dims, d);
  w.int64(field::data_type, std::int64_t(t.type));
  w.bytes(field::tensor_name, t.name);
  if (!external) {
    w.bytes(field::raw_data, rawBytes(t));
    return w;
  }
  w.message(field::external_data, stringEntry("location", external->location));
  w.message(field::external_data, stringEntry("offset", std::to_string(external->offset)));
  w.message(field::external_data, stringEntry("length", std::to_string(rawBytes(t).size())));
  w.varint(field::data_location, 1);
  return w;
}

struct AttributeWriter {
  WireWriter& w;
  void kind(int type) const { w.varint(field::attr_type, std::uint64_t(type)); }
  void operator()(std::int64_t v) const {
    w.int64(field::i, v);
    kind(field::INT);
  }
  void operator()(float v) const {
    w.float32(field::f, v);
    kind(field::FLOAT);
  }
  void operator()(const std::string& v) const {
    w.bytes(field::s, v);
    kind(field::STRING);
  }
  void operator()(const std::vector<std::int64_t>& v) const {
    for (const std::int64_t x : v) w.int64(field::ints, x);
    kind(field::INTS);
  }
  void operator()(const std::vector<float>& v) const {
    for (const float x : v) w.float32(field::floats, x);
    kind(field::FLOATS);
  }
  void operator()(const std::shared_ptr<const Tensor>& v) const {
    w.message(field::t, tensorProto(*v));
    kind(field::TENSOR);
  }
  void operator()(const RawAttribute&) const {}
};

WireWriter nodeProto(const Node& n) {
  WireWriter w;
  for (const auto& name : n.inputs) w.bytes(field::node_input, name);
  for (const auto& name : n.outputs) w.bytes(field::node_output, name);
  w.bytes(field::node_name, n.name);
  w.bytes(field::op_type, n.op);
  for (const auto& [name, value] : n.attributes) {
    if (const auto* raw = std::get_if<RawAttribute>(&value)) {
      w.bytes(field::attribute, raw->bytes);
      continue;
    }
    WireWriter a;
    a.bytes(field::attr_name, name);
    std::visit(AttributeWriter{a}, value);
    w.message(field::attribute, a);
  }
  if (!n.domain.empty()) w.bytes(field::node_domain, n.domain);
  return w;
}

WireWriter valueProto(const ValueInfo& v) {
  WireWriter shape;
  for (const Dimension& d : v.shape) {
    WireWriter dim;
    if (d.value >= 0) dim.int64(field::dim_value, d.value);
    else if (!d.name.empty()) dim.bytes(field::dim_param, d.name);
    shape.message(field::dim, dim);
  }
  WireWriter tensor;
  tensor.varint(field::elem_type, std::uint64_t(v.type));
  if (v.ranked) tensor.message(field::shape, shape);
  WireWriter type;
  type.message(field::tensor_type, tensor);
  WireWriter w;
  w.bytes(field::value_name, v.name);
  w.message(field::value_type, type);
  return w;
}

// externals: one entry an initializer, or empty when the weights are inside.
std::string modelProto(const Model& m, const std::vector<External>& externals) {
  WireWriter graph;
  for (const Node& n : m.nodes) graph.message(field::node, nodeProto(n));
  graph.bytes(field::graph_name, m.graphName);
  for (std::size_t i = 0; i < m.initializers.size(); ++i)
    graph.message(field::initializer,
                  tensorProto(m.initializers[i], externals.empty() || externals[i].location.empty() ? nullptr : &externals[i]));
  for (const ValueInfo& v : m.inputs) graph.message(field::input, valueProto(v));
  for (const ValueInfo& v : m.outputs) graph.message(field::output, valueProto(v));

  WireWriter w;
  w.int64(field::ir_version, m.irVersion);
  w.bytes(field::producer_name, m.producer);
  w.bytes(field::producer_version, m.producerVersion);
  w.message(field::graph, graph);
  for (const auto& [domain, version] : m.opsets) {
    WireWriter o;
    o.bytes(field::opset_domain, domain);
    o.int64(field::opset_version, version);
    w.message(field::opset_import, o);
  }
  for (const auto& [key, value] : m.metadata) w.message(field::metadata_props, stringEntry(key, value));
  return std::move(w).take();
}

Result<void> writeExternal(const Model& m, const QString& path) {
  const QString dataPath = path + QStringLiteral(".data");
  const std::string location = QFileInfo(dataPath).fileName().toStdString();
  std::vector<External> externals;
  QFile staged(dataPath + QStringLiteral(".part"));
  if (!staged.open(QIODevice::WriteOnly | QIODevice::Truncate))
    return Failure{FailureKind::IoError, {{"path", dataPath}}, staged.errorString()};
  for (const Tensor& t : m.initializers) {
    if (rawBytes(t).size() < kSmall) {
      externals.emplace_back();
      continue;
    }
    const std::int64_t at = (staged.pos() + kExternalAlignment - 1) / kExternalAlignment * kExternalAlignment;
    externals.push_back({location, at});
    const std::string_view bytes = rawBytes(t);
    if (!staged.seek(at) || staged.write(bytes.data(), qint64(bytes.size())) != qint64(bytes.size())) {
      const Failure failure{FailureKind::DiskFull, {{"path", dataPath}}, staged.errorString()};
      staged.remove();
      return failure;
    }
  }
  if (!staged.flush() || ::fsync(staged.handle()) != 0) {
    const Failure failure{FailureKind::DiskFull, {{"path", dataPath}}, staged.errorString()};
    staged.remove();
    return failure;
  }
  staged.close();
  QFile::remove(dataPath);
  if (!staged.rename(dataPath)) return Failure{FailureKind::IoError, {{"path", dataPath}}, staged.errorString()};
  return writeFileAtomically(path, QByteArray::fromStdString(modelProto(m, externals)));
}

// ---- reading ----

struct Parser {
  QString path;
  std::optional<Failure> failure;

  bool corrupt(const QString& what) {
    if (!failure) failure = Failure{FailureKind::CorruptFile, {{"path", path}}, what};
    return false;
  }

  template <typename Visit>
  bool each(std::string_view bytes, const char* what, Visit visit) {
    WireReader r(bytes);
    while (auto f = r.next())
      if (!visit(*f)) return false;
    return !r.failed() || corrupt(QStringLiteral("malformed %1 at byte %2").arg(QLatin1String(what)).arg(r.position()));
  }

  // A repeated number comes one a field or packed; both are legal.
  template <typename T>
  bool numbers(const WireField& f, std::vector<T>& out) {
    if (f.type != WireType::Bytes) {
      out.push_back(convert<T>(f.number));
      return true;
    }
    if constexpr (std::is_floating_point_v<T>) {
      if (f.bytes.size() % sizeof(T)) return corrupt(QStringLiteral("packed numbers of a wrong size"));
      for (std::size_t i = 0; i < f.bytes.size(); i += sizeof(T)) {
        T v;
        std::copy_n(f.bytes.data() + i, sizeof(T), reinterpret_cast<char*>(&v));
        out.push_back(v);
      }
      return true;
    } else {
      // A varint list read as the fields of a message would need keys: walk it by hand.
      std::uint64_t value = 0;
      int shift = 0;
      for (const char c : f.bytes) {
        if (shift > 63) return corrupt(QStringLiteral("a packed number is too long"));
        value |= std::uint64_t(static_cast<std::uint8_t>(c) & 0x7f) << shift;
        shift += 7;
        if (!(c & 0x80)) {
          out.push_back(convert<T>(value));
          value = 0;
          shift = 0;
        }
      }
      return shift == 0 || corrupt(QStringLiteral("a packed number ends too early"));
    }
  }

  template <typename T>
  static T convert(std::uint64_t bits) {
    if constexpr (std::is_same_v<T, float>) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    else if constexpr (std::is_same_v<T, double>) return std::bit_cast<double>(bits);
    else return static_cast<T>(bits);
  }

  template <typename To, typename From>
  static std::shared_ptr<const std::vector<std::byte>> pack(const std::vector<From>& values) {
    auto bytes = std::make_shared<std::vector<std::byte>>(values.size() * sizeof(To));
    for (std::size_t k = 0; k < values.size(); ++k) {
      const To v = static_cast<To>(values[k]);
      std::copy_n(reinterpret_cast<const std::byte*>(&v), sizeof(To), bytes->data() + k * sizeof(To));
    }
    return bytes;
  }

  bool tensor(std::string_view bytes, Tensor& t) {
    std::vector<float> floats;
    std::vector<double> doubles;
    std::vector<std::int64_t> ints, longs;
    bool outside = false, raw = false;
    t.type = ElementType::Undefined;
    if (!each(bytes, "tensor", [&](const WireField& f) {
          switch (f.field) {
            case field::dims:
              return numbers(f, t.dims);
            case field::data_type:
              t.type = static_cast<ElementType>(f.number);
              return true;
            case field::tensor_name:
              t.name = f.bytes;
              return true;
            case field::raw_data: {
              const auto* p = reinterpret_cast<const std::byte*>(f.bytes.data());
              t.data = std::make_shared<const std::vector<std::byte>>(p, p + f.bytes.size());
              raw = true;
              return true;
            }
            case field::float_data:
              return numbers(f, floats);
            case field::double_data:
              return numbers(f, doubles);
            case field::int32_data:
              return numbers(f, ints);
            case field::int64_data:
            case field::uint64_data:
              return numbers(f, longs);
            case field::data_location:
              outside = f.number == 1;
              return true;
            case field::external_data:
              return externalEntry(f.bytes, t);
            default:
              return true;
          }
        }))
      return false;
    if (outside) return true;
    t.external.clear();
    if (!raw) typedData(t, floats, doubles, ints, longs);
    return sizeFits(t);
  }

  bool externalEntry(std::string_view bytes, Tensor& t) {
    std::pair<std::string, std::string> entry;
    const bool ok = each(bytes, "external data", [&](const WireField& f) {
      if (f.field == field::entry_key) entry.first = f.bytes;
      if (f.field == field::entry_value) entry.second = f.bytes;
      return true;
    });
    t.external.push_back(std::move(entry));
    return ok;
  }

  static void typedData(Tensor& t, const std::vector<float>& floats, const std::vector<double>& doubles,
                        const std::vector<std::int64_t>& ints, const std::vector<std::int64_t>& longs) {
    switch (t.type) {
      case ElementType::Float:
        t.data = pack<float>(floats);
        break;
      case ElementType::Double:
        t.data = pack<double>(doubles);
        break;
      case ElementType::Int64:
        t.data = pack<std::int64_t>(longs);
        break;
      case ElementType::UInt64:
        t.data = pack<std::uint64_t>(longs);
        break;
      case ElementType::UInt32:
        t.data = pack<std::uint32_t>(longs);
        break;
      case ElementType::Int32:
        t.data = pack<std::int32_t>(ints);
        break;
      case ElementType::Int16:
      case ElementType::UInt16:
      case ElementType::Float16:
      case ElementType::BFloat16:
        t.data = pack<std::uint16_t>(ints);
        break;
      case ElementType::Int8:
      case ElementType::UInt8:
      case ElementType::Bool:
        t.data = pack<std::uint8_t>(ints);
        break;
      default:
        break;
    }
  }

  bool sizeFits(const Tensor& t) {
    const std::size_t size = elementSize(t.type);
    if (size == 0) return true;  // strings and newer types: nothing here computes with them
    std::uint64_t n = size;
    for (const std::int64_t d : t.dims)
      if (d < 0 || __builtin_mul_overflow(n, std::uint64_t(d), &n)) return corrupt(name(t) + QStringLiteral(": impossible shape"));
    return n == (t.data ? t.data->size() : 0) || corrupt(name(t) + QStringLiteral(": size and shape disagree"));
  }
  static QString name(const Tensor& t) { return QStringLiteral("tensor ") + QString::fromStdString(t.name); }

  bool attribute(std::string_view bytes, Node& n) {
    std::string key;
    int type = 0;
    std::int64_t i = 0;
    float f32 = 0;
    std::string s;
    std::vector<std::int64_t> ints;
    std::vector<float> floats;
    Tensor t;
    const bool ok = each(bytes, "attribute", [&](const WireField& f) {
      switch (f.field) {
        case field::attr_name:
          key = f.bytes;
          return true;
        case field::attr_type:
          type = int(f.number);
          return true;
        case field::i:
          i = std::int64_t(f.number);
          return true;
        case field::f:
          f32 = convert<float>(f.number);
          return true;
        case field::s:
          s = f.bytes;
          return true;
        case field::ints:
          return numbers(f, ints);
        case field::floats:
          return numbers(f, floats);
        case field::t:
          return tensor(f.bytes, t);
        default:
          return true;
      }
    });
    if (!ok) return false;
    Attribute& out = n.attributes[key];
    switch (type) {
      case field::INT:
        out = i;
        break;
      case field::FLOAT:
        out = f32;
        break;
      case field::STRING:
        out = s;
        break;
      case field::INTS:
        out = std::move(ints);
        break;
      case field::FLOATS:
        out = std::move(floats);
        break;
      case field::TENSOR:
        out = std::make_shared<const Tensor>(std::move(t));
        break;
      default:
        out = RawAttribute{std::string(bytes)};
        break;
    }
    return true;
  }

  bool node(std::string_view bytes, Node& n) {
    return each(bytes, "node", [&](const WireField& f) {
      switch (f.field) {
        case field::node_input:
          n.inputs.emplace_back(f.bytes);
          return true;
        case field::node_output:
          n.outputs.emplace_back(f.bytes);
          return true;
        case field::node_name:
          n.name = f.bytes;
          return true;
        case field::op_type:
          n.op = f.bytes;
          return true;
        case field::node_domain:
          n.domain = f.bytes;
          return true;
        case field::attribute:
          return attribute(f.bytes, n);
        default:
          return true;
      }
    });
  }

  bool shape(std::string_view bytes, ValueInfo& v) {
    return each(bytes, "shape", [&](const WireField& f) {
      if (f.field != field::dim) return true;
      Dimension d;
      const bool ok = each(f.bytes, "dimension", [&](const WireField& g) {
        if (g.field == field::dim_value) d.value = std::int64_t(g.number);
        if (g.field == field::dim_param) d.name = g.bytes;
        return true;
      });
      v.shape.push_back(std::move(d));
      return ok;
    });
  }

  bool value(std::string_view bytes, ValueInfo& v) {
    v.type = ElementType::Undefined;
    v.ranked = false;
    return each(bytes, "value", [&](const WireField& f) {
      if (f.field == field::value_name) v.name = f.bytes;
      if (f.field != field::value_type) return true;
      return each(f.bytes, "type", [&](const WireField& g) {
        if (g.field != field::tensor_type) return true;
        return each(g.bytes, "tensor type", [&](const WireField& h) {
          if (h.field == field::elem_type) v.type = static_cast<ElementType>(h.number);
          if (h.field != field::shape) return true;
          v.ranked = true;
          return shape(h.bytes, v);
        });
      });
    });
  }

  bool graph(std::string_view bytes, Model& m) {
    return each(bytes, "graph", [&](const WireField& f) {
      switch (f.field) {
        case field::node:
          return node(f.bytes, m.nodes.emplace_back());
        case field::graph_name:
          m.graphName = f.bytes;
          return true;
        case field::initializer:
          return tensor(f.bytes, m.initializers.emplace_back());
        case field::sparse_initializer:
          m.hasForeignParts = true;
          return true;
        case field::input:
          return value(f.bytes, m.inputs.emplace_back());
        case field::output:
          return value(f.bytes, m.outputs.emplace_back());
        default:
          return true;
      }
    });
  }

  bool entry(std::string_view bytes, std::string& key, std::string& text, std::int64_t& number) {
    return each(bytes, "entry", [&](const WireField& f) {
      if (f.field == 1) key = f.bytes;
      if (f.field == 2) {
        text = f.bytes;
        number = std::int64_t(f.number);
      }
      return true;
    });
  }

  bool model(std::string_view bytes, Model& m) {
    bool graphSeen = false;
    m.irVersion = 0;
    m.opsets.clear();
    const bool ok = each(bytes, "model", [&](const WireField& f) {
      std::string key, text;
      std::int64_t number = 0;
      switch (f.field) {
        case field::ir_version:
          m.irVersion = std::int64_t(f.number);
          return true;
        case field::producer_name:
          m.producer = f.bytes;
          return true;
        case field::producer_version:
          m.producerVersion = f.bytes;
          return true;
        case field::graph:
          graphSeen = true;
          return graph(f.bytes, m);
        case field::functions:
        case field::training_info:
          m.hasForeignParts = true;
          return true;
        case field::opset_import:
          if (!entry(f.bytes, key, text, number)) return false;
          m.opsets.emplace_back(key, number);
          return true;
        case field::metadata_props:
          if (!entry(f.bytes, key, text, number)) return false;
          m.metadata[key] = text;
          return true;
        default:
          return true;
      }
    });
    if (!ok) return false;
    return (graphSeen && m.irVersion > 0) || corrupt(QStringLiteral("no ONNX graph inside"));
  }
};

}  // namespace

std::size_t elementSize(ElementType type) {
  switch (type) {
    case ElementType::UInt8:
    case ElementType::Int8:
    case ElementType::Bool:
      return 1;
    case ElementType::UInt16:
    case ElementType::Int16:
    case ElementType::Float16:
    case ElementType::BFloat16:
      return 2;
    case ElementType::Float:
    case ElementType::Int32:
    case ElementType::UInt32:
      return 4;
    case ElementType::Int64:
    case ElementType::UInt64:
    case ElementType::Double:
      return 8;
    default:
      return 0;
  }
}

std::int64_t Tensor::elements() const {
  std::int64_t n = 1;
  for (const std::int64_t d : dims) n *= d;
  return n;
}

const Tensor* Model::initializer(const std::string& name) const {
  const auto it = std::find_if(initializers.begin(), initializers.end(), [&](const Tensor& t) { return t.name == name; });
  return it == initializers.end() ? nullptr : &*it;
}

std::string serialize(const Model& m) { return modelProto(m, {}); }

Result<void> writeModel(const Model& m, const QString& path, const WriteOptions& options) {
  std::int64_t weights = 0;
  for (const Tensor& t : m.initializers) weights += std::int64_t(rawBytes(t).size());
  if (weights > options.externalAbove) return writeExternal(m, path);
  const std::string bytes = serialize(m);
  return writeFileAtomically(path, QByteArrayView(bytes.data(), qsizetype(bytes.size())));
}

Result<Model> readModel(const QString& path) {
  auto bytes = readFile(path, (qint64(1) << 31) - 1);
  if (!bytes) return bytes.error();
  return parseModel({bytes->constData(), std::size_t(bytes->size())}, path);
}

Result<Model> parseModel(std::string_view bytes, const QString& path) {
  if (bytes.empty()) return Failure{FailureKind::TruncatedFile, {{"path", path}}, QStringLiteral("the file is empty")};
  Parser parser{path, {}};
  Model m;
  if (!parser.model(bytes, m)) return *parser.failure;
  return m;
}

}  // namespace cloister::onnx
