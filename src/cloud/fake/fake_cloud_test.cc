#include "cloud/fake/fake_cloud.h"

#include <gtest/gtest.h>

#include "cloud/testing/group_contract.h"

namespace hive::cloud::fake {
namespace {

TEST(FakeCloud, KeepsTheGroupsContract) {
  FakeCloud cloud;
  cloud.group = WorkerGroup{1, 4, 1, ""};
  cloud.add("shop-worker-1", "worker").membership = Membership::kServing;
  const auto client = cloud.client();
  testing::keeps_the_groups_contract(
      {*client, [&] { cloud.fit(); }, [&](bool there) { cloud.no_capacity = !there; }});
}

TEST(FakeCloud, WithoutAGroupKnowsNone) {
  FakeCloud cloud;
  EXPECT_EQ(cloud.worker_group().error().code, Errc::kUnsupported);
  EXPECT_EQ(cloud.raise_workers(2).error().code, Errc::kUnsupported);
  EXPECT_EQ(cloud.forgo_workers().error().code, Errc::kUnsupported);
}

}  // namespace
}  // namespace hive::cloud::fake
