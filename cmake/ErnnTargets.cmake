# How this project's libraries, programs and tests are declared.
include(GNUInstallDirs)

find_program(ERNN_CCACHE ccache)
if(ERNN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers are only cached when ccache may trust their content instead of their dates. Checkouts share what does not
  # name their folder.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=true ${ERNN_CCACHE})
endif()

# mold links LibTorch programs in a fraction of the time; GCC 12 and later know it by name.
find_program(ERNN_MOLD mold)
if(ERNN_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

set(ERNN_SANITIZED 0)
if(ERNN_SANITIZE)
  set(ERNN_SANITIZED 1)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${ERNN_SANITIZE};-fno-omit-frame-pointer;-fno-sanitize-recover=all>")
  add_link_options(-fsanitize=${ERNN_SANITIZE})
endif()

# The sanitizers' build is not optimised, since generating optimised code is most of its work; sources whose loops tests wait for
# are the exception. Not for users of the precompiled LibTorch header: clang refuses it at another level.
function(ernn_optimise_sanitized)
  if(ERNN_SANITIZE)
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS -O1)
  endif()
endfunction()

function(ernn_common_options target)
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic>")
  if(ERNN_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Every use is a false positive inside std::variant, std::regex or LibTorch containers at -O2 with GCC 12.
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized>)
    if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
      # Likewise: inside its own vector<bool> and string, and of references to elements that a function of a lambda finds.
      target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:-Wno-array-bounds;-Wno-dangling-reference;-Wno-stringop-overflow>")
    endif()
  endif()
  target_compile_features(${target} PUBLIC cxx_std_17)
endfunction()

# One library: ernn_library(ernn_features SOURCES a.cpp b.cpp LINK PUBLIC ernn_base PRIVATE x)
# Headers are included from the repository root: #include "features/fbank.h".
function(ernn_library target)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${target} STATIC ${ARG_SOURCES})
  string(REPLACE "ernn_" "" short ${target})
  add_library(ernn::${short} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${short})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/ernn>)
  target_link_libraries(${target} ${ARG_LINK})
  ernn_common_options(${target})
  set_property(GLOBAL APPEND PROPERTY ERNN_LIBRARIES ${target})
endfunction()

# Shares one precompiled LibTorch header among all targets that use LibTorch.
function(ernn_use_torch_header target)
  target_precompile_headers(${target} REUSE_FROM ernn_torch_header)
endfunction()

# What all test programs share, and the precompiled header of those without LibTorch (tests/CMakeLists.txt).
function(ernn_test_options target)
  target_link_libraries(${target} PRIVATE GTest::gmock GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE ERNN_SANITIZED=${ERNN_SANITIZED})
  ernn_common_options(${target})
  # Compiling tests is most of the work of a build, and what they test is optimised without them. From GCC 13 on a precompiled header
  # is not taken at -O1 when it was made at a higher level.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    set(level -O2)
  else()
    set(level -O1)
  endif()
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:${level}>)
endfunction()

# One test program, one ctest entry a test: ernn_test(features SOURCES a_test.cpp LINK ernn_features [TORCH] [SHARDS n])
# With SHARDS so many entries, each a process with its share of the tests: for many small tests on LibTorch, which takes longer to
# start than they take. Not where a test may be skipped, for ctest would not say so.
function(ernn_test name)
  cmake_parse_arguments(ARG "TORCH" "SHARDS" "SOURCES;LINK" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  target_link_libraries(test_${name} PRIVATE ${ARG_LINK})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  ernn_test_options(test_${name})
  if(ARG_TORCH)
    ernn_use_torch_header(test_${name})
  else()
    target_precompile_headers(test_${name} REUSE_FROM ernn_test_header)
  endif()
  if(ARG_SHARDS)
    foreach(shard RANGE 1 ${ARG_SHARDS})
      math(EXPR index "${shard} - 1")
      add_test(NAME ${name}.shard${shard} COMMAND test_${name})
      set_tests_properties(${name}.shard${shard} PROPERTIES TIMEOUT 600
        ENVIRONMENT "GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${index}")
    endforeach()
    return()
  endif()
  gtest_discover_tests(test_${name} TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
                       PROPERTIES TIMEOUT 600)
endfunction()

# Vector kernels, the same templates in one source file for each instruction set: ernn_instruction_sets(variable a_portable.cpp
# a_avx2.cpp a_avx512.cpp) puts those that the processor's family may have into the variable. Always optimised, since they are a
# hundred times slower without. Sanitizers multiply the minutes that such straight-line code compiles: addresses are checked in the
# portable file, for all of them.
function(ernn_instruction_sets variable portable avx2 avx512)
  set(optimised -O3 -ffp-contract=fast)
  if(ERNN_SANITIZE)
    set_source_files_properties(${portable} PROPERTIES COMPILE_OPTIONS "-O1;-ffp-contract=fast;-fno-sanitize=undefined")
    list(APPEND optimised -fno-sanitize=all)
  else()
    set_source_files_properties(${portable} PROPERTIES COMPILE_OPTIONS "${optimised}")
  endif()
  set(sources ${portable})
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND sources ${avx2} ${avx512})
    set_source_files_properties(${avx2} PROPERTIES COMPILE_OPTIONS "${optimised};-mavx2;-mfma")
    set_source_files_properties(${avx512} PROPERTIES
      COMPILE_OPTIONS "${optimised};-mavx512f;-mavx512dq;-mavx512bw;-mavx512vl;-mfma;-mprefer-vector-width=512")
  endif()
  set(${variable} ${sources} PARENT_SCOPE)
endfunction()
