#include "core/text/scores/segments.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>

#include "core/text/scores/python_text.h"

namespace cloister::scores {
namespace {

/// Closes at the end of its scope.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Failure badLine(const QString& path, std::size_t line, const QString& why) {
  return {FailureKind::InvalidTextLine, {{"path", path}, {"line", qint64(line + 1)}, {"why", why}}, {}};
}

}  // namespace

Segments::~Segments() {
  if (data_) ::munmap(const_cast<char*>(data_), bytes_);
}

Result<void> Segments::map() {
  const Descriptor file{::open(QFile::encodeName(path_).constData(), O_RDONLY | O_CLOEXEC)};
  struct stat s {};
  if (file.fd < 0 || ::fstat(file.fd, &s) != 0) return failureFromErrno(errno, path_);
  if (S_ISDIR(s.st_mode)) return Failure{FailureKind::UnsupportedFormat, {{"path", path_}}, QStringLiteral("a folder")};
  if (!S_ISREG(s.st_mode)) return Failure{FailureKind::UnsupportedFormat, {{"path", path_}}, QStringLiteral("not a plain file")};
  if (s.st_size == 0) return Failure{FailureKind::EmptyFile, {{"path", path_}}, {}};
  void* const memory = ::mmap(nullptr, std::size_t(s.st_size), PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (memory == MAP_FAILED) return failureFromErrno(errno, path_);
  data_ = static_cast<const char*>(memory);
  bytes_ = std::size_t(s.st_size);
  (void)::madvise(memory, bytes_, MADV_WILLNEED);
  return {};
}

Result<void> Segments::check() const {
  const std::size_t bad = validText({data_, bytes_});
  if (bad == bytes_) return {};
  const auto line = qint64(std::count(data_, data_ + bad, '\n')) + 1;
  const char* const lineStart = static_cast<const char*>(::memrchr(data_, '\n', bad));
  const qint64 inLine = lineStart ? data_ + bad - lineStart : qint64(bad) + 1;
  return Failure{FailureKind::InvalidText,
                 {{"path", path_}, {"line", line}, {"byte", inLine}, {"offset", qint64(bad)}},
                 data_[bad] == 0 ? QStringLiteral("a NUL byte")
                                 : QStringLiteral("0x%1 does not begin or continue a character").arg(uchar(data_[bad]), 2, 16, QChar('0'))};
}

void Segments::cutLines(std::string_view bytes) {
  const char *p = bytes.data(), *const end = p + bytes.size();
  while (p < end) {
    const auto* to = static_cast<const char*>(std::memchr(p, '\n', std::size_t(end - p)));
    if (!to) to = end;
    texts_.push_back(stripRight({p, std::size_t(to - p)}));
    p = to + 1;
  }
}

void Segments::unescape() {
  for (std::string_view& text : texts_) {
    if (text.find('\\') == std::string_view::npos) continue;
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
      const char meant = next == 'n' ? '\n' : next == 't' ? '\t' : next == 'r' ? '\r' : next == '\\' ? '\\' : '\0';
      out += meant ? meant : text[i];
      i += meant != '\0';
    }
    text = own_.emplace_back(std::move(out));
  }
}

Result<void> Segments::readJsonLines(const QString& field) {
  std::vector<std::string_view> lines;
  lines.swap(texts_);
  bool lists = false;
  counts_.assign(1, 0);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    // A value alone is no document for every reader: it is put into a list.
    const QByteArray document = '[' + QByteArray(lines[i].data(), qsizetype(lines[i].size())) + ']';
    QJsonParseError error;
    const QJsonArray outer = QJsonDocument::fromJson(document, &error).array();
    if (error.error != QJsonParseError::NoError || outer.size() != 1) return badLine(path_, i, QStringLiteral("JSON"));
    const QJsonValue value = outer[0].isObject() ? outer[0].toObject()[field] : outer[0];
    QJsonArray texts = value.isArray() ? value.toArray() : QJsonArray{value};
    if (texts.isEmpty()) return badLine(path_, i, field);
    for (const QJsonValue& text : texts) {
      if (!text.isString()) return badLine(path_, i, field);
      const QByteArray bytes = text.toString().toUtf8();
      if (bytes.contains('\0')) return badLine(path_, i, QStringLiteral("NUL"));
      texts_.push_back(own_.emplace_back(bytes.constData(), std::size_t(bytes.size())));
    }
    lists |= texts.size() != 1;
    counts_.push_back(texts_.size());
  }
  if (!lists) counts_.clear();
  return {};
}

Result<void> Segments::open(const QString& path, TextFormat format, const QString& field) {
  path_ = path;
  if (auto mapped = map(); !mapped) return mapped;
  if (auto checked = check(); !checked) return checked;
  std::string_view bytes(data_, bytes_);
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  cutLines(bytes);
  if (texts_.empty()) return Failure{FailureKind::EmptyFile, {{"path", path_}}, {}};
  if (format == TextFormat::Escaped) unescape();
  return format == TextFormat::JsonLines ? readJsonLines(field) : Result<void>();
}

Result<void> Segments::hold(const QString& name, std::vector<std::string> texts) {
  path_ = name;
  if (texts.empty()) return Failure{FailureKind::EmptyFile, {{"path", name}}, {}};
  for (std::string& text : texts) {
    if (const std::size_t bad = validText(text); bad != text.size())
      return Failure{FailureKind::InvalidText,
                     {{"path", name}, {"line", qint64(texts_.size() + 1)}, {"byte", qint64(bad + 1)}, {"offset", qint64(bad)}},
                     {}};
    texts_.push_back(own_.emplace_back(std::move(text)));
  }
  return {};
}

void Segments::texts(std::size_t i, std::vector<std::string_view>& out) const {
  if (counts_.empty()) return out.push_back(texts_[i]);
  for (std::size_t t = counts_[i]; t < counts_[i + 1]; ++t) out.push_back(texts_[t]);
}

}  // namespace cloister::scores
