#include "controller/routing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace hive::controller {
namespace {

using model::NodeState;
using model::PublishMode;
using model::TaskState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A manager that leads (m1) and a worker (w1); services are added by the tests.
class RoutingTest : public ::testing::Test {
 protected:
  RoutingTest() {
    model::Node manager;
    manager.id = "m1";
    manager.hostname = "manager-1";
    manager.address = "10.0.0.1";
    manager.role = model::Role::kManager;
    manager.state = NodeState::kReady;
    manager.leader = true;
    snapshot_.nodes["m1"] = manager;
    model::Node worker;
    worker.id = "w1";
    worker.hostname = "worker-1";
    worker.address = "10.0.0.2";
    worker.state = NodeState::kReady;
    snapshot_.nodes["w1"] = worker;
    settings_.dashboard_port = 0;
  }

  model::Service& service(const std::string& name, const std::string& listeners,
                          const std::string& hive = "") {
    model::Service& out = snapshot_.services[name];
    out.id = out.name = name;
    out.created_unix_ms = static_cast<std::int64_t>(snapshot_.services.size());
    out.labels[kListenersLabel] = listeners;
    if (!hive.empty()) out.labels[kHiveLabel] = hive;
    return out;
  }
  model::Task& task(const std::string& id, const std::string& of, const std::string& node,
                    std::uint16_t target, std::uint16_t published) {
    model::Task& out = snapshot_.tasks[id];
    out.id = id;
    out.service_id = of;
    out.node_id = node;
    out.slot = static_cast<std::int64_t>(snapshot_.tasks.size());
    out.state = out.desired = TaskState::kRunning;
    out.ports = {{"tcp", target, published, PublishMode::kHost}};
    return out;
  }
  Routing routed() { return route(snapshot_, settings_, unfit_, agents_); }

  static const model::Backend* backend(const Routing& routing, const std::string& name) {
    for (const auto& one : routing.table.backends)
      if (one.name == name) return &one;
    return nullptr;
  }
  // "task" of those that get new requests, "(task)" of those that keep what
  // they have.
  static std::vector<std::string> endpoints(const Routing& routing, const std::string& name) {
    std::vector<std::string> out;
    const model::Backend* found = backend(routing, name);
    if (found == nullptr) return {"no such backend"};
    for (const auto& endpoint : found->endpoints)
      out.push_back(endpoint.admit ? endpoint.task_id : "(" + endpoint.task_id + ")");
    return out;
  }
  static std::vector<std::string> rules(const Routing& routing) {
    std::vector<std::string> out;
    for (const auto& rule : routing.table.routes)
      out.push_back(std::to_string(rule.listener_port) + " " + rule.host + rule.path_prefix +
                    " -> " + rule.backend);
    return out;
  }

  model::Snapshot snapshot_;
  ClusterSettings settings_;
  Unfit unfit_;
  AgentsSight agents_;
};

constexpr const char* kWebListeners = R"([{"port":80,"target":8080}])";

TEST_F(RoutingTest, ATaskIsReachedAtItsNodeAndThePortThatItsEngineChose) {
  service("web", kWebListeners);
  task("t1", "web", "w1", 8080, 32'768);
  const Routing routing = routed();
  EXPECT_THAT(routing.problems, IsEmpty());
  EXPECT_THAT(rules(routing), ElementsAre("80  -> web"));
  ASSERT_THAT(endpoints(routing, "web"), ElementsAre("t1"));
  const model::Endpoint& endpoint = backend(routing, "web")->endpoints[0];
  EXPECT_EQ(endpoint.address, "10.0.0.2");
  EXPECT_EQ(endpoint.port, 32'768);
  EXPECT_EQ(endpoint.name, "web.1");
}

TEST_F(RoutingTest, OnlyRunningTasksOnNodesThatAreThereGetRequests) {
  service("web", kWebListeners);
  for (const TaskState state : {TaskState::kNew, TaskState::kReady, TaskState::kStarting,
                                TaskState::kComplete, TaskState::kShutdown, TaskState::kFailed})
    task("not-" + std::string(to_string(state)), "web", "w1", 8080, 1).state = state;
  task("nowhere", "web", "gone", 8080, 1);
  task("runs", "web", "w1", 8080, 2);
  EXPECT_THAT(endpoints(routed(), "web"), ElementsAre("runs"));
  for (const NodeState state : {NodeState::kDown, NodeState::kDisconnected}) {
    snapshot_.nodes["w1"].state = state;
    EXPECT_THAT(endpoints(routed(), "web"), IsEmpty());
  }
  // A new leader has not heard from its nodes yet.
  snapshot_.nodes["w1"].state = NodeState::kUnknown;
  EXPECT_THAT(endpoints(routed(), "web"), ElementsAre("runs"));
}

TEST_F(RoutingTest, ATaskThatSwarmToldToStopKeepsWhatItHasAndServesOnWhileItIsHeld) {
  service("web", kWebListeners);
  task("t1", "web", "w1", 8080, 1).desired = TaskState::kShutdown;
  EXPECT_THAT(endpoints(routed(), "web"), ElementsAre("(t1)"));
  agents_.held = {"t1"};
  EXPECT_THAT(endpoints(routed(), "web"), ElementsAre("t1"));
  unfit_["t1"] = "it is unhealthy";
  EXPECT_THAT(endpoints(routed(), "web"), ElementsAre("(t1)"));
  unfit_["t1"] = kLeaving;
  EXPECT_THAT(endpoints(routed(), "web"), IsEmpty());
}

// Swarm does not hear from w1, and plans another task in t1's place.
class UnheardNodeTest : public RoutingTest {
 protected:
  UnheardNodeTest() {
    service("web", kWebListeners);
    task("t1", "web", "w1", 8080, 1).desired = TaskState::kShutdown;
    snapshot_.nodes["w1"].state = NodeState::kDown;
  }
  void plan_successor() { task("t2", "web", "m1", 8080, 1).slot = snapshot_.tasks["t1"].slot; }
};

TEST_F(UnheardNodeTest, ATaskServesOnWhileItsAgentSeesItRun) {
  EXPECT_THAT(endpoints(routed(), "web"), IsEmpty());
  agents_.nodes = {"w1"};
  EXPECT_THAT(endpoints(routed(), "web"), IsEmpty());
  agents_.running = {"t1"};
  EXPECT_THAT(endpoints(routed(), "web"), ElementsAre("t1"));
  unfit_["t1"] = "it is unhealthy";
  EXPECT_THAT(endpoints(routed(), "web"), ElementsAre("(t1)"));
  unfit_["t1"] = kLeaving;
  EXPECT_THAT(endpoints(routed(), "web"), IsEmpty());
}

TEST_F(UnheardNodeTest, ATaskServesUntilItsSuccessorDoes) {
  agents_.nodes = {"w1"};
  agents_.running = {"t1"};
  plan_successor();
  EXPECT_THAT(endpoints(routed(), "web"), ElementsAre("t1", "t2")) << "some edge waits for t2";
  agents_.served = {"t1", "t2"};
  EXPECT_THAT(endpoints(routed(), "web"), ElementsAre("t2"));
  snapshot_.tasks["t2"].slot = 9;
  EXPECT_THAT(endpoints(routed(), "web"), ElementsAre("t1", "t2")) << "another replica";
  snapshot_.tasks["t1"].desired = TaskState::kRemove;
  EXPECT_THAT(endpoints(routed(), "web"), ElementsAre("t2")) << "it was scaled in";
}

TEST_F(UnheardNodeTest, BeforeItsAgentIsHeardOfATaskIsNotKnownToBeGone) {
  EXPECT_THAT(routed().unsure, ElementsAre("t1"));
  agents_.nodes = {"w1"};
  EXPECT_THAT(routed().unsure, IsEmpty());
  agents_.nodes.clear();
  plan_successor();
  agents_.served = {"t2"};
  EXPECT_THAT(routed().unsure, IsEmpty());
}

TEST_F(UnheardNodeTest, ItsEdgeTakesItsShareAndItsDashboardIsAskedWhileItsAgentIsThere) {
  service("web", kWebListeners, R"({"max_connections": 10})");
  settings_.dashboard_port = 5000;
  snapshot_.nodes["w1"].role = model::Role::kManager;
  EXPECT_EQ(backend(routed(), "web")->max_connections_per_task, 10);
  EXPECT_EQ(endpoints(routed(), kDashboardBackend).size(), 1);
  agents_.nodes = {"w1"};
  EXPECT_EQ(backend(routed(), "web")->max_connections_per_task, 5);
  EXPECT_EQ(endpoints(routed(), kDashboardBackend).size(), 2);
}

TEST_F(RoutingTest, PortsThatAreNotBoundOnTheNodeAreNoWayToATask) {
  service("web", kWebListeners);
  task("other-port", "web", "w1", 9090, 1);
  task("udp", "web", "w1", 8080, 1).ports[0].protocol = "udp";
  task("mesh", "web", "w1", 8080, 1).ports[0].mode = PublishMode::kIngress;
  task("unbound", "web", "w1", 8080, 0);
  task("unknown", "web", "w1", 8080, 1).ports.clear();
  const Routing routing = routed();
  EXPECT_THAT(endpoints(routing, "web"), IsEmpty());
  EXPECT_THAT(routing.unsure, ElementsAre("unknown"));
}

TEST_F(RoutingTest, OfTwoServicesOnOnePortTheFirstKeepsItAndTheProblemNamesBoth) {
  service("old", kWebListeners);
  service("new", kWebListeners).created_unix_ms = 9;
  const Routing routing = routed();
  EXPECT_THAT(rules(routing), ElementsAre("80  -> old"));
  EXPECT_THAT(routing.problems, ElementsAre(HasSubstr("services old and new both want port 80")));
}

TEST_F(RoutingTest, ServicesShareAPortByHostAndPath) {
  service("shop", kWebListeners, R"({"routes":[{"host":"shop.example.org"},{"path":"/shop"}]})");
  service("api", kWebListeners, R"({"routes":[{"path":"/api"}]})");
  const Routing routing = routed();
  EXPECT_THAT(routing.problems, IsEmpty());
  EXPECT_THAT(rules(routing),
              ::testing::UnorderedElementsAre("80 shop.example.org -> shop", "80 /shop -> shop",
                                              "80 /api -> api"));
  EXPECT_EQ(routing.table.listeners.size(), 1u);
}

TEST_F(RoutingTest, EachTargetPortIsABackendAndPortsToOneTargetShareIt) {
  service("web",
          R"([{"port":80,"target":8080},{"port":81,"target":8080},{"port":90,"target":9090}])");
  task("t1", "web", "w1", 8080, 1);
  const Routing routing = routed();
  EXPECT_THAT(rules(routing), ElementsAre("80  -> web", "81  -> web", "90  -> web-9090"));
  EXPECT_THAT(endpoints(routing, "web"), ElementsAre("t1"));
  EXPECT_THAT(endpoints(routing, "web-9090"), IsEmpty());
}

TEST_F(RoutingTest, ANameThatIsTakenGetsNoRequestsInsteadOfAnothersService) {
  service("web", R"([{"port":80,"target":8080},{"port":90,"target":9090}])");
  service("web-9090", R"([{"port":100,"target":1}])").created_unix_ms = 9;
  const Routing routing = routed();
  EXPECT_THAT(routing.problems, ElementsAre(HasSubstr("the name web-9090 is taken by web")));
  EXPECT_THAT(rules(routing), ElementsAre("80  -> web", "90  -> web-9090"));
}

TEST_F(RoutingTest, WhatTheServicesSettingsSayReachesTheEdge) {
  settings_.listeners = {{80, "http", true}};
  service("web", kWebListeners,
          R"({"sticky":{"cookie":"WHERE"},"health":{"path":"/up"},"max_connections":14,
              "proxy_protocol":true,"certificate":"/etc/web.pem"})");
  const Routing routing = routed();
  const model::Backend& web = *backend(routing, "web");
  EXPECT_EQ(web.sticky_cookie, "WHERE");
  EXPECT_EQ(web.probe_path, "/up");
  EXPECT_EQ(web.max_connections_per_task, 7u);
  EXPECT_TRUE(web.proxy_protocol);
  ASSERT_EQ(routing.table.listeners.size(), 1u);
  EXPECT_TRUE(routing.table.listeners[0].accept_proxy);
  EXPECT_EQ(routing.table.listeners[0].certificate_pem, "/etc/web.pem");
}

TEST_F(RoutingTest, EachEdgeHasItsShareOfWhatATaskMayHaveOpen) {
  service("web", kWebListeners, R"({"max_connections":7})");
  const auto share = [&] { return backend(routed(), "web")->max_connections_per_task; };
  for (const auto& [edges, each] : {std::pair{1, 7u}, {2, 3u}, {7, 1u}, {9, 1u}}) {
    snapshot_.nodes.clear();
    for (int i = 0; i < edges; ++i)
      snapshot_.nodes["n" + std::to_string(i)].state = NodeState::kReady;
    EXPECT_EQ(share(), each) << edges << " edges";
  }
  for (auto& [id, one] : snapshot_.nodes)
    if (id != "n0") one.state = NodeState::kDown;
  EXPECT_EQ(share(), 7u) << "nodes that are gone ask nobody";
}

TEST_F(RoutingTest, ATcpListenerHasNoRoutesAndNoCookie) {
  settings_.listeners = {{80, "tcp", false}};
  service("db", kWebListeners, R"({"routes":[{"path":"/x"}],"sticky":{"cookie":"C"}})");
  const Routing routing = routed();
  EXPECT_THAT(rules(routing), ElementsAre("80  -> db"));
  EXPECT_EQ(backend(routing, "db")->mode, "tcp");
  EXPECT_EQ(backend(routing, "db")->sticky_cookie, "");
  EXPECT_THAT(routing.problems, ElementsAre(HasSubstr("port 80 is tcp")));
}

TEST_F(RoutingTest, LabelsThatAreNoJsonAreNamedAndHarmNobodyElse) {
  service("broken", "[{");
  service("odd", kWebListeners, "[]");
  service("good",
          R"([{"port":81,"target":1},{"port":0,"target":1},{"port":70000,"target":1},
                      {"port":82,"target":1,"protocol":"udp"}])");
  const Routing routing = routed();
  EXPECT_THAT(routing.problems,
              ElementsAre(HasSubstr("service broken: label hive.listeners"),
                          HasSubstr("service odd: label hive.x is not a JSON object")));
  EXPECT_THAT(rules(routing), ElementsAre("80  -> odd", "81  -> good"));
}

TEST_F(RoutingTest, TheDashboardIsAskedAtTheLeaderAlone) {
  settings_.dashboard_port = 5000;
  model::Node second = snapshot_.nodes["m1"];
  second.id = "m2";
  second.leader = false;
  snapshot_.nodes["m2"] = second;
  EXPECT_THAT(endpoints(routed(), kDashboardBackend),
              ElementsAre("dashboard-m1", "(dashboard-m2)"));
  // Nobody leads: any of them says at least what it knows.
  snapshot_.nodes["m1"].leader = false;
  EXPECT_THAT(endpoints(routed(), kDashboardBackend), ElementsAre("dashboard-m1", "dashboard-m2"));
  snapshot_.nodes["m1"].state = NodeState::kDown;
  EXPECT_THAT(endpoints(routed(), kDashboardBackend), ElementsAre("dashboard-m2"));
}

TEST_F(RoutingTest, NoServiceTakesTheDashboardsPort) {
  settings_.dashboard_port = 5000;
  service("web", R"([{"port":5000,"target":1}])");
  const Routing routing = routed();
  EXPECT_THAT(rules(routing), ElementsAre("5000  -> hive-dashboard"));
  EXPECT_EQ(routing.problems.size(), 1u);
}

TEST(Settings, MalformedMembersArePassedOver) {
  const auto json = parse_json(
      R"({"name":"shop","dashboard_port":99999,"listeners":[{"instance":80,"mode":"tcp"},
          {"instance":-1},"x",{"instance":"80"}]})",
      "test");
  ASSERT_TRUE(json);
  const ClusterSettings settings = settings_from_json(*json);
  EXPECT_EQ(settings.name, "shop");
  EXPECT_EQ(settings.dashboard_port, 0);
  ASSERT_EQ(settings.listeners.size(), 1u);
  EXPECT_EQ(settings.listeners[0], (ListenerSettings{80, "tcp", false}));
  EXPECT_EQ(settings_from_json(Json::object()).dashboard_port, 5000);
  const auto follow = parse_json(
      R"({"workers":{"min":1,"max":4,"scale_in_after_ms":20000,"join_timeout_ms":1}})", "t");
  EXPECT_EQ(settings_from_json(*follow).workers, (WorkerSettings{1, 4, 20'000, 5'000}));
  EXPECT_EQ(settings_from_json(Json::object()).managers, 0) << "not known: none is brought back";
  EXPECT_TRUE(settings_from_json(Json::object()).replace_managers);
  const auto managers = parse_json(R"({"managers":5,"x_hive":{"replace_managers":false}})", "t");
  EXPECT_EQ(settings_from_json(*managers).managers, 5);
  EXPECT_FALSE(settings_from_json(*managers).replace_managers);
  const auto aws = parse_json(R"({"cloud":"aws","workers":{"min":1,"max":4}})", "t");
  EXPECT_EQ(settings_from_json(*aws).workers.max, 4) << "they follow there too";
}

TEST(Reachable, AnAddressThatOthersCanUse) {
  model::Node node;
  node.manager_address = "10.0.0.9:2377";
  for (const char* useless : {"", "0.0.0.0", "127.0.0.1"}) {
    node.address = useless;
    EXPECT_EQ(reachable_address(node), "10.0.0.9") << useless;
  }
  node.address = "10.0.0.5";
  EXPECT_EQ(reachable_address(node), "10.0.0.5");
}

}  // namespace
}  // namespace hive::controller
