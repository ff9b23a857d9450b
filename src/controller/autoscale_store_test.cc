#include "controller/autoscale_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace hive::controller {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class AutoscaleStoreTest : public ::testing::Test {
 protected:
  AutoscaleStoreTest()
      : directory_(fs::temp_directory_path() / ("hive-autoscale-" + std::to_string(::getpid()))),
        store_(directory_ / "learned") {}
  ~AutoscaleStoreTest() override { fs::remove_all(directory_); }

  fs::path directory_;
  AutoscaleStore store_;
};

TEST_F(AutoscaleStoreTest, KeepsBytesAsTheyAre) {
  const std::string bytes("a\n\0b\xff", 5);
  ASSERT_TRUE(store_.save("abc1", {{1.5, 20}, bytes}));
  const auto kept = store_.load("abc1");
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->learned, bytes);
  EXPECT_THAT(kept->lead_s, ElementsAre(1.5, 20));
  ASSERT_TRUE(store_.save("abc1", {{}, ""}));
  EXPECT_EQ(store_.load("abc1")->learned, "");
}

TEST_F(AutoscaleStoreTest, WhatIsNotThereOrBrokenIsSaid) {
  EXPECT_EQ(store_.load("abc1").error().code, Errc::kNotFound);
  EXPECT_EQ(store_.load("../abc1").error().code, Errc::kInvalidArgument);
  ASSERT_TRUE(store_.save("abc1", {{2}, "0123456789"}));
  for (const std::string content :
       {"", "{}", "{\"bytes\":9}\n0123456789", "no json\n", "{\"bytes\":10}\n012"}) {
    std::ofstream(directory_ / "learned/abc1.learned", std::ios::trunc) << content;
    EXPECT_EQ(store_.load("abc1").error().code, Errc::kCorrupt) << content;
  }
  EXPECT_EQ(store_.save("abc1", {{}, std::string(AutoscaleStore::kMaxBytes, 'x')}).error().code,
            Errc::kResourceExhausted);
}

TEST_F(AutoscaleStoreTest, ServicesThatAreGoneAreForgotten) {
  for (const char* id : {"a1", "b2", "c3"}) ASSERT_TRUE(store_.save(id, {{}, "x"}));
  std::ofstream(directory_ / "learned/other") << "not ours";
  store_.keep_only({"b2"});
  EXPECT_FALSE(store_.load("a1"));
  EXPECT_TRUE(store_.load("b2"));
  EXPECT_TRUE(fs::exists(directory_ / "learned/other"));
}

TEST_F(AutoscaleStoreTest, WithoutADirectoryNothingIsKept) {
  const AutoscaleStore none("");
  EXPECT_TRUE(none.save("abc1", {{}, "x"}));
  EXPECT_EQ(none.load("abc1").error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace hive::controller
