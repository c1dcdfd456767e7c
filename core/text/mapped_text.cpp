#include "core/text/mapped_text.h"

#include <QFileInfo>

#include "core/text/tokenizers/tokenizer.h"

namespace cloister {

Result<std::shared_ptr<MappedText>> MappedText::open(const QString& path) {
  auto text = std::make_shared<MappedText>();
  text->file_.setFileName(path);
  if (!QFileInfo::exists(path)) return Failure{FailureKind::NotFound, {{"path", path}}, {}};
  if (QFileInfo(path).isDir() || !text->file_.open(QIODevice::ReadOnly))
    return Failure{FailureKind::IoError, {{"path", path}}, text->file_.errorString()};
  const qint64 size = text->file_.size();
  if (size > qint64(kLongestText)) return Failure{FailureKind::TooLarge, {{"path", path}, {"limit", qint64(kLongestText)}}, {}};
  if (size == 0) return text;
  const uchar* bytes = text->file_.map(0, size);
  if (!bytes) return Failure{FailureKind::IoError, {{"path", path}}, text->file_.errorString()};
  text->view_ = {reinterpret_cast<const char*>(bytes), std::size_t(size)};
  return text;
}

}  // namespace cloister
