# The archive unpacks where its user says; only the .deb has a fixed place.
if(CPACK_GENERATOR STREQUAL "STGZ")
  set(CPACK_PACKAGING_INSTALL_PREFIX "/")
endif()
