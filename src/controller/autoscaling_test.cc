// Autoscaling over a Swarm in memory: looks, agents' reports and the operations are put together as
// the controller does, a second a turn.
#include "controller/autoscaling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "cloud/fake/fake_cloud.h"
#include "engine/fake/fake_engine.h"
#include "model/autoscale.h"
#include "net/testing/scripted_server.h"

namespace hive::controller {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr const char* kPolicy = R"({"min":2,"max":8,"target":{"requests_per_replica":50}})";

// One manager's operations and autoscaling over a swarm that several may share.
struct Manager {
  Manager(engine::Engine& engine, ManualClock& clock, const AutoscalingOptions& options)
      : operations({engine, [] { return fail(Errc::kUnsupported, "no cloud"); }}, clock, history,
                   executor, operation_kinds(), Random(1)),
        autoscaling({engine, [] { return fail(Errc::kUnsupported, "no cloud"); }}, operations,
                    clock, history, executor, options) {}

  store::History history{""};
  ManualExecutor executor;
  Operations operations;
  Autoscaling autoscaling;
};

class AutoscalingTest : public ::testing::Test {
 protected:
  AutoscalingTest()
      : directory_(fs::temp_directory_path() / ("hive-scaling-" + std::to_string(::getpid()))) {
    fs::remove_all(directory_);
    for (const char* name : {"w1", "w2"}) engine_.add_node(name);
    new_manager();
  }
  ~AutoscalingTest() override {
    manager_.reset();
    fs::remove_all(directory_);
  }

  void deploy(const std::string& policy, int replicas = 2, const std::string& name = "shop_web") {
    const Json spec = {{"Name", name},
                       {"Labels",
                        {{kHiveLabel, R"({"autoscale":)" + policy + "}"},
                         {kListenersLabel, R"([{"port":80,"target":8080}])"}}},
                       {"TaskTemplate",
                        {{"ContainerSpec", {{"Image", "shop:1"}}},
                         {"Resources", {{"Reservations", {{"NanoCPUs", 1'000'000'000}}}}}}},
                       {"Mode", {{"Replicated", {{"Replicas", replicas}}}}}};
    ASSERT_TRUE(engine_.create_service(spec, {}));
  }
  void deploy_many(int services) {
    for (int i = 0; i < services; ++i) deploy(kPolicy, 2, "shop_w" + std::to_string(i));
  }
  Json service() { return *engine_.inspect_service("shop_web"); }
  int replicas() { return static_cast<int>(json_int(service(), "Spec.Mode.Replicated.Replicas")); }
  std::string paused() {
    const Json labels = service()["Spec"]["Labels"];
    const Json* why = json_member(labels, model::kAutoscalePausedLabel);
    return why == nullptr ? std::string() : why->get<std::string>();
  }
  void by_hand(int to) {
    ASSERT_TRUE(engine::modify_service(engine_, "shop_web", [&](Json& spec) -> Result<bool> {
      spec["Mode"]["Replicated"]["Replicas"] = to;
      return true;
    }));
  }

  std::shared_ptr<World> look() {
    auto world = std::make_shared<World>();
    world->snapshot.taken_at = clock_.now();
    world->snapshot.self_is_leader = true;
    world->now_unix_ms =
        std::chrono::duration_cast<Milliseconds>(clock_.wall_now().time_since_epoch()).count();
    const auto nodes = engine_.list_nodes({});
    const auto services = engine_.list_services({});
    const auto tasks = engine_.list_tasks({});
    for (const auto& node : *nodes) world->snapshot.nodes[node.id] = node;
    for (const auto& one : *services) {
      world->snapshot.services[one.id] = one;
      world->snapshot.services[one.id].update_state = update_state_;
    }
    for (const auto& task : *tasks) {
      model::Task& one = world->snapshot.tasks[task.id] = task;
      // Each was ordered five seconds before it was seen to run.
      one.state_since_unix_ms = first_seen_.emplace(task.id, world->now_unix_ms).first->second;
      one.created_unix_ms = one.state_since_unix_ms - 5'000;
    }
    report(*world);
    return world;
  }
  // Each node's agent: its containers, and an even share of the requests.
  void report(World& world) const {
    std::size_t running = 0;
    for (const auto& [id, task] : world.snapshot.tasks)
      if (task.state == model::TaskState::kRunning) ++running;
    if (silent_) return;
    for (const auto& [id, node] : world.snapshot.nodes) {
      world.reports[id].node_id = id;
      world.reported_at[id] = clock_.now();
    }
    double left = requests_;
    for (const auto& [id, task] : world.snapshot.tasks) {
      if (task.state != model::TaskState::kRunning) continue;
      auto& agent = world.reports[task.node_id];
      agent.containers.push_back(
          {id, "c" + id, "running", flapping_ ? "unhealthy" : "healthy", "tini", {}});
      const auto rate = std::floor(left / static_cast<double>(running--));
      left -= rate;
      model::EndpointStats stats;
      stats.task_id = id;
      stats.rate = static_cast<std::uint32_t>(rate);
      agent.stats.push_back(stats);
      agent.usage.push_back({id, static_cast<std::uint64_t>(rate * cpu_ms_), 0, 0});
    }
  }
  void turn(int seconds = 1) {
    for (int i = 0; i < seconds; ++i) {
      clock_.advance(Milliseconds(1'000));
      const auto world = look();
      manager_->autoscaling.step(*world);
      manager_->operations.step(world, *manager_->operations.read());
      manager_->executor.run();
    }
  }
  // Where workers follow: as many CPUs on each node, and so long until another joins.
  void turn_with_workers(int seconds, int cpus) {
    for (int i = 0; i < seconds; ++i) {
      clock_.advance(Milliseconds(1'000));
      const auto world = look();
      for (auto& [id, node] : world->snapshot.nodes) node.nano_cpus = cpus * 1'000'000'000LL;
      manager_->autoscaling.step(*world, 60.0);
      manager_->operations.step(world, *manager_->operations.read());
      manager_->executor.run();
    }
  }
  void new_manager(AutoscalingOptions options = {}) {
    options.directory = directory_;
    manager_ = std::make_unique<Manager>(engine_, clock_, options);
  }
  Json status() { return *manager_->autoscaling.get("web"); }
  std::string reason() { return json_string(status(), "reason"); }
  // Autoscaled services by the upper bound that they are decided with.
  std::map<int, int> by_max() {
    std::map<int, int> out;
    for (const Json& one : manager_->autoscaling.list()) ++out[one["policy"]["max"].get<int>()];
    return out;
  }
  long files() { return std::distance(fs::directory_iterator(directory_), {}); }
  std::vector<std::string> told(const std::string& kind) {
    std::vector<std::string> out;
    for (const auto& event : manager_->history.list(0, 1'000))
      if (event.kind == kind) out.push_back(event.reason);
    return out;
  }
  void ask(const std::string& kind, Json request) {
    request["service"] = "shop_web";
    const auto created = manager_->operations.create({"", kind, "root on m1", request});
    ASSERT_TRUE(created) << created.error().message;
  }

  const fs::path directory_;
  ManualClock clock_;
  engine::fake::FakeEngine engine_;
  std::unique_ptr<Manager> manager_;
  double requests_ = 0;
  double cpu_ms_ = 1;  // of CPU, a request
  bool silent_ = false;
  bool flapping_ = false;  // every container is unhealthy
  std::string update_state_;
  std::map<std::string, std::int64_t> first_seen_;
};

TEST_F(AutoscalingTest, FollowsTheLoadOutAndIn) {
  deploy(kPolicy);
  requests_ = 40;
  turn(120);
  EXPECT_EQ(replicas(), 2);
  requests_ = 290;
  turn(10);
  EXPECT_GE(replicas(), 6) << reason();
  EXPECT_LE(replicas(), 8);
  EXPECT_THAT(told("autoscale_out"),
              Contains(AllOf(HasSubstr("2 -> "), HasSubstr("290 requests/s now"))));
  EXPECT_EQ(json_string(status(), "state"), "active");
  requests_ = 20;
  turn(1'800);
  EXPECT_EQ(replicas(), 2) << reason();
  EXPECT_THAT(told("autoscale_in"), Not(IsEmpty()));
  EXPECT_THAT(told("scale_begun"), Contains(HasSubstr(kAutoscalerName)))
      << "as `hive service scale` does it";
  EXPECT_EQ(paused(), "");
}

TEST_F(AutoscalingTest, NeverAboveMaxNorBelowMin) {
  deploy(kPolicy, 1);
  turn();
  EXPECT_EQ(replicas(), 2) << "also before anything is known";
  requests_ = 10'000;
  turn(30);
  EXPECT_EQ(replicas(), 8);
}

TEST_F(AutoscalingTest, WhereWorkersFollowOnlyWhatFitsIsWritten) {
  deploy(kPolicy);
  turn_with_workers(70, 1);
  requests_ = 390;
  turn_with_workers(5, 1);
  EXPECT_EQ(replicas(), 3) << "there are three nodes";
  EXPECT_EQ(json_int(status(), "waiting"), 5);
  EXPECT_EQ(manager_->autoscaling.wants().begin()->second, 8);
  EXPECT_THAT(told("autoscale_out"), ElementsAre(HasSubstr("(5 more wait for room on the nodes)")));
  turn_with_workers(30, 1);
  EXPECT_EQ(told("autoscale_out").size(), 1U) << "it is told once";
  engine_.add_node("w3");
  update_state_ = "updating";
  turn_with_workers(5, 1);
  EXPECT_EQ(replicas(), 3) << "nothing is written during a rollout";
  update_state_.clear();
  turn_with_workers(3, 1);
  EXPECT_EQ(replicas(), 4);
  EXPECT_THAT(told("autoscale_out"), Contains(HasSubstr("3 -> 4: a node has room")));
  requests_ = 20;
  turn_with_workers(1'800, 1);
  EXPECT_EQ(replicas(), 2);
  EXPECT_EQ(json_int(status(), "waiting"), 0);
  EXPECT_EQ(manager_->autoscaling.wants().begin()->second, 2);
  EXPECT_EQ(paused(), "");
}

TEST_F(AutoscalingTest, APersonsNumberWaitsForNothing) {
  deploy(kPolicy);
  turn_with_workers(70, 1);
  requests_ = 390;
  turn_with_workers(5, 1);
  ask("autoscale", {{"paused", true}});
  turn_with_workers(12, 1);
  EXPECT_EQ(json_int(status(), "waiting"), 0);
  EXPECT_THAT(manager_->autoscaling.wants(), IsEmpty());
}

TEST_F(AutoscalingTest, ASchedulesBoundsAreTakenAtOnce) {
  deploy(kPolicy);
  requests_ = 390;
  turn(80);
  ASSERT_EQ(replicas(), 8);
  ASSERT_TRUE(engine::modify_service(engine_, "shop_web", [&](Json& spec) -> Result<bool> {
    spec["Labels"][kHiveLabel] =
        R"({"autoscale":{"min":2,"max":8,"schedules":[{"cron":"* * * * *","duration":"1h",)"
        R"("zone":"Asia/Seoul","max":3}],"target":{"requests_per_replica":50}}})";
    return true;
  }));
  turn(8);
  EXPECT_EQ(replicas(), 3) << reason();
  EXPECT_THAT(told("autoscale_in"), Contains("8 -> 3: a schedule asks for 2 to 3"));
}

TEST_F(AutoscalingTest, AWriteThatCameTooLateIsDecidedAnew) {
  deploy(kPolicy);
  turn(70);
  engine_.fail_next("update_service", Error{Errc::kConflict, "update out of sequence", {}}, 2);
  requests_ = 390;
  turn(1);
  EXPECT_EQ(replicas(), 2);
  turn(10);
  EXPECT_EQ(replicas(), 8);
  EXPECT_THAT(told("autoscale_out"), Not(IsEmpty()));
  EXPECT_EQ(json_string(status(), "trouble"), "");
}

TEST_F(AutoscalingTest, TwoLooksOfOneSecondAreOne) {
  deploy(kPolicy);
  turn(70);
  requests_ = 390;
  turn(1);
  requests_ = 10;
  clock_.advance(Milliseconds(1));
  const auto world = look();
  manager_->autoscaling.step(*world);
  EXPECT_EQ(manager_->executor.waiting(), 0U);
  EXPECT_EQ(status()["signals"]["requests"]["value"], 390);
}

TEST_F(AutoscalingTest, LooksALittleEarlyOrLateAreOfASecondEach) {
  deploy(kPolicy);
  clock_.jump_wall(Milliseconds(200));  // monotonic seconds begin where looks do
  turn();
  const auto looks = [&] {
    for (const int after : {995, 1'010, 990, 1'004, 1'001, 1'000}) {
      ++requests_;
      clock_.advance(Milliseconds(after));
      manager_->autoscaling.step(*look());
      EXPECT_EQ(status()["signals"]["requests"]["value"], requests_) << after;
    }
  };
  looks();
  clock_.jump_wall(Milliseconds(200));  // somebody sets the clock, and looks begin with it
  clock_.advance(Milliseconds(800));
  manager_->autoscaling.step(*look());
  looks();
}

TEST_F(AutoscalingTest, DockersOwnScaleIsRespected) {
  deploy(kPolicy);
  turn(70);
  by_hand(5);
  turn(2);
  EXPECT_THAT(paused(), HasSubstr("from 2 to 5, not by hive"));
  EXPECT_THAT(told("autoscale_paused"), Contains(HasSubstr("hive autoscale resume shop_web")));
  requests_ = 400;
  turn(100);
  EXPECT_EQ(replicas(), 5);
  EXPECT_EQ(json_string(status(), "state"), "paused");
  ask("autoscale", {{"paused", false}});
  turn(12);
  EXPECT_EQ(paused(), "");
  EXPECT_EQ(replicas(), 8);
}

// Replicas are taken away, by an operation that has just begun.
class OperationBetweenLooks : public AutoscalingTest {
 protected:
  void SetUp() override {
    deploy(kPolicy);
    requests_ = 400;
    turn(100);
    before_ = replicas();
    ASSERT_GT(before_, 2);
    requests_ = 0;
    for (int i = 0; i < 3'000 && !under_way(); ++i) turn();
    ASSERT_TRUE(under_way());
    ASSERT_EQ(replicas(), before_);
  }
  bool under_way() {
    return manager_->operations.holders().contains(service_claim(json_string(service(), "ID")));
  }
  // Without a look of the autoscaler.
  void end_operation() {
    for (int i = 0; i < 300 && (i == 0 || under_way()); ++i) {
      clock_.advance(Milliseconds(200));
      manager_->operations.step(look(), *manager_->operations.read());
      manager_->executor.run();
    }
    ASSERT_FALSE(under_way());
    ASSERT_LT(replicas(), before_);
  }
  int before_ = 0;
};

TEST_F(OperationBetweenLooks, IsNoHandThoughTheNextLeaderSawItOnlyEnd) {
  new_manager();
  clock_.advance(Milliseconds(1'000));
  manager_->autoscaling.step(*look());  // the operations are not read yet
  end_operation();
  turn(5);
  EXPECT_EQ(paused(), "");
}

TEST_F(OperationBetweenLooks, AHandAfterItsEndIsNoticed) {
  end_operation();
  turn(5);
  by_hand(before_ + 1);
  turn(2);
  EXPECT_THAT(paused(), HasSubstr("to " + std::to_string(before_ + 1) + ", not by hive"));
}

TEST_F(AutoscalingTest, HivesOwnScaleByAPersonPausesToo) {
  deploy(kPolicy);
  turn(70);
  ask("scale", {{"replicas", 4}});
  turn(8);
  EXPECT_EQ(replicas(), 4);
  EXPECT_EQ(paused(), "scaled to 4 by root on m1");
  requests_ = 400;
  turn(70);
  EXPECT_EQ(replicas(), 4);
  EXPECT_THAT(told("autoscale_out"), IsEmpty());
}

TEST_F(AutoscalingTest, PauseOutlivesTheLeader) {
  deploy(kPolicy);
  turn(70);
  ask("autoscale", {{"paused", true}, {"reason", "tonight's tests"}});
  turn(3);
  EXPECT_EQ(paused(), "by root on m1: tonight's tests");
  manager_->autoscaling.rest();
  new_manager();
  requests_ = 400;
  turn(100);
  EXPECT_EQ(replicas(), 2);
  EXPECT_EQ(json_string(status(), "state"), "paused");
}

TEST_F(AutoscalingTest, ADeployThatBringsItIntoNewBoundsIsNoHand) {
  deploy(kPolicy);
  requests_ = 390;
  turn(80);
  ASSERT_EQ(replicas(), 8);
  ASSERT_TRUE(engine::modify_service(engine_, "shop_web", [&](Json& spec) -> Result<bool> {
    spec["Labels"][kHiveLabel] =
        R"({"autoscale":{"min":2,"max":5,"target":{"requests_per_replica":50}}})";
    spec["Mode"]["Replicated"]["Replicas"] = 5;
    return true;
  }));
  turn(3);
  EXPECT_EQ(paused(), "");
  EXPECT_EQ(replicas(), 5);
}

TEST_F(AutoscalingTest, NothingIsWrittenDuringARollout) {
  deploy(kPolicy);
  turn(70);
  update_state_ = "updating";
  requests_ = 400;
  turn(50);
  EXPECT_EQ(replicas(), 2);
  EXPECT_THAT(reason(), HasSubstr("a rollout is under way"));
  update_state_ = "completed";
  turn(10);
  EXPECT_EQ(replicas(), 8);
}

TEST_F(AutoscalingTest, OtherOperationsAreWaitedFor) {
  deploy(kPolicy);
  turn(70);
  // It waits for the update, which Swarm alone can end, and holds the service.
  update_state_ = "updating";
  turn();
  ask("autoscale", {{"paused", true}});
  turn(2);
  const auto operations = manager_->operations.list();
  ASSERT_EQ(operations.size(), 1U);
  requests_ = 400;
  turn(3);
  EXPECT_EQ(replicas(), 2);
}

TEST_F(AutoscalingTest, OldSignalsHoldTheNumber) {
  deploy(kPolicy);
  requests_ = 390;
  turn(80);
  ASSERT_EQ(replicas(), 8);
  silent_ = true;
  requests_ = 0;
  turn(600);
  EXPECT_EQ(replicas(), 8);
  EXPECT_THAT(reason(), HasSubstr("no fresh signal"));
  EXPECT_EQ(json_string(status(), "state"), "held");
}

// What the balancer says counts for minutes; older, it holds the number.
TEST_F(AutoscalingTest, FollowsTheBalancerAndHoldsWithoutIt) {
  deploy(R"({"min":2,"max":8,"target":{"metrics":[)"
         R"({"name":"elb","per_replica":50,"cloudwatch":"RequestCount"}]}})");
  cloud::fake::FakeCloud cloud;
  cloud.figures.emplace();
  BalancerWatch watch(
      [&cloud]() -> Result<std::unique_ptr<cloud::Cloud>> { return cloud.client(); }, clock_);
  manager_->autoscaling.attach(watch);
  // Told of two minutes ago at each time that it is asked.
  std::optional<double> said = 90;
  const auto turns = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) {
      cloud.figures->clear();
      const auto now =
          std::chrono::duration_cast<Milliseconds>(clock_.wall_now().time_since_epoch());
      if (said)
        (*cloud.figures)[cloud::BalancerFigure::kRequests] = {*said, now.count() - 120'000, true,
                                                              ""};
      turn();
      watch.look();
    }
  };
  turns(240);
  EXPECT_EQ(replicas(), 2) << reason();
  said = 395;
  turns(90);
  EXPECT_EQ(replicas(), 8) << reason();
  EXPECT_THAT(told("autoscale_out"), Contains(HasSubstr("395 elb 12")));
  EXPECT_THAT(told("autoscale_out"), Contains(HasSubstr("s ago")));
  EXPECT_TRUE(status()["signals"]["metrics"][0]["fresh"].get<bool>());
  EXPECT_GE(status()["signals"]["metrics"][0]["age_s"].get<double>(), 120);
  const auto asked = cloud.figures_asked.size();
  EXPECT_LE(asked, 7U) << "once a minute";
  said.reset();
  turns(900);
  EXPECT_EQ(replicas(), 8);
  const Json held = status();
  EXPECT_EQ(json_string(held, "state"), "held") << reason();
  EXPECT_FALSE(held["signals"]["metrics"][0]["fresh"].get<bool>());
  EXPECT_EQ(held["signals"]["metrics"][0]["trouble"], "it was not measured");
  said = 20;
  // What one burst in its first minutes is worth to a service is learned, for an hour or less.
  for (int minute = 0; minute < 60 && replicas() > 2; ++minute) turns(60);
  EXPECT_EQ(replicas(), 2) << reason();
  manager_->autoscaling.rest();
  EXPECT_EQ(watch.read(cloud::BalancerFigure::kRequests).value, std::nullopt);
  const auto before = cloud.figures_asked.size();
  clock_.advance(Milliseconds(600'000));
  watch.look();
  EXPECT_EQ(cloud.figures_asked.size(), before) << "another asks now";
}

// A figure of the application's own, by a query: what it says is followed, and its silence holds.
TEST_F(AutoscalingTest, FollowsAFigureAndHoldsWithoutIt) {
  using net::testing::Reply;
  std::string value = "40";  // empty: the server says nothing and hangs up
  net::testing::ScriptedServer server(
      net::testing::ScriptedServer::Kind::kTcp, [&](const net::testing::ScriptedRequest&) {
        return value.empty()
                   ? Reply{{}, Reply::Then::kClose}
                   : net::testing::json_answer(
                         200, R"({"status":"success","data":{"resultType":"scalar","result":[1,")" +
                                  value + "\"]}}");
      });
  deploy(R"({"min":2,"max":8,"target":{"metrics":[{"name":"jobs","per_replica":50,"query":"q",)"
         R"("server":"http://127.0.0.1:)" +
         std::to_string(server.port()) + "\"}]}}");
  MetricWatch watch(clock_);
  manager_->autoscaling.attach(watch);
  const auto turns = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) {
      turn();
      watch.look();
    }
  };
  turns(60);
  EXPECT_EQ(replicas(), 2);
  value = "395";
  turns(20);
  EXPECT_EQ(replicas(), 8) << reason();
  EXPECT_THAT(told("autoscale_out"), Contains(HasSubstr("395 jobs now")));
  EXPECT_EQ(status()["signals"]["metrics"][0]["value"], 395);
  EXPECT_GT(json_int(status(), "scaled_out"), 0);
  value = "";
  turns(600);
  EXPECT_EQ(replicas(), 8);
  const Json held = status();
  EXPECT_EQ(json_string(held, "state"), "held") << reason();
  EXPECT_FALSE(held["signals"]["metrics"][0]["fresh"].get<bool>());
  EXPECT_THAT(held["signals"]["metrics"][0]["trouble"].get<std::string>(), HasSubstr("GET http"));
  value = "20";
  turns(1'800);
  EXPECT_EQ(replicas(), 2) << reason();
  EXPECT_GT(json_int(status(), "scaled_in"), 0);
  manager_->autoscaling.rest();
  EXPECT_EQ(watch
                .read({"http://127.0.0.1:" + std::to_string(server.port()),
                       "/api/v1/query?query=q",
                       "",
                       {}})
                .value,
            std::nullopt)
      << "who does not act asks nobody";
}

TEST_F(AutoscalingTest, ADryRunOnlyTells) {
  deploy(R"({"min":2,"max":8,"target":{"requests_per_replica":50},"dry_run":true})");
  turn(70);
  engine_.clear_calls();
  requests_ = 390;
  turn(10);
  EXPECT_EQ(replicas(), 2);
  EXPECT_THAT(engine_.calls(), Not(Contains(HasSubstr("update_service"))));
  const auto would = told("autoscale_dry_run");
  ASSERT_FALSE(would.empty());
  EXPECT_LE(would.size(), 5U) << "each change once, not each second";
  EXPECT_THAT(would.front(), HasSubstr("it would: 2 -> "));
  EXPECT_EQ(json_string(status(), "state"), "dry-run");
  requests_ = 0;
  turn(1'800);
  EXPECT_THAT(told("autoscale_dry_run").back(), HasSubstr("-> 2"));
  by_hand(3);
  turn(3);
  EXPECT_EQ(paused(), "") << "it is the person's anyway";
}

TEST_F(AutoscalingTest, WhatWasLearnedSurvives) {
  deploy(R"({"min":2,"max":8})");
  cpu_ms_ = 10;  // 100 requests a second fill a core
  requests_ = 100;
  turn(120);
  const double learned = status()["capacity"].get<double>();
  EXPECT_NEAR(learned, 80, 1) << "80 % of what fills it";
  manager_->autoscaling.rest();
  new_manager();
  turn(1);
  EXPECT_NEAR(status()["capacity"].get<double>(), learned, 1);
  EXPECT_TRUE(status()["lead_measured"].get<bool>());
  requests_ = 500;
  turn(70);
  EXPECT_GE(replicas(), 6);
}

// It does not start anew, and says nothing of how long a start takes.
TEST_F(AutoscalingTest, ATaskThatIsHealthyAgainTellsNothingOfTheLeadTime) {
  deploy(kPolicy);
  turn(600);
  const double before = status()["lead_s"].get<double>();
  flapping_ = true;
  turn(2);
  EXPECT_EQ(status()["ready"], 0);
  flapping_ = false;
  turn(2);
  EXPECT_EQ(status()["ready"], 2);
  EXPECT_DOUBLE_EQ(status()["lead_s"].get<double>(), before);
}

TEST_F(AutoscalingTest, ManyNewServicesAreTakenUpAFewAStep) {
  deploy_many(25);
  turn();
  EXPECT_THAT(by_max(), ElementsAre(Pair(8, 10)));
  turn();
  EXPECT_THAT(by_max(), ElementsAre(Pair(8, 20)));
  turn();
  EXPECT_THAT(by_max(), ElementsAre(Pair(8, 25)));
}

TEST_F(AutoscalingTest, ManyChangedPoliciesFollowAFewAStepAndTheOthersGoOnAsTheyWere) {
  deploy_many(12);
  turn(2);
  const auto services = engine_.list_services({});
  for (const auto& one : *services)
    ASSERT_TRUE(engine::modify_service(engine_, one.name, [](Json& spec) -> Result<bool> {
      spec["Labels"][kHiveLabel] = R"({"autoscale":{"min":2,"max":9}})";
      return true;
    }));
  turn();
  EXPECT_THAT(by_max(), ElementsAre(Pair(8, 2), Pair(9, 10)));
  turn();
  EXPECT_THAT(by_max(), ElementsAre(Pair(9, 12)));
}

// Services without a policy take nothing of what a step may read, once they were read.
TEST_F(AutoscalingTest, ServicesWithoutAPolicyKeepNoOtherWaiting) {
  for (int i = 0; i < 30; ++i) {
    const std::string name = "a" + std::to_string(i);
    deploy(kPolicy, 2, name);
    ASSERT_TRUE(engine::modify_service(engine_, name, [&](Json& spec) -> Result<bool> {
      spec["Labels"][kHiveLabel] =
          R"({"drain":{"pre_stop":"/bin/true )" + std::to_string(i) + R"("}})";
      return true;
    }));
  }
  turn(3);
  EXPECT_THAT(by_max(), IsEmpty());
  deploy_many(10);
  turn();
  EXPECT_THAT(by_max(), ElementsAre(Pair(8, 10)));
}

TEST_F(AutoscalingTest, WhatWasLearnedOfServicesNotTakenUpYetIsKept) {
  deploy_many(25);
  turn(3);
  manager_->autoscaling.rest();
  ASSERT_EQ(files(), 25);
  new_manager({.save_every = Milliseconds(1)});
  turn(2);
  EXPECT_EQ(files(), 25);
}

TEST_F(AutoscalingTest, ABrokenFileIsOnlyANewBeginning) {
  deploy(kPolicy);
  turn(10);
  manager_->autoscaling.rest();
  for (const auto& file : fs::directory_iterator(directory_))
    fs::resize_file(file.path(), fs::file_size(file.path()) / 2);
  new_manager();
  requests_ = 390;
  turn(15);
  EXPECT_EQ(replicas(), 8);
}

TEST_F(AutoscalingTest, WithoutTargetsNothingIsKnownAtFirst) {
  deploy(R"({"min":2,"max":8})");
  cpu_ms_ = 0;
  requests_ = 100;
  turn(20);
  EXPECT_EQ(replicas(), 2);
  EXPECT_THAT(reason(), HasSubstr("it is not known yet what a replica can carry"));
  turn(60);
  EXPECT_EQ(replicas(), 2);
  EXPECT_EQ(json_string(status(), "state"), "active") << "that many open requests went well";
}

TEST_F(AutoscalingTest, WhoDoesNotActForgetsWhatItSaw) {
  deploy(kPolicy);
  turn(70);
  manager_->autoscaling.rest();
  EXPECT_EQ(manager_->autoscaling.list(), Json::array());
  EXPECT_FALSE(manager_->autoscaling.get("web"));
}

class AutoscalingFaults : public AutoscalingTest, public ::testing::WithParamInterface<int> {
 protected:
  void something(Random& random) {
    switch (random.below(14)) {
      case 0:
        return engine_.fail_next("update_service", {Errc::kConflict, "out of sequence", {}});
      case 1:
        return engine_.fail_next("create_config", {Errc::kUnavailable, "no quorum", {}});
      case 2:
        silent_ = !silent_;
        return;
      case 3:
        update_state_ = update_state_.empty() ? "updating" : "";
        return;
      case 4:  // the leader dies, or only loses the lead
        if (random.below(2) == 0) manager_->autoscaling.rest();
        manager_->executor.drop();
        return new_manager();
      case 5:
        return clock_.jump_wall(
            Milliseconds(static_cast<std::int64_t>(random.below(60'000)) - 30'000));
      default:
        requests_ = static_cast<double>(random.below(600));
    }
  }
};

// Faults of all kinds, then none: bounds hold throughout, and in the end the size is right.
TEST_P(AutoscalingFaults, NeverLeadOutOfTheBounds) {
  Random random(static_cast<std::uint64_t>(GetParam()));
  deploy(kPolicy);
  for (int i = 0; i < 150; ++i) {
    something(random);
    turn(static_cast<int>(random.below(20)));
    ASSERT_GE(replicas(), 2) << "at " << i;
    ASSERT_LE(replicas(), 8) << "at " << i;
  }
  EXPECT_EQ(paused(), "") << "nobody touched it by hand";
  silent_ = false;
  update_state_.clear();
  requests_ = 290;
  turn(600);
  EXPECT_GE(replicas(), 6) << reason();
  EXPECT_LE(replicas(), 8) << reason();
}

INSTANTIATE_TEST_SUITE_P(Seeds, AutoscalingFaults, ::testing::Range(1, 9));

}  // namespace
}  // namespace hive::controller
