#include "store/history.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace hive::store {
namespace {

class HistoryFile : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = "/tmp/hive-history-XXXXXX";
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
    path_ = directory_ + "/history.db";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string directory_;
  std::string path_;
};

HistoryEvent event(const std::string& subject) { return {0, 5, "node_down", subject, "why"}; }

TEST_F(HistoryFile, SurvivesARestartAndGoesOnCounting) {
  {
    History history(path_);
    EXPECT_EQ(history.append(event("a")).id, 1);
    EXPECT_TRUE(history.durable());
  }
  History history(path_);
  EXPECT_EQ(history.append(event("b")).id, 2);
  const auto all = history.list(0, 10);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].subject, "a");
  EXPECT_EQ(all[1].reason, "why");
  EXPECT_EQ(history.list(1, 10).size(), 1U);
  EXPECT_EQ(history.list(0, 1).front().subject, "b");
}

TEST_F(HistoryFile, ACorruptFileIsMovedAside) {
  std::ofstream(path_) << "this is not a database, not by any means, at all";
  History history(path_);
  EXPECT_TRUE(history.durable());
  EXPECT_TRUE(std::filesystem::exists(path_ + ".corrupt"));
  EXPECT_EQ(history.append(event("a")).id, 1);
}

TEST_F(HistoryFile, AnUnwritablePlaceMeansMemory) {
  History history(directory_ + "/absent/history.db");
  EXPECT_FALSE(history.durable());
  history.append(event("a"));
  EXPECT_EQ(history.list(0, 10).size(), 1U);
}

}  // namespace
}  // namespace hive::store
