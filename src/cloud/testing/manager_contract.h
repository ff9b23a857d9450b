// What every cloud promises of a manager that is launched by its name (cloud.h, launch()): one test
// for all of them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "cloud/cloud.h"

namespace hive::cloud::testing {

// A cluster without the manager shop-manager-2.
struct ManagersUnderTest {
  Cloud& cloud;
  std::function<void(bool there)> stock;  // whether it has instances
};

inline std::vector<Instance> managers_named(Cloud& cloud, const std::string& name) {
  std::vector<Instance> out;
  const auto all = cloud.list_instances();
  EXPECT_TRUE(all);
  for (const auto& one : *all)
    if (one.hostname == name) out.push_back(one);
  return out;
}

inline void launches_a_manager_once(const ManagersUnderTest& at) {
  const LaunchRequest request{.role = "manager",
                              .hostname = "shop-manager-2",
                              .user_data = "",
                              .standard_user_data = true,
                              .idempotency_token = "one"};
  at.stock(false);
  EXPECT_EQ(at.cloud.launch(request).error().code, Errc::kResourceExhausted);
  EXPECT_TRUE(managers_named(at.cloud, request.hostname).empty());
  at.stock(true);
  const auto first = at.cloud.launch(request);
  ASSERT_TRUE(first) << describe(first.error());
  const auto again = at.cloud.launch(request);
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(first->id, again->id);
  auto other = request;
  other.idempotency_token = "two";
  EXPECT_EQ(at.cloud.launch(other).error().code, Errc::kAlreadyExists);
  const auto there = managers_named(at.cloud, request.hostname);
  ASSERT_EQ(there.size(), 1U);
  EXPECT_EQ(there[0].id, first->id);
  EXPECT_EQ(there[0].role, "manager");
  EXPECT_EQ(there[0].membership, Membership::kNone);
  ASSERT_TRUE(at.cloud.terminate(first->id));
  EXPECT_TRUE(managers_named(at.cloud, request.hostname).empty());
  EXPECT_EQ(at.cloud.launch(request).error().code, Errc::kConflict) << "it has ended";
  const auto next = at.cloud.launch(other);
  ASSERT_TRUE(next) << describe(next.error());
  EXPECT_NE(next->id, first->id);
}

}  // namespace hive::cloud::testing
