# Compiler flags shared by every target. Sanitizers are chosen by the presets.
set(HIVE_SANITIZE "" CACHE STRING "Sanitizers to build with: '', 'address;undefined' or 'thread'")

add_library(hive_options INTERFACE)
target_compile_options(hive_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-qual -Wunused -Woverloaded-virtual -Wimplicit-fallthrough
  # Designated initializers name what differs from the default; the rest is meant.
  -Wno-missing-field-initializers)
target_include_directories(hive_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives from inlined std::string and std::variant code at -O2.
  target_compile_options(hive_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized
    -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds
    # A tenth to a fifth of its time goes by collecting garbage: not before there is 1 GB (in KiB).
    --param=ggc-min-heapsize=1048576)
endif()
if(HIVE_SANITIZE)
  list(JOIN HIVE_SANITIZE "," sanitize_list)
  target_compile_options(hive_options INTERFACE -fsanitize=${sanitize_list}
    -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(hive_options INTERFACE -fsanitize=${sanitize_list})
endif()

find_program(MOLD mold)
if(MOLD)
  target_link_options(hive_options INTERFACE -fuse-ld=mold)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  if(HIVE_BATCH GREATER 0)
    # What ccache asks for before it takes precompiled headers.
    set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  endif()
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
