# One INTERFACE target holds the language level, the warnings and Qt's strictness. Every target links it.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_AUTOMOC ON)
set(CMAKE_AUTORCC ON)

add_library(cloister_flags INTERFACE)
target_include_directories(cloister_flags INTERFACE "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}/generated")
target_compile_options(cloister_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -fstack-protector-strong)
# LibTorch has parameters and members named signals, slots and emit: Qt's keywords are off everywhere.
target_compile_definitions(cloister_flags INTERFACE QT_NO_KEYWORDS QT_NO_CAST_TO_ASCII QT_NO_URL_CAST_FROM_STRING QT_NO_FOREACH
  $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
target_link_options(cloister_flags INTERFACE -Wl,--no-undefined -Wl,-z,relro,-z,now -Wl,--as-needed)
if(CLOISTER_SANITIZE)
  set(_san "-fsanitize=${CLOISTER_SANITIZE}")
  target_compile_options(cloister_flags INTERFACE ${_san} -fno-omit-frame-pointer -fno-sanitize-recover=undefined -U_FORTIFY_SOURCE)
  target_link_options(cloister_flags INTERFACE ${_san} -Wl,-z,undefs)
endif()
if(CLOISTER_FUZZ)
  target_compile_options(cloister_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined -U_FORTIFY_SOURCE)
  target_link_options(cloister_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined -Wl,-z,undefs)
endif()

# The commit a binary was built from goes into model cards and reports.
find_package(Git QUIET)
set(CLOISTER_COMMIT "unknown")
if(GIT_FOUND)
  execute_process(COMMAND "${GIT_EXECUTABLE}" describe --always --dirty --abbrev=12 WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
    OUTPUT_VARIABLE CLOISTER_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
configure_file("${CMAKE_SOURCE_DIR}/cmake/version.h.in" "${CMAKE_BINARY_DIR}/generated/cloister_version.h")
