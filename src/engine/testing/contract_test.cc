// What every Engine must do, asked of the fake in unit tests and of a real Docker Engine in the
// e2e tests (e2e/test_engine.py sets HIVE_E2E_ENGINE to a swarm manager's address that has the
// image hive-test:1). A behaviour of the fake that tests lean on belongs here.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "engine/docker/client.h"
#include "engine/fake/fake_engine.h"

namespace hive::engine {
namespace {

constexpr const char* kImage = "hive-test:1";

std::unique_ptr<Engine> make_fake() {
  auto fake = std::make_unique<fake::FakeEngine>();
  fake->add_image(kImage);
  return fake;
}

std::unique_ptr<Engine> make_real() {
  docker::EngineOptions options;
  options.host = std::getenv("HIVE_E2E_ENGINE");
  auto engine = docker::connect(options);
  return engine ? std::move(*engine) : nullptr;
}

using Factory = std::unique_ptr<Engine> (*)();
struct Kind {
  const char* name;
  Factory make;
};

std::vector<Kind> kinds() {
  std::vector<Kind> all{{"Fake", make_fake}};
  if (std::getenv("HIVE_E2E_ENGINE") != nullptr) all.push_back({"Real", make_real});
  return all;
}

#define ASSERT_OK(result) ASSERT_TRUE(result) << describe((result).error())
#define EXPECT_FAILS(expression, wanted)                                    \
  do {                                                                      \
    const auto outcome = (expression);                                      \
    EXPECT_FALSE(outcome);                                                  \
    if (!outcome) {                                                         \
      EXPECT_EQ(outcome.error().code, wanted) << describe(outcome.error()); \
    }                                                                       \
  } while (false)

Json service_spec(const std::string& name, int replicas = 1) {
  return {{"Name", name},
          {"Labels", {{"hive.test", name}}},
          {"Mode", {{"Replicated", {{"Replicas", replicas}}}}},
          {"TaskTemplate",
           {{"ContainerSpec",
             {{"Image", kImage},
              {"Command", {"/bin/sleep", "1000"}},
              {"StopGracePeriod", 1'000'000}}}}}};
}

Json config_spec(const std::string& name, const std::string& base64) {
  return {{"Name", name}, {"Labels", Json::object()}, {"Data", base64}};
}

class Contract : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    engine_ = GetParam().make();
    ASSERT_NE(engine_, nullptr);
  }
  // A real swarm needs a moment, above all where it asks a registry for an image that is only here
  // and no name server answers; the fake holds at once, so that nothing is waited for there.
  template <typename Condition>
  bool eventually(const Condition& condition) {
    for (int i = 0; i < 1200; ++i) {
      if (condition()) return true;
      if (GetParam().make == make_fake) return false;
      std::this_thread::sleep_for(Milliseconds(100));
    }
    return false;
  }
  std::vector<model::Task> running(const std::string& service_id) {
    auto tasks = engine_->list_tasks({{"service", {service_id}}, {"desired-state", {"running"}}});
    std::vector<model::Task> out;
    if (tasks)
      for (model::Task& task : *tasks)
        if (task.state == model::TaskState::kRunning) out.push_back(std::move(task));
    return out;
  }
  std::unique_ptr<Engine> engine_;
};
INSTANTIATE_TEST_SUITE_P(Engines, Contract, ::testing::ValuesIn(kinds()),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST_P(Contract, PingGivesTheVersion) {
  const auto version = engine_->ping();
  ASSERT_OK(version);
  EXPECT_EQ(version->rfind("1.4", 0), 0u) << *version;
  const auto info = engine_->info();
  ASSERT_OK(info);
  EXPECT_TRUE(json_bool(*info, "Swarm.ControlAvailable"));
}

TEST_P(Contract, InitializingASwarmTwice) {
  SwarmInit init;
  init.advertise_address = "127.0.0.1";
  EXPECT_FAILS(engine_->swarm_init(init), Errc::kAlreadyExists);
  EXPECT_FAILS(engine_->swarm_leave(false), Errc::kFailedPrecondition);
}

TEST_P(Contract, JoinTokensRotate) {
  const auto before = engine_->join_tokens();
  ASSERT_OK(before);
  ASSERT_OK(engine_->rotate_join_tokens(true, false));
  const auto after = engine_->join_tokens();
  ASSERT_OK(after);
  EXPECT_NE(before->worker, after->worker);
  EXPECT_EQ(before->manager, after->manager);
}

TEST_P(Contract, NodesAndTheirFence) {
  const auto nodes = engine_->list_nodes({});
  ASSERT_OK(nodes);
  ASSERT_EQ(nodes->size(), 1u);
  const model::Node node = nodes->front();
  EXPECT_TRUE(node.leader);
  EXPECT_EQ(node.role, model::Role::kManager);
  EXPECT_EQ(node.state, model::NodeState::kReady);
  EXPECT_EQ(node.manager_reachability, "reachable");
  EXPECT_GT(node.memory_bytes, 0);
  ASSERT_OK(modify_node(*engine_, node.id, [](Json& spec) -> Result<bool> {
    spec["Labels"]["zone"] = "a";
    return true;
  }));
  const auto after = engine_->list_nodes({});
  ASSERT_OK(after);
  EXPECT_EQ(after->front().labels.at("zone"), "a");
  EXPECT_GT(after->front().version, node.version);
  const auto object = engine_->inspect_node(node.id);
  ASSERT_OK(object);
  EXPECT_FAILS(engine_->update_node(node.id, node.version, (*object)["Spec"]), Errc::kConflict);
  EXPECT_FAILS(engine_->remove_node(node.id, false), Errc::kFailedPrecondition);
  EXPECT_FAILS(engine_->inspect_node("no-such-node"), Errc::kNotFound);
}

TEST_P(Contract, AServiceFromCreationToRemoval) {
  const auto created = engine_->create_service(service_spec("web", 2), {});
  ASSERT_OK(created);
  EXPECT_FAILS(engine_->create_service(service_spec("web"), {}), Errc::kAlreadyExists);
  EXPECT_TRUE(eventually([&] { return running(created->id).size() == 2; }));
  const auto tasks = running(created->id);
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(tasks[0].service_id, created->id);
  EXPECT_FALSE(tasks[0].container_id.empty());
  EXPECT_NE(tasks[0].slot, tasks[1].slot);

  const auto listed = engine_->list_services({{"label", {"hive.test=web"}}});
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->front().name, "web");
  EXPECT_EQ(listed->front().replicas, 2u);
  EXPECT_EQ(listed->front().image, kImage);

  const auto scaled = modify_service(*engine_, "web", [](Json& spec) -> Result<bool> {
    spec["Mode"]["Replicated"]["Replicas"] = 3;
    return true;
  });
  ASSERT_OK(scaled);
  EXPECT_TRUE(eventually([&] { return running(created->id).size() == 3; }));
  const auto object = engine_->inspect_service("web");
  ASSERT_OK(object);
  EXPECT_FAILS(engine_->update_service(created->id, listed->front().version, (*object)["Spec"], {}),
               Errc::kConflict);

  ASSERT_OK(engine_->remove_service("web"));
  EXPECT_FAILS(engine_->inspect_service("web"), Errc::kNotFound);
  EXPECT_FAILS(engine_->remove_service("web"), Errc::kNotFound);
  EXPECT_TRUE(eventually([&] { return running(created->id).empty(); }));
}

TEST_P(Contract, WhereTasksMayBeIsRead) {
  Json spec = service_spec("placed", 0);
  spec["TaskTemplate"]["Placement"] = {
      {"Constraints", {"node.role == worker", "node.labels.disk != slow"}},
      {"Preferences",
       {{{"Spread", {{"SpreadDescriptor", "node.labels.zone"}}}},
        {{"Spread", {{"SpreadDescriptor", "engine.labels.rack"}}}}}},
      {"MaxReplicas", 2}};
  ASSERT_OK(engine_->create_service(spec, {}));
  const auto listed = engine_->list_services({{"label", {"hive.test=placed"}}});
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), 1u);
  const std::vector<std::string> constraints{"node.role == worker", "node.labels.disk != slow"};
  const std::vector<std::string> spread{"node.labels.zone", "engine.labels.rack"};
  EXPECT_EQ(listed->front().constraints, constraints);
  EXPECT_EQ(listed->front().spread, spread);
  EXPECT_EQ(listed->front().max_per_node, 2u);
  ASSERT_OK(engine_->remove_service("placed"));
}

TEST_P(Contract, NothingToChangeIsNoWrite) {
  ASSERT_OK(engine_->create_service(service_spec("still", 0), {}));
  const auto before = engine_->inspect_service("still");
  ASSERT_OK(before);
  ASSERT_OK(modify_service(*engine_, "still", [](Json&) -> Result<bool> { return false; }));
  const auto after = engine_->inspect_service("still");
  ASSERT_OK(after);
  EXPECT_EQ((*before)["Version"], (*after)["Version"]);
  ASSERT_OK(engine_->remove_service("still"));
}

TEST_P(Contract, AModificationMeetsAnothersAndMerges) {
  const auto created = engine_->create_service(service_spec("merge", 0), {});
  ASSERT_OK(created);
  bool disturbed = false;
  const auto merged = modify_service(*engine_, "merge", [&](Json& spec) -> Result<bool> {
    if (!disturbed) {
      disturbed = true;
      auto other = modify_service(*engine_, "merge", [](Json& theirs) -> Result<bool> {
        theirs["Labels"]["theirs"] = "1";
        return true;
      });
      if (!other) return tl::unexpected(other.error());
    }
    spec["Labels"]["ours"] = "1";
    return true;
  });
  ASSERT_OK(merged);
  const auto object = engine_->inspect_service("merge");
  ASSERT_OK(object);
  EXPECT_EQ(json_string(*object, "Spec.Labels.ours"), "1");
  EXPECT_EQ(json_string(*object, "Spec.Labels.theirs"), "1");
  ASSERT_OK(engine_->remove_service("merge"));
}

TEST_P(Contract, RollbackTakesThePreviousSpec) {
  const auto created = engine_->create_service(service_spec("back", 0), {});
  ASSERT_OK(created);
  ASSERT_OK(modify_service(*engine_, "back", [](Json& spec) -> Result<bool> {
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = {"NEW=1"};
    return true;
  }));
  ServiceWriteOptions rollback;
  rollback.rollback_to_previous = true;
  ASSERT_OK(modify_service(
      *engine_, "back", [](Json&) -> Result<bool> { return true; }, rollback));
  const auto object = engine_->inspect_service("back");
  ASSERT_OK(object);
  EXPECT_EQ(json_path(*object, "Spec.TaskTemplate.ContainerSpec.Env"), nullptr);
  ASSERT_OK(engine_->remove_service("back"));
}

TEST_P(Contract, BadSpecsAreInvalid) {
  Json no_image = service_spec("bad");
  no_image["TaskTemplate"]["ContainerSpec"].erase("Image");
  EXPECT_FAILS(engine_->create_service(no_image, {}), Errc::kInvalidArgument);
  EXPECT_FAILS(engine_->inspect_task("nosuchtask"), Errc::kNotFound);
}

TEST_P(Contract, ANamelessServiceGetsAName) {
  const auto created = engine_->create_service(service_spec("", 0), {});
  ASSERT_OK(created);
  const auto object = engine_->inspect_service(created->id);
  ASSERT_OK(object);
  EXPECT_NE(json_string(*object, "Spec.Name"), "");
  ASSERT_OK(engine_->remove_service(created->id));
}

TEST_P(Contract, Configs) {
  const auto id = engine_->create_config(config_spec("settings", "aGVsbG8="));
  ASSERT_OK(id);
  EXPECT_FAILS(engine_->create_config(config_spec("settings", "aGVsbG8=")), Errc::kAlreadyExists);
  auto listed = engine_->list_configs({{"name", {"settings"}}});
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(json_string(listed->front(), "Spec.Data"), "aGVsbG8=");
  const auto version = static_cast<std::uint64_t>(json_int(listed->front(), "Version.Index"));
  Json spec = listed->front()["Spec"];
  spec["Labels"]["a"] = "b";
  ASSERT_OK(engine_->update_config(*id, version, spec));
  EXPECT_FAILS(engine_->update_config(*id, version, spec), Errc::kConflict);
  Json user = service_spec("config-user", 0);
  user["TaskTemplate"]["ContainerSpec"]["Configs"] =
      Json::array({{{"ConfigID", *id},
                    {"ConfigName", "settings"},
                    {"File", {{"Name", "/settings"}, {"UID", "0"}, {"GID", "0"}, {"Mode", 292}}}}});
  ASSERT_OK(engine_->create_service(user, {}));
  EXPECT_FAILS(engine_->remove_config(*id), Errc::kFailedPrecondition);
  ASSERT_OK(engine_->remove_service("config-user"));
  ASSERT_OK(engine_->remove_config(*id));
  EXPECT_FAILS(engine_->remove_config(*id), Errc::kNotFound);
}

TEST_P(Contract, SecretsNeverComeBack) {
  const auto id = engine_->create_secret(config_spec("password", "aGVsbG8="));
  ASSERT_OK(id);
  EXPECT_FAILS(engine_->create_secret(config_spec("password", "eA==")), Errc::kAlreadyExists);
  const auto listed = engine_->list_secrets({});
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(json_path(listed->front(), "Spec.Data"), nullptr);
  ASSERT_OK(engine_->remove_secret(*id));
  EXPECT_FAILS(engine_->remove_secret(*id), Errc::kNotFound);
}

TEST_P(Contract, Networks) {
  const Json request{{"Name", "front"}, {"Driver", "overlay"}, {"Attachable", true}};
  const auto id = engine_->create_network(request);
  ASSERT_OK(id);
  EXPECT_FAILS(engine_->create_network(request), Errc::kAlreadyExists);
  const auto network = engine_->inspect_network("front");
  ASSERT_OK(network);
  EXPECT_EQ(json_string(*network, "Id"), *id);
  EXPECT_EQ(json_string(*network, "Scope"), "swarm");
  ASSERT_OK(engine_->remove_network("front"));
  EXPECT_TRUE(eventually([&] { return !engine_->inspect_network("front").has_value(); }));
  EXPECT_FAILS(engine_->inspect_network("front"), Errc::kNotFound);
}

TEST_P(Contract, Volumes) {
  const auto volume = engine_->create_volume({{"Name", "data"}, {"Labels", {{"a", "b"}}}});
  ASSERT_OK(volume);
  ASSERT_OK(engine_->create_volume({{"Name", "data"}}));  // the same one
  const auto listed = engine_->list_volumes({{"label", {"a=b"}}});
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(json_string(listed->front(), "Name"), "data");
  ASSERT_OK(engine_->inspect_volume("data"));
  ASSERT_OK(engine_->remove_volume("data", false));
  EXPECT_FAILS(engine_->inspect_volume("data"), Errc::kNotFound);
  EXPECT_FAILS(engine_->remove_volume("data", false), Errc::kNotFound);
}

TEST_P(Contract, Images) {
  ASSERT_OK(engine_->inspect_image(kImage));
  ASSERT_OK(engine_->tag_image(kImage, "hive-test:other"));
  const auto listed = engine_->list_images({{"reference", {"hive-test:other"}}});
  ASSERT_OK(listed);
  EXPECT_EQ(listed->size(), 1u);
  ASSERT_OK(engine_->remove_image("hive-test:other", false));
  EXPECT_FAILS(engine_->inspect_image("hive-test:other"), Errc::kNotFound);
  EXPECT_FAILS(engine_->tag_image("no-such-image:1", "x:1"), Errc::kNotFound);
  EXPECT_FAILS(engine_->load_image("/nonexistent/archive.tar"), Errc::kNotFound);
}

TEST_P(Contract, ContainersLiveAndDie) {
  EXPECT_FAILS(engine_->create_container("c0", {{"Image", "no-such-image:1"}}), Errc::kNotFound);
  const Json config{{"Image", kImage}, {"Cmd", {"/bin/sleep", "1000"}}, {"Labels", {{"t", "1"}}}};
  const auto id = engine_->create_container("c1", config);
  ASSERT_OK(id);
  EXPECT_FAILS(engine_->create_container("c1", config), Errc::kAlreadyExists);
  EXPECT_FAILS(engine_->kill_container(*id, "KILL"), Errc::kFailedPrecondition);
  ASSERT_OK(engine_->start_container(*id));
  const auto listed = engine_->list_containers(false, {{"label", {"t=1"}}});
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(json_string(listed->front(), "Id"), *id);
  EXPECT_FAILS(engine_->remove_container(*id, false, false), Errc::kFailedPrecondition);
  EXPECT_FAILS(engine_->wait_container(*id, Milliseconds(20)), Errc::kDeadlineExceeded);
  ASSERT_OK(engine_->kill_container(*id, "KILL"));
  const auto code = engine_->wait_container(*id, Milliseconds(20'000));
  ASSERT_OK(code);
  EXPECT_EQ(*code, 137);
  ASSERT_OK(engine_->stop_container(*id, 1));  // stopped already: no error
  ASSERT_OK(engine_->remove_container(*id, false, true));
  EXPECT_FAILS(engine_->inspect_container(*id), Errc::kNotFound);
}

TEST_P(Contract, CommandsRunInContainers) {
  const Json config{{"Image", kImage}, {"Cmd", {"/bin/sleep", "1000"}}};
  const auto id = engine_->create_container("c2", config);
  ASSERT_OK(id);
  EXPECT_FAILS(engine_->start_exec(*id, {"true"}), Errc::kFailedPrecondition);
  EXPECT_FAILS(engine_->start_exec("no-such-container", {"true"}), Errc::kNotFound);
  EXPECT_FAILS(engine_->inspect_exec("no-such-command"), Errc::kNotFound);
  ASSERT_OK(engine_->start_container(*id));
  for (const auto& [word, code] : {std::pair{"true", 0}, std::pair{"false", 1}}) {
    const auto exec = engine_->start_exec(*id, {word});
    ASSERT_OK(exec);
    EXPECT_TRUE(eventually([&] {
      const auto state = engine_->inspect_exec(*exec);
      return state && !state->running;
    }));
    EXPECT_EQ(engine_->inspect_exec(*exec)->exit_code, code) << word;
  }
  ASSERT_OK(engine_->remove_container(*id, true, true));
}

TEST_P(Contract, EventsBeginWithARelistAndFollow) {
  bool first = true, first_was_relist = false, seen = false;
  const Status ended =
      engine_->events({{"type", {"service"}}},
                      [&](const Event& event) {
                        if (first) {
                          first = false;
                          first_was_relist = event.relist;
                          EXPECT_TRUE(engine_->create_service(service_spec("noted", 0), {}));
                          return true;
                        }
                        EXPECT_EQ(event.type, "service");
                        seen = event.action == "create" && event.attributes.at("name") == "noted";
                        return !seen;
                      },
                      {});
  ASSERT_OK(ended);
  EXPECT_TRUE(first_was_relist);
  EXPECT_TRUE(seen);
  ASSERT_OK(engine_->remove_service("noted"));
}

TEST_P(Contract, EventsEndWhenStopped) {
  std::stop_source stop;
  std::jthread stopper;
  const Status ended = engine_->events(
      {{"type", {"config"}}},
      [&](const Event&) {
        stopper = std::jthread([&] { stop.request_stop(); });
        return true;
      },
      stop.get_token());
  EXPECT_TRUE(ended);
}

// --- the fake alone: what tests do to it

TEST(FakeEngine, TasksMoveWhenTheirNodeGoesDown) {
  fake::FakeEngine engine;
  const std::string worker = engine.add_node("worker-1");
  const auto created = engine.create_service(service_spec("web", 2), {});
  ASSERT_OK(created);
  const auto on_worker = engine.list_tasks({{"node", {worker}}, {"desired-state", {"running"}}});
  ASSERT_OK(on_worker);
  EXPECT_EQ(on_worker->size(), 1u);
  engine.set_node_state(worker, model::NodeState::kDown);
  const auto left = engine.list_tasks({{"node", {worker}}, {"desired-state", {"running"}}});
  ASSERT_OK(left);
  EXPECT_TRUE(left->empty());
  const auto all = engine.list_tasks({{"desired-state", {"running"}}});
  ASSERT_OK(all);
  EXPECT_EQ(all->size(), 2u);
}

TEST(FakeEngine, AFailedTaskIsReplacedUnlessToldNotTo) {
  fake::FakeEngine engine;
  ASSERT_OK(engine.create_service(service_spec("web"), {}));
  const std::string first = engine.list_tasks({})->front().id;
  engine.set_task_state(first, model::TaskState::kFailed, "exit 1");
  EXPECT_EQ(engine.list_tasks({{"desired-state", {"running"}}})->size(), 1u);
  EXPECT_EQ(engine.list_tasks({})->size(), 2u);
  Json once = service_spec("once");
  once["TaskTemplate"]["RestartPolicy"] = {{"Condition", "none"}};
  ASSERT_OK(engine.create_service(once, {}));
  engine.set_task_state(engine.list_tasks({{"service", {"once"}}})->front().id,
                        model::TaskState::kFailed);
  EXPECT_TRUE(engine.list_tasks({{"service", {"once"}}, {"desired-state", {"running"}}})->empty());
}

TEST(FakeEngine, ConstraintsAndGlobalServices) {
  fake::FakeEngine engine;
  engine.add_node("worker-1");
  engine.add_node("worker-2");
  Json everywhere = service_spec("everywhere");
  everywhere["Mode"] = {{"Global", Json::object()}};
  everywhere["TaskTemplate"]["Placement"]["Constraints"] = {"node.role == worker"};
  ASSERT_OK(engine.create_service(everywhere, {}));
  EXPECT_EQ(engine.list_tasks({})->size(), 2u);
  engine.add_node("worker-3");
  EXPECT_EQ(engine.list_tasks({})->size(), 3u);
  Json nowhere = service_spec("nowhere");
  nowhere["TaskTemplate"]["Placement"]["Constraints"] = {"node.labels.gpu == yes"};
  ASSERT_OK(engine.create_service(nowhere, {}));
  const auto waiting = engine.list_tasks({{"service", {"nowhere"}}});
  ASSERT_OK(waiting);
  ASSERT_EQ(waiting->size(), 1u);
  EXPECT_EQ(waiting->front().state, model::TaskState::kPending);
  EXPECT_TRUE(waiting->front().node_id.empty());
}

TEST(FakeEngine, PlannedFailuresHappenOnce) {
  fake::FakeEngine engine;
  engine.fail_next("list_nodes", Error{Errc::kUnavailable, "gone", {}});
  EXPECT_FAILS(engine.list_nodes({}), Errc::kUnavailable);
  EXPECT_TRUE(engine.list_nodes({}));
  EXPECT_EQ(engine.calls(), (std::vector<std::string>{"list_nodes", "list_nodes"}));
}

TEST(FakeEngine, ModifyGivesUpAfterItsBound) {
  fake::FakeEngine engine;
  ASSERT_OK(engine.create_service(service_spec("web", 0), {}));
  engine.fail_next("update_service", Error{Errc::kConflict, "update out of sequence", {}}, 5);
  engine.clear_calls();
  EXPECT_FAILS(modify_service(engine, "web", [](Json&) -> Result<bool> { return true; }),
               Errc::kConflict);
  const auto calls = engine.calls();
  EXPECT_EQ(std::count_if(calls.begin(), calls.end(),
                          [](const auto& call) { return call.rfind("update_service", 0) == 0; }),
            5);
}

TEST(FakeEngine, DroppedEventConnectionsRelist) {
  fake::FakeEngine engine;
  int relists = 0;
  ASSERT_OK(engine.events({},
                          [&](const Event& event) {
                            if (!event.relist) return true;
                            if (++relists == 1) engine.drop_event_connections();
                            return relists < 2;
                          },
                          {}));
  EXPECT_EQ(relists, 2);
}

}  // namespace
}  // namespace hive::engine
