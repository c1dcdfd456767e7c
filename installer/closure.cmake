# Runs at install time: copies every shared library that the programs, our plugins and Qt's plugins need, except the C and C++ runtime, which
# must be the machine's own (graphics drivers are built against it). Layout: installer/CMakeLists.txt.
set(ROOT "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")  # file(INSTALL) adds DESTDIR by itself, the other commands do not
set(NVIDIA_LIB "${TORCH_LIB}/../../nvidia/cu13/lib")
get_filename_component(NVIDIA_LIB "${NVIDIA_LIB}" ABSOLUTE)

set(QT_KINDS "platforms/libqoffscreen.so;platforms/libqminimal.so")
if(GUI)
  # No OpenGL integrations: widgets are drawn by the processor, and the machine's drivers would meet our copies of their libraries.
  list(APPEND QT_KINDS "platforms/libqxcb.so" "iconengines/libqsvgicon.so" "imageformats/libqsvg.so" "imageformats/libqjpeg.so" "imageformats/libqico.so"
    "platforminputcontexts/libcomposeplatforminputcontextplugin.so" "platforminputcontexts/libibusplatforminputcontextplugin.so"
    "printsupport/libcupsprintersupport.so" "platformthemes/libqxdgdesktopportal.so" "platforms/libqwayland-generic.so"
    "wayland-shell-integration/libxdg-shell.so")
endif()
set(QT_FILES "")
foreach(kind ${QT_KINDS})
  if(EXISTS "${QT_PLUGINS}/${kind}")
    list(APPEND QT_FILES "${QT_PLUGINS}/${kind}")
    get_filename_component(folder "${kind}" DIRECTORY)
    file(INSTALL DESTINATION "${CMAKE_INSTALL_PREFIX}/lib/qt6/plugins/${folder}" TYPE FILE FILES "${QT_PLUGINS}/${kind}")
  endif()
endforeach()

set(system "^(ld-linux.*|libc|libm|libdl|librt|libpthread|libresolv|libutil|libnsl|libanl|libnss_.*|libstdc\\+\\+|libgcc_s)\\.so")
file(GET_RUNTIME_DEPENDENCIES
  EXECUTABLES ${PROGRAMS} MODULES ${MODULES} ${QT_FILES}
  DIRECTORIES "${TORCH_LIB}" "${NVIDIA_LIB}" "${ORT_LIB}"
  PRE_EXCLUDE_REGEXES "${system}" "^linux-vdso"
  RESOLVED_DEPENDENCIES_VAR found UNRESOLVED_DEPENDENCIES_VAR missing CONFLICTING_DEPENDENCIES_PREFIX twice)
if(missing)
  message(FATAL_ERROR "These libraries are needed and were not found: ${missing}")
endif()
foreach(name ${twice_FILENAMES})
  list(GET twice_${name} 0 chosen)
  foreach(file ${twice_${name}})
    if(file MATCHES "^${TORCH_LIB}/")
      set(chosen "${file}")  # LibTorch was built against its own libgomp
    endif()
  endforeach()
  list(APPEND found "${chosen}")
endforeach()

foreach(file ${found})
  get_filename_component(name "${file}" NAME)
  get_filename_component(real "${file}" REALPATH)
  if(real MATCHES "^${TORCH_LIB}/")
    set(place "lib/torch/lib")
  elseif(real MATCHES "^${NVIDIA_LIB}/")
    set(place "lib/nvidia/cu13/lib")
  elseif(name MATCHES "^libcloister_")
    continue()  # installed as a target, with its run path
  else()
    set(place "lib")
  endif()
  # Under the name it is loaded by, without the chain of links.
  file(MAKE_DIRECTORY "${ROOT}/${place}")
  execute_process(COMMAND "${CMAKE_COMMAND}" -E copy "${real}" "${ROOT}/${place}/${name}" COMMAND_ERROR_IS_FATAL ANY)
  if(place STREQUAL "lib")
    list(APPEND debian_files "${real}")
  endif()
endforeach()

# Whose they are: the copyright file of every Debian package that a library came from, and NVIDIA's terms.
set(licences "${ROOT}/share/cloister/licenses/libraries")
file(MAKE_DIRECTORY "${licences}")
foreach(file ${debian_files})
  execute_process(COMMAND dpkg-query -S "*${file}" OUTPUT_VARIABLE owner ERROR_QUIET)
  if(owner MATCHES "^([^:, ]+)" AND EXISTS "/usr/share/doc/${CMAKE_MATCH_1}/copyright")
    set(package "${CMAKE_MATCH_1}")
    get_filename_component(text "/usr/share/doc/${package}/copyright" REALPATH)
    execute_process(COMMAND "${CMAKE_COMMAND}" -E copy "${text}" "${licences}/${package}.txt")
  endif()
endforeach()
file(GLOB terms "${TORCH_LIB}/../../nvidia_*.dist-info/licenses/*")
foreach(text ${terms})
  string(REGEX REPLACE "^.*/(nvidia_[a-z_]+)-.*$" "\\1" package "${text}")
  execute_process(COMMAND "${CMAKE_COMMAND}" -E copy "${text}" "${licences}/${package}.txt")
endforeach()
list(LENGTH found count)
message(STATUS "${count} shared libraries installed")

file(GLOB texts "/usr/share/qt6/translations/qtbase_zh_CN.qm" "/usr/share/qt6/translations/qtbase_de.qm")
if(texts)
  file(INSTALL DESTINATION "${CMAKE_INSTALL_PREFIX}/share/qt6/translations" TYPE FILE FILES ${texts})
endif()
