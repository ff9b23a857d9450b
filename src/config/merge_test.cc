#include "config/test_support.h"

namespace hive::config {
namespace {

using Strings = std::vector<std::string>;

Loaded merged(const std::string& a, const std::string& b) {
  const std::string head = "version: \"3.8\"\n";
  auto loaded = load({{"a.yml", head + a}, {"b.yml", head + b}}, test_options());
  if (!loaded) {
    ADD_FAILURE() << render(loaded.error());
    return {};
  }
  return *std::move(loaded);
}

Service merged_service(const std::string& a, const std::string& b) {
  return merged("services: {w: {image: i, " + a + "}}\n", "services: {w: {" + b + "}}\n")
      .spec.services["w"];
}

// The expected results were seen from docker CLI 20.10's `stack deploy` with the same two files.
TEST(Merge, scalarsThatAreNotEmptyOverride) {
  const auto service = merged_service(
      "hostname: a, tty: true, init: true, stop_grace_period: 5s, "
      "deploy: {replicas: 3}",
      "image: j, hostname: \"\", tty: false, init: false, "
      "stop_grace_period: 9s, deploy: {replicas: 0}");
  EXPECT_EQ(service.image, "j");
  EXPECT_EQ(service.hostname, "a");
  EXPECT_TRUE(service.tty);
  EXPECT_EQ(service.init, true);
  EXPECT_EQ(service.stop_grace_period, std::chrono::seconds(9));
  EXPECT_EQ(service.deploy.replicas, 3U);
}

TEST(Merge, listsAreAppended) {
  const auto service = merged_service(
      "command: one two, cap_add: [A], deploy: {placement: {constraints: [node.ip==1]}}, "
      "healthcheck: {test: a, retries: 3}",
      "command: more, cap_add: [B], deploy: {placement: {constraints: [node.id==2]}}, "
      "healthcheck: {test: [CMD, b], retries: 0, timeout: 5s}");
  EXPECT_EQ(service.command, (Strings{"one", "two", "more"}));
  EXPECT_EQ(service.cap_add, (Strings{"A", "B"}));
  EXPECT_EQ(service.deploy.placement.constraints, (Strings{"node.ip==1", "node.id==2"}));
  EXPECT_EQ(service.healthcheck->test, (Strings{"CMD-SHELL", "a", "CMD", "b"}));
  EXPECT_EQ(service.healthcheck->retries, 3U);
}

TEST(Merge, mapsAreMergedByKey) {
  const auto service = merged_service(
      "environment: {A: \"1\", B: \"2\", C: \"\"}, labels: {a: x, b: z}, ulimits: {nofile: 1}",
      "environment: {A: \"\", B: \"3\", C: c, D: null}, labels: {a: \"\"}, ulimits: {nproc: 2}");
  EXPECT_EQ(service.environment,
            (NullableMap{{"A", "1"}, {"B", "3"}, {"C", "c"}, {"D", std::nullopt}}));
  EXPECT_EQ(service.labels, (StringMap{{"a", ""}, {"b", "z"}}));
  EXPECT_EQ(service.ulimits.size(), 2U);
}

TEST(Merge, portsByPublishedNumberSorted) {
  const auto loaded =
      merged("services: {w: {image: i, ports: [\"8080:80\", \"3000\", \"4000\"]}}\n",
             "services: {w: {ports: [\"8080:81\", \"70:70\"]}}\n");
  const auto& ports = loaded.spec.services.at("w").ports;
  ASSERT_EQ(ports.size(), 3U);
  EXPECT_EQ(ports[0].target, 4000U);
  EXPECT_EQ(ports[1].published, 70U);
  EXPECT_EQ(ports[2].target, 81U);
  EXPECT_EQ(loaded.warnings.size(), 1U);
}

TEST(Merge, networksLoggingAndVolumes) {
  const std::string rest = "networks: {net: {}, m: {}}\n";
  const auto loaded = merged(
      "services: {w: {image: i, networks: {net: {aliases: [a]}, m: null}, volumes: [/a], logging: "
      "{driver: x, options: {p: \"1\"}}}}\n" +
          rest,
      "services: {w: {networks: {net: {ipv4_address: 10.0.0.1}, m: {aliases: [q]}}, volumes: [/b], "
      "logging: {options: {q: \"2\"}}}}\nnetworks: {net: {internal: true}}\n");
  const auto& service = loaded.spec.services.at("w");
  EXPECT_EQ(service.networks.at("net"), (ServiceNetwork{{}, "10.0.0.1", ""}));
  EXPECT_EQ(service.networks.at("m"), (ServiceNetwork{{"q"}, "", ""}));
  EXPECT_EQ(service.volumes.size(), 2U);
  EXPECT_EQ(service.logging->options, (StringMap{{"p", "1"}, {"q", "2"}}));
  EXPECT_TRUE(loaded.spec.networks.at("net").internal);
}

TEST(Merge, loggingOptionsThatDockerLosesAreLostWithAWarning) {
  const auto loaded = merged("services: {w: {image: i, logging: {driver: x}}}\n",
                             "services: {w: {logging: {driver: x, options: {q: \"2\"}}}}\n");
  EXPECT_TRUE(loaded.spec.services.at("w").logging->options.empty());
  ASSERT_EQ(loaded.warnings.size(), 1U);
}

TEST(Merge, newServicesAreAddedAndHiveMappingsMerged) {
  const auto loaded =
      merged("x-hive: {name: a, workers: 2}\nservices: {w: {image: i}}\n",
             "x-hive: {workers: {min: 1, max: 4}, managers: 1}\nservices: {v: {image: i, x-hive: "
             "{max_connections: 5}}, w: {x-hive: {sticky: {cookie: c}}}}\n");
  EXPECT_EQ(loaded.spec.cluster.name, "a");
  EXPECT_EQ(loaded.spec.cluster.workers, (WorkerCount{1, 4}));
  EXPECT_EQ(loaded.spec.services.at("v").hive->max_connections, 5U);
  EXPECT_EQ(loaded.spec.services.at("w").hive_json, "{\"sticky\":{\"cookie\":\"c\"}}");
}

}  // namespace
}  // namespace hive::config
