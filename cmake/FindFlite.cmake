# The flite speech synthesiser with the US English voices that the synthetic corpus speaks with (Debian: flite1-dev).
# Defines Flite::Flite. flite installs no package file of its own.
find_path(FLITE_INCLUDE_DIR flite/flite.h)
# Voices before the language and lexicon they use, libflite last: the order matters for static libraries.
set(FLITE_LIBRARIES "")
set(FLITE_LIBRARY_VARIABLES "")
foreach(name flite_cmu_us_kal16 flite_cmu_us_awb flite_cmu_us_rms flite_cmu_us_slt flite_usenglish flite_cmulex flite)
  string(TOUPPER ${name}_LIBRARY variable)
  find_library(${variable} ${name})
  list(APPEND FLITE_LIBRARY_VARIABLES ${variable})
  list(APPEND FLITE_LIBRARIES ${${variable}})
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Flite REQUIRED_VARS ${FLITE_LIBRARY_VARIABLES} FLITE_INCLUDE_DIR)
if(Flite_FOUND AND NOT TARGET Flite::Flite)
  add_library(Flite::Flite INTERFACE IMPORTED)
  set_target_properties(Flite::Flite PROPERTIES INTERFACE_LINK_LIBRARIES "${FLITE_LIBRARIES}"
                                                INTERFACE_INCLUDE_DIRECTORIES "${FLITE_INCLUDE_DIR}")
endif()
mark_as_advanced(FLITE_INCLUDE_DIR ${FLITE_LIBRARY_VARIABLES})
