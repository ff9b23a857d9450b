#include "agent/engine_watch.h"

#include <gtest/gtest.h>

#include "base/json.h"

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

}  // namespace
}  // namespace hive::agent
