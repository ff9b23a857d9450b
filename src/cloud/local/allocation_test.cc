#include "cloud/local/allocation.h"

#include <gtest/gtest.h>

namespace hive::cloud::local {
namespace {

class Allocation : public testing::Test {
 protected:
  Allocation() {
    cluster.name = "shop";
    cluster.network = 3;
    cluster.subnet = "10.77.3.0/24";
  }
  Result<InstanceRecord> launch(const std::string& role, const std::string& hostname = "") {
    auto out = new_instance(records, cluster, {role, hostname, "", false, "token"});
    if (out) records.push_back(*out);
    return out;
  }
  LocalCluster cluster;
  std::vector<InstanceRecord> records;
};

TEST_F(Allocation, NamesCountByRoleAndAddressesByCluster) {
  const auto first = launch("manager");
  const auto second = launch("worker");
  const auto third = launch("worker");
  ASSERT_TRUE(first && second && third);
  EXPECT_EQ(first->hostname, "shop-manager-1");
  EXPECT_EQ(first->address, "10.77.3.10");
  EXPECT_EQ(first->token, "token");
  EXPECT_EQ(second->hostname, "shop-worker-1");
  EXPECT_EQ(third->hostname, "shop-worker-2");
  EXPECT_EQ(third->address, "10.77.3.12");
}

TEST_F(Allocation, WhatIsFreeAgainIsGivenAgainTheLowestFirst) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(launch("worker"));
  records.erase(records.begin() + 1);
  const auto next = launch("worker");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->hostname, "shop-worker-2");
  EXPECT_EQ(next->host_number, 11);
}

TEST_F(Allocation, ATerminatedOneKeepsItsNameAndAddressUntilItsRecordGoes) {
  ASSERT_TRUE(launch("worker"));
  records[0].state = InstanceState::kTerminated;
  const auto next = launch("worker");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->hostname, "shop-worker-2");
  EXPECT_EQ(next->host_number, 11);
}

TEST_F(Allocation, ATakenNameIsRefused) {
  ASSERT_TRUE(launch("worker", "big"));
  const auto again = launch("manager", "big");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::kAlreadyExists);
}

TEST_F(Allocation, ItEndsWhereTheSubnetDoes) {
  for (int number = 10; number <= 250; ++number) {
    const auto next = launch("worker");
    ASSERT_TRUE(next);
    EXPECT_EQ(next->host_number, number);
  }
  const auto full = launch("worker");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::kResourceExhausted);
}

}  // namespace
}  // namespace hive::cloud::local
