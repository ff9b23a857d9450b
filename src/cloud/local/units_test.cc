#include "cloud/local/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "os/file.h"

namespace hive::cloud::local {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(UnitFile, ComesBackAsItWasSaved) {
  std::string pattern = (std::filesystem::temp_directory_path() / "hive-units-XXXXXX").string();
  const std::filesystem::path directory = ::mkdtemp(pattern.data());
  ASSERT_TRUE(
      save_unit({"10-dockerd", {"dockerd", "--host", "x"}, true, 7, true}, directory.string()));
  const auto unit = parse_unit("10-dockerd", os::read_file(directory / "10-dockerd").value_or(""));
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(unit) << describe(unit.error());
  EXPECT_THAT(unit->argv, ElementsAre("dockerd", "--host", "x"));
  EXPECT_TRUE(unit->restart);
  EXPECT_EQ(unit->stop_seconds, 7);
  EXPECT_TRUE(unit->at_boot);
}

TEST(UnitFile, WithoutACommandIsRefused) {
  for (const char* text : {"", "{", "[]", "{}", R"({"argv": []})", R"({"argv": [1]})"})
    EXPECT_FALSE(parse_unit("10-x", text)) << text;
}

TEST(Units, OneAtBootStartsOnlyWhenTheInstanceBootsAgain) {
  std::string pattern = (std::filesystem::temp_directory_path() / "hive-units-XXXXXX").string();
  const std::string directory = ::mkdtemp(pattern.data());
  // Programs that are not there: what is tried is told, and nothing runs on after the test.
  const Unit now{.name = "10-now", .argv = {"/nonexistent/now"}, .restart = true};
  const Unit later{.name = "15-later", .argv = {"/nonexistent/later"}, .at_boot = true};
  const auto tried = [&](Units& units, MonotonicTime at) {
    testing::internal::CaptureStderr();
    units.start_due(directory, at);
    return testing::internal::GetCapturedStderr();
  };
  Units first;
  first.start_due(directory, {});
  ASSERT_TRUE(save_unit(now, directory));
  ASSERT_TRUE(save_unit(later, directory));
  const auto said = tried(first, {});
  EXPECT_THAT(said, HasSubstr("starting 10-now"));
  EXPECT_THAT(said, Not(HasSubstr("15-later")));
  Units again;
  EXPECT_THAT(tried(again, {}), HasSubstr("starting 15-later"));
  std::filesystem::remove_all(directory);
}

TEST(UnitFile, ARestartWaitsLongerEachTimeWithABound) {
  EXPECT_EQ(Units::restart_delay(1), Milliseconds(100));
  EXPECT_EQ(Units::restart_delay(2), Milliseconds(200));
  EXPECT_EQ(Units::restart_delay(7), Milliseconds(6'400));
  EXPECT_EQ(Units::restart_delay(8), Milliseconds(10'000));
  EXPECT_EQ(Units::restart_delay(1'000'000), Milliseconds(10'000));
}

}  // namespace
}  // namespace hive::cloud::local
