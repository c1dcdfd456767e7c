// PNG without a GUI library: the worker writes sample and attack pictures, and it may not link Qt Gui. 8 bit grey or RGB. Any thread.
#pragma once
#include <cstdint>
#include <span>

#include <QByteArray>

namespace cloister {

/// pixels: row-major, interleaved when channels is 3, width · height · channels bytes. Empty result when the sizes do not fit.
QByteArray encodePng(std::span<const std::uint8_t> pixels, int width, int height, int channels);

}  // namespace cloister
