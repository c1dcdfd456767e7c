// Opens the CUDA module where a driver and the libraries are, and says what is missing where not. Called once by cloister-worker before it
// makes its first tensor: LibTorch looks for CUDA when it first needs to know and never again. Main thread.
#pragma once
#include <QJsonObject>
#include <QString>
#include <QStringList>

#include "core/domain/failure.h"
#include "core/engine/device/cuda_module.h"

namespace cloister {

/// Where to look; the defaults are what cudaState() uses.
struct CudaPlaces {
  QString driver = QStringLiteral("libcuda.so.1");
  QString module;     ///< libcloister_cuda.so, beside this library; $CLOISTER_CUDA_MODULE
  QStringList roots;  ///< folders that hold torch/lib and nvidia/: $CLOISTER_CUDA_LIBS, then where LibTorch itself lies
};
CudaPlaces cudaPlaces();

struct CudaState {
  CudaModule* module = nullptr;  ///< null: trouble says why
  Failure trouble;               ///< DeviceUnavailable
  QString root;                  ///< where the CUDA libraries were taken from
  int driverVersion = 0;         ///< 13000: CUDA 13.0; 0: no driver
  /// {"usable","driver","libraries","devices":[{"index","name","memoryTotal","computeCapability"}],"trouble":failure}
  QJsonObject toJson() const;
};

CudaState loadCuda(const CudaPlaces&);
/// loadCuda(cudaPlaces()), once in this process.
const CudaState& cudaState();

}  // namespace cloister
