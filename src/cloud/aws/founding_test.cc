#include "cloud/aws/founding.h"

#include <gmock/gmock.h>

namespace hive::cloud::aws {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

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

TEST_F(FoundingTest, WhereTheQuorumIsGoneTheRepairIsSaid) {
  const SwarmPlace three{"swarm", "PEM", {"10.0.0.1", "10.0.0.2", "10.0.0.3"}};
  EXPECT_EQ(quorum_repair({}, machines), "") << "no Swarm yet";
  EXPECT_EQ(quorum_repair(three, machines), "") << "two of three are a quorum";
  machines[1].state = MachineState::kShuttingDown;
  machines.push_back(machine("i-c", "shop-manager-2", "10.0.0.7"));  // made since: knows nothing
  EXPECT_THAT(quorum_repair(three, machines),
              AllOf(HasSubstr("2 of the Swarm's 3 managers are gone"),
                    HasSubstr("On shop-manager-1 (i-a) run 'docker swarm init --force-new-cluster "
                              "--advertise-addr 10.0.0.1'"),
                    Not(HasSubstr("terminating"))));
  machines[2].state = MachineState::kTerminated;
  EXPECT_EQ(quorum_repair(three, machines), "") << "decide_founding() says that nothing is left";
}

TEST_F(FoundingTest, OfSeveralThatAreLeftOneAloneBeginsAnew) {
  const SwarmPlace five{
      "swarm", "PEM", {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"}};
  EXPECT_THAT(quorum_repair(five, machines),
              AllOf(HasSubstr("3 of the Swarm's 5 managers"),
                    HasSubstr("after terminating the other old managers")));
  EXPECT_EQ(quorum_repair({{"swarm", "PEM", {"10.0.0.1"}}}, machines), "");
}

TEST_F(FoundingTest, NoManagerNoFounder) {
  machines.resize(1);
  EXPECT_EQ(decide_founding({}, {}, machines).error().code, Errc::kFailedPrecondition);
}

}  // namespace
}  // namespace hive::cloud::aws
