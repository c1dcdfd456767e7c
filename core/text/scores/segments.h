// The segments of a text file from elsewhere, read by mmap: one a line, as sacreBLEU's command line reads them (lines end at \n only, white
// space at a line's end is put aside, so \r\n is \n; a last line needs no \n). A byte order mark at the start is not text. Only in a
// process that may be lost: cloister-ingest's decode child. One object a file, any thread once it is open.
#pragma once
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <QString>

#include "core/domain/result.h"

namespace cloister::scores {

enum class TextFormat {
  Lines,      ///< one text a line
  Escaped,    ///< as Lines, with \n, \t, \r and \\ written out: texts of several sentences
  JsonLines,  ///< a JSON string or an object with the text under a name, one a line; a list of texts gives several references
};

class Segments {
 public:
  Segments() = default;
  Segments(const Segments&) = delete;
  Segments& operator=(const Segments&) = delete;
  ~Segments();

  /// EmptyFile, InvalidText (path, line, byte), CorruptFile (a JSON line that does not hold what it should), NotFound … field: of
  /// JsonLines.
  Result<void> open(const QString& path, TextFormat, const QString& field);
  /// Texts that are in memory already. name stands for the path in failures. EmptyFile, InvalidText.
  Result<void> hold(const QString& name, std::vector<std::string> texts);
  std::size_t size() const { return counts_.empty() ? texts_.size() : counts_.size() - 1; }
  /// The first text of a segment.
  std::string_view text(std::size_t i) const { return texts_[counts_.empty() ? i : counts_[i]]; }
  /// Appends all of its texts.
  void texts(std::size_t i, std::vector<std::string_view>& out) const;
  /// True where a segment has several texts or none (JsonLines).
  bool hasLists() const { return !counts_.empty(); }
  const QString& path() const { return path_; }

 private:
  Result<void> map();
  Result<void> check() const;
  void cutLines(std::string_view bytes);
  void unescape();
  Result<void> readJsonLines(const QString& field);

  QString path_;
  const char* data_ = nullptr;
  std::size_t bytes_ = 0;
  std::vector<std::string_view> texts_;
  std::vector<std::size_t> counts_;  ///< where the texts of a segment begin, when there are lists
  std::deque<std::string> own_;      ///< what does not stand in the file as it is
};

}  // namespace cloister::scores
