// DICOM from memory: parse, header rows, VOI, and the first frames decoded.
#include <dcmtk/config/osconfig.h>
// osconfig first, as DCMTK asks
#include <dcmtk/oflog/oflog.h>

#include "plugins/sources/dicom/dicom_file.h"
#include "plugins/sources/dicom/frame_values.h"

using namespace cloister;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > (1 << 20)) return -1;
  try {
    auto file = dicom::File::parse(QByteArray::fromRawData(reinterpret_cast<const char*>(data), qsizetype(size)));
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
