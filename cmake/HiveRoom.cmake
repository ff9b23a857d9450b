# One static library a room, its tests beside the code.
#
#   hive_room(NAME edge
#     COMPUTES                            # its time goes into its own arithmetic: optimised for it
#     SOURCES routing.cc haproxy/driver.cc
#     TESTS   routing_test.cc              # GoogleTest, one binary a room
#     DEPS    base model os                # rooms this one may include
#     LIBS    CURL::libcurl                # outside libraries
#     LABELS  threaded                     # ctest labels of its tests beside "unit"
#     ONE_THREAD "Clouds/*")               # its tests that start no thread: not for the thread sanitizer
include(GoogleTest)
include(HiveBatches)

set(HIVE_TEST_PREFIX "" CACHE STRING "Put before test names, so that several builds make one suite")
option(HIVE_WHOLE_SUITE "Register the end-to-end tests and the checks of the sources too" OFF)

# Every room's test binary.
add_custom_target(unit_tests)

# hive_shards(TARGET NAME LABELS FILTER) - a room's tests under a sanitizer, a part of them in each
# process: to start one costs more than most tests.
function(hive_shards target name labels filter)
  set(shards 4)
  foreach(shard RANGE 1 ${shards})
    math(EXPR index "${shard} - 1")
    add_test(NAME ${name}.${shard}of${shards} COMMAND ${target} --gtest_brief=1)
    # They run in the time that others leave.
    set_tests_properties(${name}.${shard}of${shards} PROPERTIES LABELS "${labels}" TIMEOUT 900
      ENVIRONMENT "GTEST_TOTAL_SHARDS=${shards};GTEST_SHARD_INDEX=${index};GTEST_FILTER=${filter}")
  endforeach()
endfunction()

function(hive_room)
  cmake_parse_arguments(ROOM "COMPUTES" "NAME" "SOURCES;TESTS;DEPS;LIBS;LABELS;TEST_DEPS;ONE_THREAD" ${ARGN})
  set(target hive_${ROOM_NAME})
  add_library(${target} STATIC ${ROOM_SOURCES})
  target_link_libraries(${target} PUBLIC hive_options)
  foreach(dep IN LISTS ROOM_DEPS)
    target_link_libraries(${target} PUBLIC hive_${dep})
  endforeach()
  target_link_libraries(${target} PUBLIC ${ROOM_LIBS})
  hive_batches(${target} ${HIVE_BATCH})
  if(ROOM_COMPUTES AND HIVE_SANITIZE)
    # Headers are precompiled for one level only.
    target_compile_options(${target} PRIVATE -O1)
  else()
    hive_precompiled(${target} code)
  endif()
  if(ROOM_COMPUTES)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O3>)
  endif()
  # The thread sanitizer's build holds only what has threads.
  if(HIVE_SANITIZE STREQUAL "thread" AND NOT "threaded" IN_LIST ROOM_LABELS)
    return()
  endif()
  # What only a real engine can show is run end to end, with the binary that is shipped.
  if(HIVE_SANITIZE)
    list(FILTER ROOM_TESTS EXCLUDE REGEX "(^|/)real_")
  endif()
  if(ROOM_TESTS)
    set(test_target ${ROOM_NAME}_test)
    add_executable(${test_target} ${ROOM_TESTS})
    add_dependencies(unit_tests ${test_target})
    target_link_libraries(${test_target} PRIVATE ${target} GTest::gmock GTest::gtest_main)
    # Optimising a test costs more time than its run gives back.
    target_compile_options(${test_target} PRIVATE -O0)
    hive_batches(${test_target} ${hive_test_batch})
    hive_precompiled(${test_target} tests)
    # But a model that is run for thousands of seeds.
    set(models ${ROOM_TESTS})
    list(FILTER models INCLUDE REGEX "_model_test\\.cc$")
    set_source_files_properties(${models} PROPERTIES COMPILE_OPTIONS -O2 SKIP_PRECOMPILE_HEADERS ON)
    foreach(dep IN LISTS ROOM_TEST_DEPS)
      target_link_libraries(${test_target} PRIVATE hive_${dep})
    endforeach()
    if(HIVE_SANITIZE)
      set(filter "*")
      if(HIVE_SANITIZE STREQUAL "thread" AND ROOM_ONE_THREAD)
        list(JOIN ROOM_ONE_THREAD ":" one_thread)
        set(filter "-${one_thread}")
      endif()
      hive_shards(${test_target} "${HIVE_TEST_PREFIX}${ROOM_NAME}" "unit;${ROOM_LABELS}" "${filter}")
    else()
      gtest_discover_tests(${test_target}
        TEST_PREFIX "${HIVE_TEST_PREFIX}${ROOM_NAME}." DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
        PROPERTIES LABELS "unit;${ROOM_LABELS}" TIMEOUT 120)
    endif()
  endif()
endfunction()
