# Read by ctest: the tests of other build trees join this one's, so that a suite over several builds
# is one run with one summary. HIVE_TEST_TREES names the trees, with ":" between them; ./dev test sets
# it.
string(REPLACE ":" ";" trees "$ENV{HIVE_TEST_TREES}")
foreach(tree IN LISTS trees)
  subdirs(${tree})
endforeach()
