// DICOM as the decode child reads it, from a file that lives in memory: parse, header rows, VOI, and the first frames decoded.
#include <dcmtk/config/osconfig.h>
// osconfig first, as DCMTK asks
#include <dcmtk/oflog/oflog.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "plugins/sources/dicom/dicom_file.h"
#include "plugins/sources/dicom/frame_values.h"

using namespace cloister;

// A decode child has 1 GiB; DCMTK asks without throwing and takes no for an answer. Here the answer comes sooner.
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  if (size > (std::size_t(64) << 20)) return nullptr;
  try {
    return ::operator new[](size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > (1 << 20)) return -1;
  static const int fd = ::memfd_create("dicom", 0);
  if (fd < 0 || ::ftruncate(fd, 0) != 0 || ::pwrite(fd, data, size, 0) != ssize_t(size)) std::abort();
  try {
    auto file = dicom::File::open(QStringLiteral("/proc/self/fd/%1").arg(fd));
    (void)file->headerRows(200);
    (void)file->directoryReferences();
    (void)file->personName(DCM_PatientName);
    dicom::PixelReader reader(*file);
    // Large frames cost time and show nothing that small ones do not.
    if (std::int64_t(reader.format().rows) * reader.format().columns > (1 << 20)) return 0;
    for (int frame = 0; frame < std::min(reader.format().frames, 3); ++frame) (void)dicom::decodedFrame(*file, reader, frame);
  } catch (const std::exception&) {
    // A refusal is the wanted end.
  }
  return 0;
}
