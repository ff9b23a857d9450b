#include "cloud/aws/founding.h"

#include <gmock/gmock.h>

namespace hive::cloud::aws {
namespace {

Machine machine(const std::string& id, const std::string& name, const std::string& address,
                const std::string& role = "manager") {
  return {.id = id,
          .state = MachineState::kRunning,
          .address = address,
          .tags = {{kRoleTag, role}, {"Name", name}}};
}

class FoundingTest : public ::testing::Test {
 protected:
  std::vector<Machine> machines{machine("i-0", "shop-worker", "10.0.0.9", "worker"),
                                machine("i-b", "shop-manager-2", "10.0.0.2"),
                                machine("i-a", "shop-manager-1", "10.0.0.1")};
  const SwarmPlace place{"swarm", "PEM", {"10.0.0.1", "10.0.0.2"}};
};

TEST_F(FoundingTest, TheFirstManagerIsNamedOnce) {
  EXPECT_EQ(*decide_founding({}, {}, machines), (Founding{false, "i-a"}));
  EXPECT_EQ(*decide_founding({}, "i-a", machines), Founding{});
  EXPECT_EQ(*decide_founding({}, "i-b", machines), Founding{}) << "whoever is named stays";
}

TEST_F(FoundingTest, AFounderThatEndedBeforeThereWasASwarmIsReplaced) {
  machines[2].state = MachineState::kShuttingDown;
  EXPECT_EQ(*decide_founding({}, "i-a", machines), (Founding{true, "i-b"}));
  EXPECT_EQ(*decide_founding({}, "i-gone", machines), (Founding{true, "i-b"}));
}

TEST_F(FoundingTest, WhereThereIsASwarmNobodyBeginsAnother) {
  EXPECT_EQ(*decide_founding(place, {}, machines), Founding{});
  EXPECT_EQ(*decide_founding(place, "i-gone", machines), Founding{});
  machines.pop_back();
  EXPECT_EQ(*decide_founding(place, "i-gone", machines), Founding{});
  machines.pop_back();
  machines.push_back(machine("i-c", "shop-manager-1", "10.0.0.3"));
  EXPECT_EQ(decide_founding(place, "i-gone", machines).error().code, Errc::kFailedPrecondition)
      << "new machines know nothing of the old Swarm";
}

TEST_F(FoundingTest, NoManagerNoFounder) {
  machines.resize(1);
  EXPECT_EQ(decide_founding({}, {}, machines).error().code, Errc::kFailedPrecondition);
}

}  // namespace
}  // namespace hive::cloud::aws
