#include "cloud/aws/shared_config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "os/file.h"

namespace hive::cloud::aws {
namespace {

TEST(Region, FirstAskedForThenTheEnvironment) {
  EXPECT_EQ(*region_in_force({{"AWS_REGION", "a"}, {"AWS_DEFAULT_REGION", "b"}}, "", ""), "a");
  EXPECT_EQ(*region_in_force({{"AWS_DEFAULT_REGION", "b"}}, "", ""), "b");
  EXPECT_EQ(*region_in_force({{"AWS_REGION", "a"}}, "", "c"), "c");
  EXPECT_EQ(*region_in_force({}, "", ""), "");
}

TEST(MaxAttempts, OfTheEnvironmentElseNothing) {
  EXPECT_EQ(*max_attempts_in_force({{"AWS_MAX_ATTEMPTS", "3"}}, ""), 3);
  EXPECT_EQ(*max_attempts_in_force({}, ""), std::nullopt);
}

TEST(MaxAttempts, WhatIsNoneIsRefused) {
  for (const char* bad : {"0", "-1", "101", "3 ", "three", "1e1", "99999999999"}) {
    const auto found = max_attempts_in_force({{"AWS_MAX_ATTEMPTS", bad}}, "");
    ASSERT_FALSE(found) << bad;
    EXPECT_EQ(found.error().code, Errc::kInvalidArgument) << bad;
  }
}

TEST(Profile, SaysWhatTheEnvironmentDoesNot) {
  char pattern[] = "/tmp/hive-aws-XXXXXX";
  const std::string home = mkdtemp(pattern);
  ASSERT_TRUE(os::write_file_atomically(
      home + "/config",
      "[default]\nregion = eu-west-3\n[profile dev]\nregion = eu-west-1\nmax_attempts = 9\n"));
  Environment environment{{"AWS_CONFIG_FILE", home + "/config"}};
  EXPECT_EQ(*region_in_force(environment, "", ""), "eu-west-3");
  EXPECT_EQ(*max_attempts_in_force(environment, ""), std::nullopt);
  EXPECT_EQ(*region_in_force(environment, "dev", ""), "eu-west-1");
  EXPECT_EQ(*max_attempts_in_force(environment, "dev"), 9);
  environment["AWS_MAX_ATTEMPTS"] = "2";
  EXPECT_EQ(*max_attempts_in_force(environment, "dev"), 2);
  std::filesystem::remove_all(home);
}

}  // namespace
}  // namespace hive::cloud::aws
