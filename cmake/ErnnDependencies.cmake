# Everything the project needs from outside; scripts/packages.txt lists the Debian packages that provide it.
find_package(Torch REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(cxxopts REQUIRED)
find_package(pugixml REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(FFTW3 REQUIRED IMPORTED_TARGET fftw3)
find_package(Flite REQUIRED)
if(ERNN_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

# yaml-cpp 0.7 exports a plain name, 0.8 a namespaced one.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp INTERFACE IMPORTED)
  set_target_properties(yaml-cpp::yaml-cpp PROPERTIES INTERFACE_LINK_LIBRARIES yaml-cpp)
endif()

# LibTorch as one target: its own list of libraries, and the ABI flag that it was built with.
separate_arguments(ERNN_TORCH_FLAGS UNIX_COMMAND "${TORCH_CXX_FLAGS}")
add_library(ernn_torch INTERFACE)
# Wheels' libraries bring some of the C++ library's functions, of another version; the compiler's own must be found first.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_link_libraries(ernn_torch INTERFACE stdc++)
endif()
target_link_libraries(ernn_torch INTERFACE ${TORCH_LIBRARIES})
target_compile_options(ernn_torch INTERFACE ${ERNN_TORCH_FLAGS})
# LibTorch's wheels bring headers of another fmt, which are found before the installed ones: what they declare must not be looked for in
# the installed library.
get_target_property(fmt_folder fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
file(REAL_PATH ${fmt_folder}/fmt/format.h installed_fmt)
foreach(folder ${TORCH_INCLUDE_DIRS})
  file(REAL_PATH ${folder}/fmt/format.h its_fmt)
  if(EXISTS ${its_fmt} AND NOT its_fmt STREQUAL installed_fmt)
    target_compile_definitions(ernn_torch INTERFACE FMT_HEADER_ONLY)
  endif()
endforeach()

# With LibTorch for CUDA and CUDA's compiler the steps of recurrences on a GPU are compiled (compute/gates_cuda.cu); without the
# compiler they are made of LibTorch's operators.
set(ERNN_CUDA OFF)
if(TARGET torch_cuda)
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
    set(ERNN_CUDA ON)
    set(ERNN_CUDA_ARCHITECTURES all-major CACHE STRING "GPUs to compile for (CMake's CUDA_ARCHITECTURES)")
  else()
    message(WARNING "LibTorch is built for CUDA, but CUDA's compiler (nvcc) was not found: recurrences on a GPU will be slow")
  endif()
endif()

# Processes that train together talk through LibTorch's c10d and Gloo, when LibTorch has it and Gloo's headers are there.
include(CheckCXXSourceCompiles)
function(ernn_check_gloo)
  # Not by CMAKE_REQUIRED_LIBRARIES: LibTorch's targets name others that a check's project does not have.
  set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
  set(CMAKE_REQUIRED_INCLUDES ${TORCH_INCLUDE_DIRS})
  set(CMAKE_REQUIRED_FLAGS "${TORCH_CXX_FLAGS}")
  get_target_property(definitions torch_cpu INTERFACE_COMPILE_DEFINITIONS)
  if(definitions)
    list(TRANSFORM definitions PREPEND -D OUTPUT_VARIABLE CMAKE_REQUIRED_DEFINITIONS)
  endif()
  check_cxx_source_compiles("
    #include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
    #include <torch/csrc/distributed/c10d/TCPStore.hpp>
    c10d::ProcessGroupGloo* group = nullptr;" ERNN_LIBTORCH_HAS_GLOO)
endfunction()
ernn_check_gloo()
