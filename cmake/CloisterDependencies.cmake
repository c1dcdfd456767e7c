# Debian's packages by find_package; LibTorch and ONNX Runtime as imported targets on what ./dev unpacked into the cache folder.
find_package(Qt6 6.4 REQUIRED COMPONENTS Core Test)
if(CLOISTER_GUI)
  find_package(Qt6 REQUIRED COMPONENTS Gui Widgets Svg PrintSupport LinguistTools)
  find_package(QCustomPlotQt6 REQUIRED)
endif()
find_package(SQLite3 REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
find_package(Threads REQUIRED)
find_path(ARGON2_INCLUDE argon2.h REQUIRED)
find_library(ARGON2_LIBRARY argon2 REQUIRED)
add_library(cloister_argon2 INTERFACE)
target_include_directories(cloister_argon2 SYSTEM INTERFACE "${ARGON2_INCLUDE}")
target_link_libraries(cloister_argon2 INTERFACE "${ARGON2_LIBRARY}")

if(CLOISTER_ENGINE)
  set(TORCH_ROOT "${CLOISTER_DEPS}/libtorch/torch" CACHE PATH "Unpacked LibTorch wheel")
  if(NOT EXISTS "${TORCH_ROOT}/lib/libtorch_cpu.so")
    message(FATAL_ERROR "LibTorch is missing at ${TORCH_ROOT}. Run ./dev deps first, or configure the no-engine preset.")
  endif()
  # No find_package(Torch): its config demands a whole CUDA tree (docs/decisions/0003).
  foreach(lib c10 torch_cpu)
    add_library(torch::${lib} SHARED IMPORTED)
    set_target_properties(torch::${lib} PROPERTIES IMPORTED_LOCATION "${TORCH_ROOT}/lib/lib${lib}.so"
      INTERFACE_INCLUDE_DIRECTORIES "${TORCH_ROOT}/include;${TORCH_ROOT}/include/torch/csrc/api/include"
      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${TORCH_ROOT}/include;${TORCH_ROOT}/include/torch/csrc/api/include")
  endforeach()
  add_library(torch::torch INTERFACE IMPORTED)
  target_link_libraries(torch::torch INTERFACE torch::torch_cpu torch::c10 Threads::Threads)
  target_compile_definitions(torch::torch INTERFACE USE_DISTRIBUTED USE_C10D_GLOO)

  set(ORT_ROOT "${CLOISTER_DEPS}/onnxruntime" CACHE PATH "Unpacked ONNX Runtime")
  add_library(ort::onnxruntime SHARED IMPORTED)
  set_target_properties(ort::onnxruntime PROPERTIES IMPORTED_LOCATION "${ORT_ROOT}/lib/libonnxruntime.so.1"
    INTERFACE_INCLUDE_DIRECTORIES "${ORT_ROOT}/include" INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${ORT_ROOT}/include")
  if(NOT EXISTS "${ORT_ROOT}/lib/libonnxruntime.so.1")
    message(FATAL_ERROR "ONNX Runtime is missing at ${ORT_ROOT}. Run ./dev deps first, or configure the no-engine preset.")
  endif()
endif()
