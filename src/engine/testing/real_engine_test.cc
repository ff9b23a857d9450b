// What only a real engine can show. Run by e2e/test_engine.py, which sets
//   HIVE_E2E_ENGINE    the engine's address; a swarm manager with the image hive-test:1
//   HIVE_E2E_ROOTFS    a root file system archive with a busybox
//   HIVE_E2E_CONTEXT   a build context: FROM scratch, with that archive
//   HIVE_E2E_REGISTRY  address of a registry with user "hive", password "right"
//   HIVE_E2E_CERTIFICATES, HIVE_E2E_TLS_ENGINE  ca, cert, key and other-ca.pem; tcp address
//   HIVE_E2E_MARKER    for the restart: written when the first relist was seen
// Without them the tests are skipped.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "engine/docker/client.h"

namespace hive::engine::docker {
namespace {

#define ASSERT_OK(result) ASSERT_TRUE(result) << describe((result).error())

class RealEngine : public ::testing::Test {
 protected:
  void SetUp() override {
    EngineOptions options;
    const char* host = std::getenv("HIVE_E2E_ENGINE");
    if (host == nullptr) GTEST_SKIP() << "HIVE_E2E_ENGINE is not set";
    options.host = host;
    engine_ = std::move(*connect(options));
  }
  // A container that has run to its end.
  std::string run(const Json& command, bool tty) {
    const auto id =
        engine_->create_container("", {{"Image", "hive-test:1"}, {"Cmd", command}, {"Tty", tty}});
    EXPECT_TRUE(id) << describe(id.error());
    EXPECT_TRUE(engine_->start_container(*id));
    EXPECT_TRUE(engine_->wait_container(*id, Milliseconds(30'000)));
    return *id;
  }
  std::vector<LogLine> log_of(const std::string& id, const LogOptions& options) {
    std::vector<LogLine> lines;
    const Status read = engine_->container_logs(id, options,
                                                [&](LogLine line) {
                                                  lines.push_back(std::move(line));
                                                  return true;
                                                },
                                                {});
    EXPECT_TRUE(read) << describe(read.error());
    return lines;
  }
  std::unique_ptr<Engine> engine_;
};

TEST_F(RealEngine, LogsOfBothKinds) {
  const Json script{"/bin/sh", "-c", "echo out; echo err >&2; echo -n end"};
  const std::string plain = run(script, false);
  LogOptions options;
  options.timestamps = true;
  options.details = true;
  const auto lines = log_of(plain, options);
  ASSERT_EQ(lines.size(), 3u);
  int errors = 0;
  for (const LogLine& line : lines) {
    EXPECT_EQ(line.text.substr(0, 2), "20");
    errors += line.stream == 2 ? 1 : 0;
  }
  EXPECT_EQ(errors, 1);
  const std::string tty = run(script, true);
  const auto raw = log_of(tty, {});
  ASSERT_EQ(raw.size(), 3u);
  EXPECT_EQ(raw[0].text, "out");
  EXPECT_EQ(raw[2].text, "end");
  EXPECT_TRUE(engine_->remove_container(plain, true, true));
  EXPECT_TRUE(engine_->remove_container(tty, true, true));
}

TEST_F(RealEngine, ServiceLogsNameTheirTask) {
  const auto created =
      engine_->create_service({{"Name", "talker"},
                               {"Mode", {{"Replicated", {{"Replicas", 1}}}}},
                               {"TaskTemplate",
                                {{"ContainerSpec",
                                  {{"Image", "hive-test:1"},
                                   {"Command", {"/bin/sh", "-c", "echo hello; exec sleep 1000"}},
                                   {"StopGracePeriod", 1'000'000}}}}}},
                              {});
  ASSERT_OK(created);
  LogOptions options;
  options.follow = true;
  options.details = true;
  LogLine seen;
  ASSERT_OK(engine_->service_logs("talker", options,
                                  [&](LogLine line) {
                                    seen = std::move(line);
                                    return false;
                                  },
                                  {}));
  EXPECT_EQ(seen.text, "hello");
  EXPECT_EQ(seen.details["com.docker.swarm.service.id"], created->id);
  EXPECT_FALSE(seen.details["com.docker.swarm.task.id"].empty());
  ASSERT_OK(engine_->remove_service("talker"));
}

TEST_F(RealEngine, ImagesFromImportToPull) {
  const char* registry = std::getenv("HIVE_E2E_REGISTRY");
  ASSERT_NE(registry, nullptr);
  const std::string name = std::string(registry) + "/app:1";
  const auto imported = engine_->import_image(std::getenv("HIVE_E2E_ROOTFS"), name,
                                              {"CMD [\"/bin/sleep\",\"1000\"]"});
  ASSERT_OK(imported);
  const RegistryAuth good{"hive", "right", registry, ""};
  const RegistryAuth wrong{"hive", "wrong", registry, ""};
  const auto refused = engine_->push_image(name, wrong, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kUnauthenticated) << refused.error().message;
  int steps = 0;
  ASSERT_OK(engine_->push_image(name, good, [&](const PullProgress&) { ++steps; }));
  EXPECT_GT(steps, 0);
  ASSERT_OK(engine_->remove_image(name, true));
  const auto unpullable = engine_->pull_image(name, {}, {});
  ASSERT_FALSE(unpullable);
  EXPECT_EQ(unpullable.error().code, Errc::kUnauthenticated) << unpullable.error().message;
  ASSERT_OK(engine_->pull_image(name, good, {}));
  ASSERT_OK(engine_->inspect_image(name));
  const auto missing = engine_->pull_image(std::string(registry) + "/app:none", good, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kNotFound) << missing.error().message;
}

TEST_F(RealEngine, BuildFromScratchAndCommit) {
  std::string output;
  const auto built = engine_->build_image(std::getenv("HIVE_E2E_CONTEXT"), "hive-built:1",
                                          [&](std::string_view line) { output += line; });
  ASSERT_OK(built);
  EXPECT_EQ(built->rfind("sha256:", 0), 0u);
  EXPECT_NE(output.find("FROM scratch"), std::string::npos);
  const std::string container = run({"/bin/sh", "-c", "echo changed > /tmp/x"}, false);
  const auto image = engine_->commit_container(container, "hive-built:2", {"ENV A=B"});
  ASSERT_OK(image);
  const auto inspected = engine_->inspect_image("hive-built:2");
  ASSERT_OK(inspected);
  EXPECT_EQ(json_string(*inspected, "Id"), *image);
  ASSERT_OK(engine_->remove_container(container, true, true));
}

TEST_F(RealEngine, EventsSurviveARestart) {
  const char* marker = std::getenv("HIVE_E2E_MARKER");
  if (marker == nullptr) GTEST_SKIP() << "HIVE_E2E_MARKER is not set";
  int relists = 0;
  std::stop_source stop;
  std::jthread limit([&stop](const std::stop_token& over) {
    for (int i = 0; i < 600 && !over.stop_requested(); ++i)
      std::this_thread::sleep_for(Milliseconds(100));
    stop.request_stop();
  });
  ASSERT_OK(engine_->events(
      {},
      [&](const Event& event) {
        if (!event.relist) return true;
        if (++relists == 1) std::ofstream(marker) << "seen\n";
        return relists < 2;
      },
      stop.get_token()));
  EXPECT_EQ(relists, 2);
}

// The engine over TCP with mutual TLS; its certificate's subject has OU=swarm-manager and no host
// name, as Swarm's own node certificates.
class RealTls : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* certificates = std::getenv("HIVE_E2E_CERTIFICATES");
    if (certificates == nullptr) GTEST_SKIP() << "HIVE_E2E_CERTIFICATES is not set";
    const std::string folder = certificates;
    tls_ = {folder + "/ca.pem", folder + "/cert.pem", folder + "/key.pem", "swarm-manager"};
    other_ca_ = folder + "/other-ca.pem";
  }
  Errc outcome(const net::TlsOptions& tls) {
    EngineOptions options;
    options.host = std::getenv("HIVE_E2E_TLS_ENGINE");
    options.tls = tls;
    const auto answer = (*connect(options))->list_nodes({});
    if (answer) return Errc::kInternal;  // stands for success here
    return answer.error().code;
  }
  net::TlsOptions tls_;
  std::string other_ca_;
};

TEST_F(RealTls, ChainAndOuAreChecked) {
  EXPECT_EQ(outcome(tls_), Errc::kInternal);
  net::TlsOptions wrong_ou = tls_;
  wrong_ou.required_peer_ou = "swarm-worker";
  EXPECT_EQ(outcome(wrong_ou), Errc::kUnauthenticated);
  net::TlsOptions by_name = tls_;
  by_name.required_peer_ou.clear();  // its certificate has no host name
  EXPECT_EQ(outcome(by_name), Errc::kUnauthenticated);
  net::TlsOptions wrong_ca = tls_;
  wrong_ca.ca_file = other_ca_;
  EXPECT_EQ(outcome(wrong_ca), Errc::kUnauthenticated);
  net::TlsOptions nobody = tls_;
  nobody.certificate_file.clear();
  nobody.key_file.clear();
  EXPECT_EQ(outcome(nobody), Errc::kUnauthenticated);
}

}  // namespace
}  // namespace hive::engine::docker
