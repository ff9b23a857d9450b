#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/routing.h"

namespace hive::controller {
namespace {

using ::testing::HasSubstr;

class CanaryRouting : public ::testing::Test {
 protected:
  CanaryRouting() {
    model::Node node;
    node.id = "n1";
    node.address = "10.0.0.1";
    node.state = model::NodeState::kReady;
    snapshot.nodes["n1"] = node;
    add_service("s1", "web");
    add_service("s2", "web-canary");
    snapshot.services["s2"].labels[kCanaryOfLabel] = "s1";
    snapshot.services["s2"].labels[kCanaryPercentLabel] = "20";
    add_task("t1", "s1", 31'001);
    add_task("t2", "s2", 31'002);
    settings.dashboard_port = 0;
  }
  void add_service(const std::string& id, const std::string& name) {
    model::Service service;
    service.id = id;
    service.name = name;
    service.labels[kListenersLabel] = R"([{"port":8080,"target":80}])";
    snapshot.services[id] = service;
  }
  void add_task(const std::string& id, const std::string& service, std::uint16_t port) {
    model::Task task;
    task.id = id;
    task.service_id = service;
    task.node_id = "n1";
    task.slot = 1;
    task.state = task.desired = model::TaskState::kRunning;
    task.ports.push_back({"tcp", 80, port, model::PublishMode::kHost});
    snapshot.tasks[id] = task;
  }
  Routing routed() { return route(snapshot, settings, {}, {}); }

  model::Snapshot snapshot;
  ClusterSettings settings;
};

TEST_F(CanaryRouting, ACanaryIsInItsServicesBackendWithItsShare) {
  const auto routing = routed();
  EXPECT_TRUE(routing.problems.empty());
  ASSERT_EQ(routing.table.backends.size(), 1U);
  const auto& backend = routing.table.backends[0];
  EXPECT_EQ(backend.name, "web");
  EXPECT_EQ(backend.canary_percent, 20U);
  ASSERT_EQ(backend.endpoints.size(), 2U);
  EXPECT_FALSE(backend.endpoints[0].canary);
  EXPECT_EQ(backend.endpoints[1].task_id, "t2");
  EXPECT_TRUE(backend.endpoints[1].canary);
  EXPECT_EQ(routing.table.routes.size(), 1U);
}

TEST_F(CanaryRouting, ACanaryWithoutAShareGetsNoRequests) {
  snapshot.services["s2"].labels[kCanaryPercentLabel] = "200";
  const auto routing = routed();
  EXPECT_EQ(routing.table.backends[0].canary_percent, 0U);
  EXPECT_EQ(routing.table.backends[0].endpoints.size(), 1U);
  ASSERT_EQ(routing.problems.size(), 1U);
  EXPECT_THAT(routing.problems[0], HasSubstr("is not 1 to 100"));
}

TEST_F(CanaryRouting, ACanaryWhoseServiceIsGoneIsServedByNobody) {
  snapshot.services.erase("s1");
  EXPECT_TRUE(routed().table.backends.empty());
}

}  // namespace
}  // namespace hive::controller
