#include "controller/node_zones.h"

#include <gmock/gmock.h>

#include "cloud/aws/join.h"
#include "engine/fake/fake_engine.h"

namespace hive::controller {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class NodeZonesTest : public ::testing::Test {
 protected:
  NodeZonesTest() {
    add("i-0000000000000000a", "manager-1", "manager", "eu-central-1a");
    worker = add("i-0000000000000000b", "", "worker", "eu-central-1b");
  }
  std::string add(const std::string& id, const std::string& name, const std::string& role,
                  const std::string& zone) {
    cloud::aws::Machine machine;
    machine.id = id;
    machine.state = cloud::aws::MachineState::kRunning;
    machine.zone = zone;
    machine.tags = {{cloud::aws::kRoleTag, role}, {"Name", name}};
    machines.push_back(machine);
    if (role == "manager") return "";
    return engine.add_node(cloud::aws::hostname_of(machine, names));
  }
  // Nodes that are written in a look, after so long.
  std::vector<std::string> look(Milliseconds later = Milliseconds(5'000)) {
    clock.advance(later);
    engine.clear_calls();
    zones.turn();
    std::vector<std::string> out;
    for (const auto& call : engine.calls())
      if (call.starts_with("update_node")) out.push_back(call.substr(call.find(' ') + 1));
    return out;
  }
  model::Labels labels_of(const std::string& name) {
    const auto nodes = static_cast<engine::Engine&>(engine).list_nodes();
    for (const auto& node : *nodes)
      if (node.id == name || node.hostname == name) return node.labels;
    return {};
  }
  std::string zone_of(const std::string& name) { return labels_of(name)["hive.zone"]; }

  ManualClock clock;
  engine::fake::FakeEngine engine;
  const cloud::aws::Names names{"shop"};
  std::vector<cloud::aws::Machine> machines;
  int asked = 0;
  Status outcome;
  std::string worker;
  NodeZones zones{engine, clock, names, [this]() -> Result<std::vector<cloud::aws::Machine>> {
                    ++asked;
                    if (!outcome) return tl::unexpected(outcome.error());
                    return machines;
                  }};
};

TEST_F(NodeZonesTest, EveryNodeGetsItsMachinesZone) {
  EXPECT_THAT(look(), SizeIs(2));
  EXPECT_EQ(zone_of(worker), "eu-central-1b");
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_EQ(asked, 1);
  const auto other = add("i-0000000000000000c", "", "worker", "eu-central-1a");
  EXPECT_THAT(look(), SizeIs(1));
  EXPECT_EQ(zone_of(other), "eu-central-1a");
  EXPECT_EQ(asked, 2);
}

TEST_F(NodeZonesTest, OtherLabelsStayAndAChangedOneIsSetRight) {
  look();
  ASSERT_TRUE(engine::modify_node(engine, worker, [](Json& spec) -> Result<bool> {
    spec["Labels"] = {{"rack", "7"}, {"hive.zone", "nowhere"}};
    return true;
  }));
  EXPECT_THAT(look(), SizeIs(1));
  EXPECT_EQ(zone_of(worker), "eu-central-1b");
  EXPECT_EQ(labels_of(worker)["rack"], "7");
}

TEST_F(NodeZonesTest, ANodeWithoutAMachineIsAskedForOnceAMinute) {
  const auto stranger = engine.add_node("elsewhere");
  EXPECT_THAT(look(), SizeIs(2));
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_THAT(look(Milliseconds(54'000)), IsEmpty());
  EXPECT_EQ(asked, 1);
  look();
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(zone_of(stranger), "");
}

TEST_F(NodeZonesTest, AnEndingMachineOfTheSameNameDoesNotCount) {
  auto old = machines[0];
  old.state = cloud::aws::MachineState::kTerminated;
  old.zone = "eu-central-1c";
  machines.push_back(old);
  look();
  EXPECT_EQ(zone_of("manager-1"), "eu-central-1a");
}

TEST_F(NodeZonesTest, WhatFailsIsTriedAtTheNextLook) {
  outcome = tl::unexpected(Error{Errc::kThrottled, "slow down", {}});
  EXPECT_THAT(look(), IsEmpty());
  outcome = {};
  engine.fail_next("update_node", Error{Errc::kUnavailable, "no leader", {}}, 2);
  EXPECT_THAT(look(), SizeIs(2));
  EXPECT_EQ(zone_of(worker), "");
  EXPECT_THAT(look(), SizeIs(2));
  EXPECT_EQ(zone_of(worker), "eu-central-1b");
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace hive::controller
