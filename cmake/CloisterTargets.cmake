# The kinds of target. Sources are the .cpp files of the folder, so that a build file only names what a part may link.

# Every target gets the RPATH of its installation in the build folder too: for a target without one, CMake makes room with empty elements, and each
# of those sends the loader to the current folder first.

# cloister_library(domain LINK Qt6::Core) → target cloister_domain from the files of the current folder (RECURSE: and below)
function(cloister_library name)
  cmake_parse_arguments(A "SHARED;RECURSE" "" "LINK;PRIVATE" ${ARGN})
  if(A_RECURSE)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/*.h")
  else()
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/*.h")
  endif()
  set(implementation ${sources})
  list(FILTER implementation INCLUDE REGEX "\\.cpp$")
  if(NOT implementation)
    add_library(cloister_${name} INTERFACE)  # headers only
    target_link_libraries(cloister_${name} INTERFACE cloister_flags ${A_LINK})
    return()
  endif()
  if(A_SHARED)
    add_library(cloister_${name} SHARED ${sources})
    set_target_properties(cloister_${name} PROPERTIES INSTALL_RPATH "$ORIGIN:$ORIGIN/torch/lib" BUILD_RPATH "$ORIGIN:$ORIGIN/torch/lib")
    set_property(GLOBAL APPEND PROPERTY CLOISTER_SHARED_LIBRARIES cloister_${name})
  else()
    add_library(cloister_${name} STATIC ${sources})
  endif()
  set_target_properties(cloister_${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_link_libraries(cloister_${name} PUBLIC cloister_flags ${A_LINK} PRIVATE ${A_PRIVATE})
endfunction()

# cloister_program(cloister-cli LINK …) → bin/cloister-cli from the files of the current folder and below
function(cloister_program name)
  cmake_parse_arguments(A "" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/*.h" "${CMAKE_CURRENT_SOURCE_DIR}/*.qrc")
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE cloister_flags ${A_LINK})
  # RPATH, not RUNPATH: in an installation it must also hold for what Debian's libraries load, which have no path of their own.
  target_link_options(${name} PRIVATE -Wl,--disable-new-dtags)
  set_target_properties(${name} PROPERTIES INSTALL_RPATH "$ORIGIN/../lib:$ORIGIN/../lib/torch/lib" BUILD_RPATH "$ORIGIN/../lib:$ORIGIN/../lib/torch/lib")
endfunction()

# cloister_plugin(sources dicom LINK …) → plugins/sources/cloister_source_dicom.so; its JSON describes it to the GUI, only children load it
function(cloister_plugin kind name)
  cmake_parse_arguments(A "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.h")
  add_library(plugin_${kind}_${name} MODULE ${sources})
  target_link_libraries(plugin_${kind}_${name} PRIVATE cloister_flags ${A_LINK})
  set_target_properties(plugin_${kind}_${name} PROPERTIES PREFIX "" OUTPUT_NAME "cloister_${kind}_${name}"
    LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins/${kind}" INSTALL_RPATH "$ORIGIN/../../lib:$ORIGIN/../../lib/torch/lib" BUILD_RPATH "$ORIGIN/../../lib:$ORIGIN/../../lib/torch/lib")
endfunction()

# cloister_tests(store LINK cloister_store): every tests/unit/store/test_*.cpp becomes one Qt Test executable that links only this
function(cloister_tests folder)
  cmake_parse_arguments(A "" "LABEL" "LINK;DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/test_*.cpp")
  foreach(source ${sources})
    get_filename_component(test "${source}" NAME_WE)
    string(REGEX REPLACE "[/\\]" "_" prefix "${folder}")
    set(target "${prefix}_${test}")
    add_executable(${target} "${source}")
    target_link_libraries(${target} PRIVATE cloister_flags Qt6::Test ${A_LINK})
    target_compile_definitions(${target} PRIVATE "CLOISTER_SOURCE_DIR=\"${CMAKE_SOURCE_DIR}\"" "CLOISTER_BIN_DIR=\"${CMAKE_BINARY_DIR}/bin\"")
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
    if(A_DEPENDS)
      add_dependencies(${target} ${A_DEPENDS})
    endif()
    add_test(NAME ${folder}/${test} COMMAND ${target})
    set_tests_properties(${folder}/${test} PROPERTIES TIMEOUT 300 ENVIRONMENT "QT_QPA_PLATFORM=offscreen" LABELS "${A_LABEL}")
  endforeach()
endfunction()
