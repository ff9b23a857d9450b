# For the trees that are built whole: what most sources include is parsed once, and a room's sources, and
# its tests, are compiled some at a time, as one. That is a third to a half of the time; it asks that no
# two sources of a room give one name to two things, and no two of its tests. The trees without (debug,
# clang) compile each source alone and keep it honest about its own includes.
set(HIVE_BATCH 0 CACHE STRING "Sources of a room that are compiled as one; 0 = each alone")
# Tests share more with one another than with what they test, and are not optimised.
set(hive_test_batch 16)

set(hive_common_headers
  <algorithm> <array> <charconv> <chrono> <cstdint> <filesystem> <functional> <map> <memory> <mutex>
  <optional> <set> <string> <string_view> <thread> <vector> <fmt/core.h> <nlohmann/json.hpp>)

# hive_batches(TARGET SIZE) - of a room's library or its tests
function(hive_batches target size)
  if(HIVE_BATCH GREATER 0)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${size})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # g++ takes a source that is included for a header.
      target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
    endif()
  endif()
endfunction()

# hive_precompiled(TARGET code|tests)
function(hive_precompiled target headers)
  if(NOT HIVE_BATCH GREATER 0)
    return()
  endif()
  if(NOT TARGET hive_precompiled_${headers})
    set(source ${CMAKE_BINARY_DIR}/precompiled_${headers}.cc)
    file(WRITE ${source} "")
    add_library(hive_precompiled_${headers} OBJECT ${source})
    target_link_libraries(hive_precompiled_${headers} PRIVATE hive_options fmt::fmt
      nlohmann_json::nlohmann_json)
    target_precompile_headers(hive_precompiled_${headers} PRIVATE ${hive_common_headers})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      # Without its time, the compiler cache knows it again.
      target_compile_options(hive_precompiled_${headers} PRIVATE -Xclang -fno-pch-timestamp)
    endif()
    if(headers STREQUAL "tests")
      target_link_libraries(hive_precompiled_tests PRIVATE GTest::gmock)
      target_compile_options(hive_precompiled_tests PRIVATE -O0)
      target_precompile_headers(hive_precompiled_tests PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM hive_precompiled_${headers})
endfunction()
