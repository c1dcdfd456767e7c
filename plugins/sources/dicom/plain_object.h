// A DICOM object of the ordinary kind, read in place from memory: a meta header, one of the syntaxes we decode, elements in ascending order
// with the value representations the standard gives them. read() has no opinion on anything else: whatever is unusual, damaged or cut is
// left to DCMTK, which then accepts or refuses as it always did (dicom_file.cpp). So this never turns a file down and never repairs one.
// It exists for speed: it needs no dictionary and makes no object per element. Decode child only; one thread.
// Source: PS3.5 sections 7 and A, PS3.10 section 7.
#pragma once
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <QByteArray>
#include <QString>

namespace cloister::dicom {

/// A value where it lies. vr: two letters as (first << 8 | second); 0 where implicit VR and the element is none that we read.
struct PlainElement {
  std::uint32_t tag = 0;
  std::uint16_t vr = 0;
  std::uint32_t length = 0;
  const std::uint8_t* data = nullptr;
};

/// The first of several values joined by backslashes, without spaces around it.
QByteArrayView firstOf(QByteArrayView values);

class PlainObject {
 public:
  /// Nothing when DCMTK has to look at it. Keeps the bytes.
  static std::unique_ptr<PlainObject> read(const QByteArray& file);

  const QString& transferSyntax() const { return transferSyntax_; }
  bool encapsulated() const { return encapsulated_; }
  /// tag: group << 16 | element. Null when absent.
  const PlainElement* find(std::uint32_t tag) const;
  /// A string value without its padding; empty when absent.
  QByteArray string(std::uint32_t tag) const;
  /// The offset table and the fragments of encapsulated pixel data.
  const std::vector<std::pair<const std::uint8_t*, std::uint32_t>>& fragments() const { return fragments_; }

 private:
  PlainObject() = default;
  bool readAll();
  bool readMeta(std::size_t& start);
  bool inflate(std::size_t start);
  bool readElements(const std::uint8_t* from, const std::uint8_t* end);
  bool readFragments(const std::uint8_t*& at, const std::uint8_t* end);
  bool ordinary(PlainElement& element) const;

  QByteArray file_;
  std::vector<std::uint8_t> inflated_;  ///< the data set of a deflated object
  QString transferSyntax_;
  bool explicitVr_ = true, encapsulated_ = false, deflated_ = false;
  std::vector<PlainElement> elements_;  ///< ascending
  std::vector<std::pair<const std::uint8_t*, std::uint32_t>> fragments_;
};

}  // namespace cloister::dicom
