#include "agent/engine_watch.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/json.h"
#include "engine/fake/fake_engine.h"

namespace hive::agent {
namespace {

// As Docker 20.10 answers GET /info; the commit is what the init says of itself with --version.
TEST(EngineInit, IsKnownByWhatItSaysAndNotByItsPath) {
  EXPECT_EQ(init_from_info({{"InitBinary", "/usr/local/bin/hive-init"},
                            {"InitCommit", {{"ID", "hive-init-1"}, {"Expected", "de40ad0"}}}}),
            "hive-init");
  EXPECT_EQ(init_from_info(
                {{"InitBinary", "/usr/local/bin/hive-init"}, {"InitCommit", {{"ID", "de40ad0"}}}}),
            "/usr/local/bin/hive-init");
  EXPECT_EQ(init_from_info({{"InitBinary", "docker-init"}, {"InitCommit", {{"ID", ""}}}}),
            "docker-init");
}

TEST(EngineInit, AnEngineThatSaysNothingHasDockersOwn) {
  EXPECT_EQ(init_from_info(Json::object()), "docker-init");
}

TEST(ContainerFromJson, RefusesOneThatDoesNotRunAndOneOfNoTask) {
  EXPECT_EQ(container_from_json({{"Id", "c"}, {"State", {{"Running", false}}}}).error().code,
            Errc::kFailedPrecondition);
  EXPECT_EQ(
      container_from_json({{"Id", "c"}, {"State", {{"Running", true}, {"Pid", 7}}}}).error().code,
      Errc::kCorrupt);
}

TEST(ContainerFromJson, ReadsStopSignalAndPorts) {
  const Json inspected = Json::parse(R"({"Id": "c", "State": {"Running": true, "Pid": 7},
    "Config": {"StopSignal": "SIGQUIT", "Labels": {"com.docker.swarm.task.id": "t"}},
    "HostConfig": {"PortBindings": {"8080/tcp": [], "53/udp": []}}})");
  const auto info = container_from_json(inspected);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->stop_signal, "SIGQUIT");
  EXPECT_EQ(info->ports, std::vector<std::uint16_t>{8080});
}

// --- the thread, on an engine in memory

class WatchTest : public testing::Test {
 protected:
  WatchTest() {
    engine_.add_image("web:1");
    id_ = engine_
              .create_container("web.1", {{"Image", "web:1"},
                                          {"Labels", {{"com.docker.swarm.task.id", "task-1"}}}})
              .value();
    EXPECT_TRUE(engine_.start_container(id_));
    watch_ = std::jthread(
        [this](const std::stop_token& stop) { watch_engine(engine_, mailbox_, stop); });
  }
  // What the thread posts after `what`, up to the next list of running containers. It comes in
  // parts: an event first, then the two lists.
  Mail list_after(const std::function<void()>& what) {
    what();
    Mail all;
    for (int i = 0; i < 100; ++i) {
      Mail mail = mailbox_.take(Milliseconds(1'000));
      for (auto& event : mail.events) all.events.push_back(std::move(event));
      if (mail.containers) all.containers = std::move(mail.containers);
      if (mail.running) all.running = std::move(mail.running);
      if (all.containers && all.running) return all;
    }
    ADD_FAILURE() << "no list was posted";
    all.containers.emplace();
    all.running.emplace();
    return all;
  }

  engine::fake::FakeEngine engine_;
  Mailbox mailbox_;
  std::string id_;
  std::jthread watch_;
};

TEST_F(WatchTest, BeginsWithWhatRuns) {
  const Mail mail = list_after([] {});
  ASSERT_EQ(mail.running->size(), 1U);
  EXPECT_EQ(mail.running->front().task_id, "task-1");
}

// Nothing may tell of the container's end again: taken for a running one, it would hold up the
// drain of its node for ever.
TEST_F(WatchTest, AContainerWhoseEndTheListDoesNotKnowYetHasEnded) {
  ASSERT_EQ(list_after([] {}).running->size(), 1U);
  engine_.keep_list_stale(true);
  const Mail mail = list_after([this] { ASSERT_TRUE(engine_.stop_container(id_, {})); });
  EXPECT_TRUE(mail.running->empty());
  ASSERT_EQ(mail.containers->size(), 1U);
  EXPECT_EQ(mail.containers->front().state, "exited");
  ASSERT_EQ(mail.events.size(), 1U);
  EXPECT_EQ(mail.events.front().action, "die");
}

}  // namespace
}  // namespace hive::agent
