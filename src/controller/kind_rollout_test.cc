#include "controller/kind_rollout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/operations.h"
#include "engine/fake/fake_engine.h"
#include "release/keeper.h"

namespace hive::controller {
namespace {

using model::TaskState;
using ::testing::HasSubstr;

// One manager's operations; several may share a swarm, one after the other.
struct Leader {
  Leader(engine::fake::FakeEngine& engine, ManualClock& clock) : engine_(engine), clock_(clock) {
    std::vector<std::unique_ptr<OperationKind>> kinds;
    kinds.push_back(std::make_unique<RolloutKind>());
    operations = std::make_unique<Operations>(
        Outside{engine, [] { return fail(Errc::kUnsupported, "no cloud"); }}, clock, history,
        executor, std::move(kinds), Random(1));
  }
  void look() {
    auto world = std::make_shared<World>();
    auto& snapshot = world->snapshot;
    snapshot.taken_at = clock_.now();
    const auto nodes = engine_.list_nodes({}).value();
    for (const auto& node : nodes) snapshot.nodes[node.id] = node;
    const auto services = engine_.list_services({}).value();
    for (const auto& service : services) snapshot.services[service.id] = service;
    const auto tasks = engine_.list_tasks({}).value();
    for (const auto& task : tasks) snapshot.tasks[task.id] = task;
    if (const auto told = snapshot.tasks.find(told_to_go); told != snapshot.tasks.end())
      told->second.desired = TaskState::kShutdown;
    world->reports = reports;
    world->now_unix_ms =
        std::chrono::duration_cast<Milliseconds>(clock_.wall_now().time_since_epoch()).count();
    auto records = operations->read();
    ASSERT_TRUE(records) << describe(records.error());
    operations->step(world, std::move(*records));
  }
  void turn() {
    clock_.advance(Milliseconds(1'000));
    look();
    executor.run();
  }

  engine::fake::FakeEngine& engine_;
  ManualClock& clock_;
  store::History history{""};
  ManualExecutor executor;
  std::map<std::string, agent::Report> reports;
  std::string told_to_go;  // a task that Swarm wants to end, whatever the engine in memory says
  std::unique_ptr<Operations> operations;
};

class RolloutTest : public ::testing::Test {
 protected:
  RolloutTest() {
    node = engine.add_node("worker-1");
    service = engine.create_service(spec_of("web:1"), {})->id;
    leader = std::make_unique<Leader>(engine, clock);
    leader->look();
  }
  static Json spec_of(const std::string& image) {
    return {{"Name", "web"},
            {"Labels", {{"team", "shop"}}},
            {"TaskTemplate", {{"ContainerSpec", {{"Image", image}}}}},
            {"Mode", {{"Replicated", {{"Replicas", 2}}}}}};
  }
  Json spec() { return (*engine.inspect_service(service))["Spec"]; }
  std::string image() { return json_string(spec(), "TaskTemplate.ContainerSpec.Image"); }
  Json ask(const std::string& to) {
    Json wanted = spec();
    wanted["TaskTemplate"]["ContainerSpec"]["Image"] = to;
    return {{"service", service},
            {"spec", wanted},
            {"base", base_digest(spec())},
            {"why", "update --image " + to}};
  }
  void begin(const Json& request) {
    const auto created = leader->operations->create({"op", "rollout", "root", request});
    ASSERT_TRUE(created) << describe(created.error());
  }
  std::string outcome() { return json_string(*leader->operations->get("op"), "outcome"); }
  std::string result() { return json_string(*leader->operations->get("op"), "result"); }
  void turn_until_ended(int most = 60) {
    for (int i = 0; i < most && outcome() == "running"; ++i) leader->turn();
  }
  release::Releases releases() { return *release::read(engine, service); }
  std::vector<model::Task> running(const std::string& of = "") {
    std::vector<model::Task> out;
    const auto tasks = engine.list_tasks({}).value();
    for (const auto& task : tasks)
      if (task.service_id == (of.empty() ? service : of) && task.desired <= TaskState::kRunning &&
          task.state <= TaskState::kRunning)
        out.push_back(task);
    return out;
  }
  // The figures of every running task: so many requests more, so many of them failed.
  void requests(std::uint64_t good, const std::string& bad_image, std::uint64_t bad) {
    auto& report = leader->reports[node];
    report.node_id = node;
    const auto tasks = engine.list_tasks({}).value();
    for (const auto& task : tasks) {
      if (task.state != TaskState::kRunning) continue;
      auto& total = totals[task.id];
      total.task_id = task.id;
      total.requests_total += good;
      total.rate = 10;
      total.response_time_ms = 5;
      if (task.image == bad_image) total.errors_5xx_total += bad;
    }
    report.stats.clear();
    for (const auto& [id, total] : totals) report.stats.push_back(total);
  }
  std::string canary() {
    const auto services = engine.list_services({}).value();
    for (const auto& one : services)
      if (one.name == "web-canary") return one.id;
    return "";
  }

  engine::fake::FakeEngine engine;
  ManualClock clock;
  std::string node;
  std::string service;
  std::unique_ptr<Leader> leader;
  std::map<std::string, model::EndpointStats> totals;
};

TEST_F(RolloutTest, AGoodVersionIsTakenAndNoted) {
  begin(ask("web:2"));
  turn_until_ended();
  EXPECT_EQ(outcome(), "succeeded") << result();
  EXPECT_EQ(image(), "web:2");
  const auto list = releases().list;
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].outcome, release::Outcome::kFound);
  EXPECT_EQ(list[0].image, "web:1");
  EXPECT_EQ(list[1].outcome, release::Outcome::kSucceeded);
  EXPECT_EQ(list[1].why, "update --image web:2");
  EXPECT_FALSE(list[1].spec["Labels"].contains("hive.rollout"));
  // How updates go is as it was.
  EXPECT_NE(json_string(spec(), "UpdateConfig.Order"), "start-first");
}

TEST_F(RolloutTest, AVersionThatDoesNotStartIsTakenBackAfterItsDeadline) {
  engine.hold_tasks(TaskState::kPreparing);
  Json request = ask("web:2");
  request["start_timeout_ms"] = 10'000;
  begin(request);
  for (int i = 0; i < 5; ++i) leader->turn();
  EXPECT_EQ(outcome(), "running");
  EXPECT_EQ(image(), "web:2");
  engine.hold_tasks(TaskState::kRunning);
  turn_until_ended();
  EXPECT_EQ(outcome(), "failed");
  EXPECT_THAT(result(), HasSubstr("undone: no further task of the new version served within 10s"));
  EXPECT_EQ(image(), "web:1");
  EXPECT_EQ(releases().list.back().outcome, release::Outcome::kUndone);
  EXPECT_EQ(release::current(releases())->image, "web:1");
}

TEST_F(RolloutTest, AVersionThatFailsRequestsIsTakenBack) {
  begin(ask("web:2"));
  // The engine is slow to take it, and the old version is asked on.
  engine.fail_next("update_service", {Errc::kUnavailable, "busy", std::nullopt}, 3);
  for (int i = 0; i < 40 && outcome() == "running"; ++i) {
    requests(20, "web:2", 20);
    leader->turn();
  }
  EXPECT_EQ(outcome(), "failed") << result();
  EXPECT_THAT(result(), HasSubstr("requests failed"));
  EXPECT_EQ(image(), "web:1");
}

// The first leader dies in turn `turns`: its last job was done, was never begun ("drop"), or was
// cut off at its first call of this kind. Another one goes on from what is there.
void die_and_go_on(ManualClock& clock, const Json& first_spec, int turns, const std::string& at) {
  SCOPED_TRACE("turn " + std::to_string(turns) + ", cut off at " + at);
  engine::fake::FakeEngine swarm;
  const auto id = swarm.create_service(first_spec, {}).value().id;
  auto first = std::make_unique<Leader>(swarm, clock);
  first->look();
  Json wanted = swarm.inspect_service(id).value()["Spec"];
  wanted["TaskTemplate"]["ContainerSpec"]["Image"] = "web:2";
  ASSERT_TRUE(first->operations->create(
      {"op", "rollout", "root", Json{{"service", id}, {"spec", wanted}, {"canary_ms", 2'000}}}));
  for (int i = 0; i < turns; ++i) first->turn();
  clock.advance(Milliseconds(1'000));
  first->look();
  if (at != "drop" && at != "nothing")
    swarm.fail_next(at, {Errc::kUnavailable, "the controller died", std::nullopt}, 1);
  if (at != "drop") first->executor.run();
  first->executor.drop();
  first.reset();
  Leader second(swarm, clock);
  second.turn();
  for (int i = 0; i < 60; ++i) {
    const auto now = second.operations->get("op");
    if (now && json_string(*now, "outcome") != "running") break;
    second.turn();
  }
  const auto services = swarm.list_services({}).value();
  ASSERT_EQ(services.size(), 1U);
  EXPECT_EQ(services[0].image, "web:2");
  const auto operation = second.operations->get("op");
  ASSERT_TRUE(operation) << describe(operation.error());
  EXPECT_EQ(json_string(*operation, "outcome"), "succeeded") << operation->dump();
  const auto list = release::read(swarm, id).value().list;
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[1].outcome, release::Outcome::kSucceeded);
}

TEST_F(RolloutTest, AnotherControllerGoesOnAtAnyEffect) {
  for (int turns = 0; turns < 14; ++turns)
    for (const char* at : {"nothing", "drop", "inspect_service", "create_config", "update_config",
                           "create_service", "update_service", "remove_service"})
      die_and_go_on(clock, spec_of("web:1"), turns, at);
}

TEST_F(RolloutTest, ATaskThatIsToldToGoWhileTooFewServeIsHeld) {
  ASSERT_TRUE(engine::modify_service(engine, service, [](Json& spec) -> Result<bool> {
    spec["UpdateConfig"]["Order"] = "start-first";
    return true;
  }));
  leader->look();
  begin(ask("web:2"));
  for (int i = 0; i < 3; ++i) leader->turn();
  ASSERT_EQ(outcome(), "running");
  EXPECT_TRUE(leader->operations->awaiting_replacement().empty());
  leader->told_to_go = running().front().id;
  leader->turn();
  EXPECT_EQ(leader->operations->awaiting_replacement(), std::set<std::string>{leader->told_to_go});
}

TEST_F(RolloutTest, WhoChangesTheServiceInTheMiddleIsNotFoughtWith) {
  begin(ask("web:2"));
  for (int i = 0; i < 3; ++i) leader->turn();
  ASSERT_EQ(outcome(), "running");
  ASSERT_TRUE(engine::modify_service(engine, service, [](Json& spec) -> Result<bool> {
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = "web:9";
    return true;
  }));
  turn_until_ended();
  EXPECT_EQ(outcome(), "failed");
  EXPECT_THAT(result(), HasSubstr("changed by somebody else"));
  EXPECT_EQ(image(), "web:9");
}

TEST_F(RolloutTest, ASpecMadeFromAnOlderOneIsRefused) {
  const Json request = ask("web:2");
  ASSERT_TRUE(engine::modify_service(engine, service, [](Json& spec) -> Result<bool> {
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = "web:9";
    return true;
  }));
  begin(request);
  turn_until_ended();
  EXPECT_EQ(outcome(), "failed");
  EXPECT_EQ(image(), "web:9");
}

TEST_F(RolloutTest, AScaleByHandInTheMiddleIsKept) {
  begin(ask("web:2"));
  for (int i = 0; i < 3; ++i) leader->turn();
  ASSERT_TRUE(engine::modify_service(engine, service, [](Json& spec) -> Result<bool> {
    spec["Mode"]["Replicated"]["Replicas"] = 4;
    return true;
  }));
  turn_until_ended();
  EXPECT_EQ(outcome(), "succeeded") << result();
  EXPECT_EQ(running().size(), 4U);
}

TEST_F(RolloutTest, ACanaryComesFirstAndGoesAway) {
  Json request = ask("web:2");
  request["canary_ms"] = 5'000;
  begin(request);
  for (int i = 0; i < 4; ++i) leader->turn();
  ASSERT_NE(canary(), "");
  EXPECT_EQ(image(), "web:1");
  EXPECT_EQ(running(canary()).size(), 1U);
  turn_until_ended();
  EXPECT_EQ(outcome(), "succeeded") << result();
  EXPECT_EQ(image(), "web:2");
  EXPECT_EQ(canary(), "");
}

TEST_F(RolloutTest, ABadCanaryIsTakenBackAndTheRestIsNeverTouched) {
  Json request = ask("web:2");
  request["canary_ms"] = 60'000;
  requests(100, "", 0);
  begin(request);
  engine.clear_calls();
  for (int i = 0; i < 30 && outcome() == "running"; ++i) {
    requests(20, "web:2", 15);
    leader->turn();
  }
  EXPECT_EQ(outcome(), "failed");
  EXPECT_THAT(result(), HasSubstr("only the canary had the new version"));
  EXPECT_EQ(image(), "web:1");
  EXPECT_EQ(canary(), "");
  EXPECT_EQ(releases().list.back().outcome, release::Outcome::kUndone);
}

TEST_F(RolloutTest, CancellingGoesBack) {
  engine.hold_tasks(TaskState::kStarting);
  begin(ask("web:2"));
  for (int i = 0; i < 3; ++i) leader->turn();
  ASSERT_TRUE(leader->operations->cancel("op"));
  engine.hold_tasks(TaskState::kRunning);
  turn_until_ended();
  EXPECT_EQ(outcome(), "cancelled");
  EXPECT_EQ(image(), "web:1");
}

TEST_F(RolloutTest, TheServiceIsClaimed) {
  begin(ask("web:2"));
  const auto second = leader->operations->create({"two", "rollout", "root", ask("web:3")});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kConflict);
}

TEST_F(RolloutTest, CredentialsAreSentAndNeverWrittenDown) {
  Json request = ask("web:2");
  request["auth"] = {{"username", "u"}, {"password", "geheim"}, {"serveraddress", "r"}};
  begin(request);
  leader->turn();
  EXPECT_EQ(engine.last_auth().password, "geheim");
  const auto configs = engine.list_configs({}).value();
  for (const auto& config : configs) EXPECT_EQ(config.dump().find("geheim"), std::string::npos);
  EXPECT_EQ(leader->operations->get("op")->dump().find("geheim"), std::string::npos);
}

TEST_F(RolloutTest, WhatMakesNoSenseIsRefused) {
  const auto refused = [&](const Json& request) {
    const auto created = leader->operations->create({"x", "rollout", "root", request});
    return created ? Errc::kInternal : created.error().code;
  };
  EXPECT_EQ(refused({{"service", "nobody"}}), Errc::kNotFound);
  EXPECT_EQ(refused({{"service", service}}), Errc::kInvalidArgument);
  Json request = ask("web:2");
  request["canary_ms"] = 5'000;
  request["canary_weight"] = 101;
  EXPECT_EQ(refused(request), Errc::kInvalidArgument);
  request["canary_weight"] = 10;
  request["spec"]["UpdateConfig"] = {{"Order", "stop-first"}};
  EXPECT_EQ(refused(request), Errc::kInvalidArgument);
}

TEST_F(RolloutTest, AServiceThatIsRemovedEndsItWithItsCanary) {
  Json request = ask("web:2");
  request["canary_ms"] = 60'000;
  begin(request);
  for (int i = 0; i < 4; ++i) leader->turn();
  ASSERT_NE(canary(), "");
  ASSERT_TRUE(engine.remove_service(service));
  turn_until_ended();
  EXPECT_EQ(outcome(), "failed");
  EXPECT_THAT(result(), HasSubstr("was removed"));
  EXPECT_EQ(canary(), "");
}

}  // namespace
}  // namespace hive::controller
