// A text file that is read where it lies. Any thread; the view lives as long as the object.
#pragma once
#include <memory>
#include <string_view>

#include <QFile>

#include "core/domain/result.h"

namespace cloister {

class MappedText {
 public:
  /// NotFound, IoError, or TooLarge beyond kLongestText.
  static Result<std::shared_ptr<MappedText>> open(const QString& path);
  std::string_view view() const { return view_; }

 private:
  QFile file_;
  std::string_view view_;
};

}  // namespace cloister
