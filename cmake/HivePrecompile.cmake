# Precompiled headers, for the trees that are built whole and seldom edited: what most sources include
# is parsed once. The trees without keep each source honest about its own includes.
option(HIVE_PRECOMPILE "Parse the headers that most sources include once" OFF)

set(hive_common_headers
  <algorithm> <array> <charconv> <chrono> <cstdint> <filesystem> <functional> <map> <memory> <mutex>
  <optional> <set> <string> <string_view> <thread> <vector> <fmt/core.h> <nlohmann/json.hpp>)

function(hive_precompiled target headers)
  if(NOT HIVE_PRECOMPILE)
    return()
  endif()
  if(NOT TARGET hive_precompiled_${headers})
    set(source ${CMAKE_BINARY_DIR}/precompiled_${headers}.cc)
    file(WRITE ${source} "")
    add_library(hive_precompiled_${headers} OBJECT ${source})
    target_link_libraries(hive_precompiled_${headers} PRIVATE hive_options nlohmann_json::nlohmann_json)
    target_precompile_headers(hive_precompiled_${headers} PRIVATE ${hive_common_headers})
    # Without its time, the compiler cache knows it again.
    target_compile_options(hive_precompiled_${headers} PRIVATE -Xclang -fno-pch-timestamp)
    if(headers STREQUAL "tests")
      target_link_libraries(hive_precompiled_tests PRIVATE GTest::gmock)
      target_precompile_headers(hive_precompiled_tests PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM hive_precompiled_${headers})
endfunction()
