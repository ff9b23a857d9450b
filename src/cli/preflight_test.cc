#include "cli/preflight.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hive::cli {
namespace {

config::Spec two_services() {
  config::Spec spec;
  spec.files = {"/srv/shop/hive.yml"};
  spec.cluster.name = "shop";
  for (const char* name : {"web", "api"}) {
    config::Service service;
    service.name = name;
    service.image = "elsewhere/app:1";
    spec.services[name] = service;
  }
  return spec;
}

bool mentions(const std::vector<PreflightFinding>& findings, const std::string& word) {
  return std::any_of(findings.begin(), findings.end(), [&](const PreflightFinding& finding) {
    return finding.what.find(word) != std::string::npos ||
           finding.hint.find(word) != std::string::npos;
  });
}

TEST(Preflight, AHealthyMachineHasNoFindings) {
  EXPECT_TRUE(check_preflight({}, two_services()).empty());
}

TEST(Preflight, ReportsEverythingAtOnce) {
  PreflightFacts facts;
  facts.root = false;
  facts.missing_programs = {"haproxy"};
  facts.missing_kernel = {"vxlan links"};
  facts.busy[80] = "nginx (pid 17)";
  facts.memory_available = 100 << 20;
  facts.disk_free = 1 << 20;
  const auto found = check_preflight(facts, two_services());
  for (const char* word : {"root", "haproxy", "vxlan", "nginx (pid 17)", "of memory", "free;"})
    EXPECT_TRUE(mentions(found, word)) << word;
}

TEST(Preflight, MemoryIsCountedForMissingInstancesOnly) {
  PreflightFacts facts;
  facts.memory_available = 100 << 20;
  facts.instances_running = 5;
  EXPECT_TRUE(check_preflight(facts, two_services()).empty());
}

TEST(Preflight, NoIpVsIsAWarning) {
  PreflightFacts facts;
  facts.kernel_ip_vs = false;
  const auto found = check_preflight(facts, two_services());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FALSE(found[0].fault);
}

TEST(Preflight, TwoServicesOnOnePortNeedRules) {
  auto spec = two_services();
  for (auto& [name, service] : spec.services)
    service.ports = {{.mode = "ingress", .target = 8080, .published = 8080}};
  EXPECT_TRUE(mentions(check_preflight({}, spec), "both publish port 8080"));
  spec.services["api"].hive.emplace();
  spec.services["api"].hive->routes = {{.path = "/api"}};
  EXPECT_TRUE(check_preflight({}, spec).empty());
}

TEST(Preflight, SharedLogDirectoryIsRefusedAndCorrected) {
  auto spec = two_services();
  auto& web = spec.services["web"];
  web.deploy.replicas = 3;
  web.hive.emplace();
  web.hive->logs.paths = {"/app/logs/*.log"};
  web.volumes = {{.type = "bind", .source = "/srv/logs", .target = "/app/logs"}};
  EXPECT_TRUE(mentions(check_preflight({}, spec), "/srv/logs/{{.Task.ID}}:/app/logs"));
  web.volumes[0].source = "/srv/logs/{{.Task.ID}}";
  EXPECT_TRUE(check_preflight({}, spec).empty());
  web.volumes[0].source = "/srv/logs";
  web.deploy.replicas = 1;
  EXPECT_TRUE(check_preflight({}, spec).empty());
}

TEST(Preflight, SharedLogVolumeOverNfsCountsToo) {
  auto spec = two_services();
  auto& web = spec.services["web"];
  web.deploy.replicas = 2;
  web.hive.emplace();
  web.hive->logs.paths = {"/app/logs/*.log"};
  web.volumes = {{.type = "volume", .source = "logs", .target = "/app/logs"}};
  EXPECT_TRUE(check_preflight({}, spec).empty());
  spec.volumes["logs"].driver_opts = {{"type", "nfs"}};
  EXPECT_TRUE(mentions(check_preflight({}, spec), "overwrite"));
}

TEST(Preflight, MissingBindSourceIsNamedWithTheCommandThatMakesIt) {
  auto spec = two_services();
  spec.services["web"].volumes = {{.type = "bind", .source = "/srv/data", .target = "/data"}};
  PreflightFacts facts;
  facts.missing_files["/srv/data"].on_new_nodes = true;
  EXPECT_TRUE(mentions(check_preflight(facts, spec), "mkdir -p /srv/data"));
  EXPECT_TRUE(mentions(check_preflight(facts, spec), "any node"));
}

TEST(Preflight, TheNodesThatLackABindSourceAreNamedWhereTheServiceMayRunThere) {
  auto spec = two_services();
  auto& web = spec.services["web"];
  web.volumes = {{.type = "bind", .source = "/srv/data", .target = "/data"}};
  PreflightFacts facts;
  facts.missing_files["/srv/data"].nodes = {{"shop-manager-1", "manager", 11},
                                            {"shop-worker-1", "worker", 12},
                                            {"shop-worker-2", "worker", 13}};
  auto found = check_preflight(facts, spec);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(mentions(found, "shop-manager-1, shop-worker-1, shop-worker-2"));
  EXPECT_TRUE(mentions(found, "for p in 11 12 13; do nsenter -m -t $p mkdir -p /srv/data; done"));
  web.deploy.placement.constraints = {"node.role == worker", "node.hostname!=shop-worker-2",
                                      "node.labels.disk == ssd"};
  found = check_preflight(facts, spec);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(mentions(found, "on shop-worker-1"));
  EXPECT_FALSE(mentions(found, "shop-manager-1"));
  EXPECT_FALSE(mentions(found, "shop-worker-2"));
  web.deploy.placement.constraints = {"node.hostname == shop-manager-2"};
  EXPECT_TRUE(check_preflight(facts, spec).empty());
}

TEST(Preflight, ACertificateMustBeOneAndOnTheNodes) {
  auto spec = two_services();
  spec.services["web"].hive.emplace();
  spec.services["web"].hive->certificate = "/srv/c.pem";
  PreflightFacts facts;
  facts.missing_files["/srv/c.pem"].on_new_nodes = true;
  facts.bad_certificates["/srv/d.pem"] = "it has no private key";
  const auto found = check_preflight(facts, spec);
  EXPECT_EQ(found.size(), 2U);
  EXPECT_TRUE(mentions(found, "certificate /srv/c.pem of service web is not there"));
  EXPECT_TRUE(mentions(found, "certificate /srv/d.pem: it has no private key"));
}

TEST(Preflight, ImagesOfTheOwnRegistryMustBeThereOrGiven) {
  auto spec = two_services();
  spec.services["web"].image = "registry.hive:5001/app:1";
  PreflightFacts facts;
  facts.registry_address = "registry.hive:5001";
  EXPECT_TRUE(mentions(check_preflight(facts, spec), "is not in the registry"));
  facts.images_in_registry = std::set<std::string>{"app:1"};
  EXPECT_TRUE(check_preflight(facts, spec).empty());
}

TEST(Preflight, AClusterOfThatNameFromElsewhere) {
  auto spec = two_services();
  spec.files = {"/srv/shop/hive.yml"};
  PreflightFacts facts;
  facts.record = Record{.name = "shop", .files = {"/srv/other/hive.yml"}};
  EXPECT_TRUE(mentions(check_preflight(facts, spec), "/srv/other/hive.yml"));
  facts.record->files = {"/srv/shop/hive.yml"};
  EXPECT_TRUE(check_preflight(facts, spec).empty());
}

// moby#51651
TEST(Preflight, EngineVersionsKnownBad) {
  for (const char* bad : {"29.0.0", "29.1.4", "25.0.13", "25.0.14"})
    EXPECT_TRUE(engine_version_known_bad(bad)) << bad;
  for (const char* good : {"29.1.5", "29.2.0", "25.0.12", "25.0.15", "20.10.24+dfsg1", "", "dev"})
    EXPECT_FALSE(engine_version_known_bad(good)) << good;
}

}  // namespace
}  // namespace hive::cli
