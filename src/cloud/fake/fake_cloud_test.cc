#include "cloud/fake/fake_cloud.h"

#include <gtest/gtest.h>

#include "cloud/testing/figures_contract.h"
#include "cloud/testing/group_contract.h"
#include "cloud/testing/manager_contract.h"

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

TEST(FakeCloud, KeepsTheFiguresContract) {
  FakeCloud cloud;
  cloud.figures.emplace();
  const auto client = cloud.client();
  testing::keeps_the_figures_contract({*client, [&](BalancerFigure figure, double value) {
                                         (*cloud.figures)[figure] = {value, 60'000, true, ""};
                                         return std::int64_t{60'000};
                                       }});
}

TEST(FakeCloud, ABalancerMayMeasureNothing) {
  FakeCloud cloud;
  EXPECT_EQ(cloud.balancer_figures({BalancerFigure::kRequests}).error().code, Errc::kUnsupported);
}

TEST(FakeCloud, KeepsTheManagersContract) {
  for (const bool names_them : {false, true}) {
    FakeCloud cloud;
    if (names_them) cloud.group = WorkerGroup{1, 4, 1, ""};
    const auto client = cloud.client();
    testing::launches_a_manager_once(
        {*client, [&](bool there) {
           cloud.fail_launches.clear();
           if (!there)
             cloud.fail_launches.push_back({Errc::kResourceExhausted, "none is left", {}});
         }});
  }
}

TEST(FakeCloud, WithoutAGroupKnowsNone) {
  FakeCloud cloud;
  EXPECT_EQ(cloud.worker_group().error().code, Errc::kUnsupported);
  EXPECT_EQ(cloud.raise_workers(2).error().code, Errc::kUnsupported);
  EXPECT_EQ(cloud.forgo_workers().error().code, Errc::kUnsupported);
}

}  // namespace
}  // namespace hive::cloud::fake
