#include "config/test_support.h"

namespace hive::config {
namespace {

// Each snippet stands below `web:` of a 3.8 file, so its first line is line 4.
struct RuleCase {
  std::string_view lines;
  std::string_view fault;  // empty: Swarm takes it
};

std::string file_with(std::string_view lines) {
  return "version: \"3.8\"\nservices:\n  web:\n    " + std::string(lines) +
         "\nnetworks:\n  near: {driver: bridge}\n  none: {external: true}\n"
         "volumes:\n  logs: {name: \"logs-{{.Task.Slot}}\"}\n  odd: {name: \"{{.Task.Slots}}\"}\n"
         "configs: {one: {file: ./one}, two: {file: ./two}}\n"
         "secrets: {key: {file: ./key}}\n";
}

class SwarmRule : public testing::TestWithParam<RuleCase> {};

TEST_P(SwarmRule, IsHeldBeforeAnythingIsMade) {
  const auto faults = faults_of(file_with(GetParam().lines));
  if (GetParam().fault.empty())
    EXPECT_EQ(faults, std::vector<std::string>{});
  else
    EXPECT_EQ(faults, std::vector<std::string>{std::string(GetParam().fault)});
}

INSTANTIATE_TEST_SUITE_P(
    All, SwarmRule,
    testing::Values(
        RuleCase{"image: a//b",
                 "4:5 services.web.image: image reference \"a//b\": a name has lower case letters, "
                 "digits, and single \".\", \"_\", \"-\" or \"/\" between them"},
        RuleCase{
            "image: x:1\n    deploy: {resources: {limits: {cpus: \"0.0001\"}}}",
            "5:35 services.web.deploy.resources.limits.cpus is \"0.0001\": Swarm takes no less "
            "than 0.001"},
        RuleCase{"image: x:1\n    deploy: {resources: {reservations: {memory: 4095k}}}",
                 "5:41 services.web.deploy.resources.reservations.memory is 4193280 bytes: Swarm "
                 "takes no less than 4 MiB (write for example \"64M\")"},
        RuleCase{"image: x:1\n    deploy: {resources: {limits: {memory: 4m, cpus: \"0.001\"}}}",
                 ""},
        RuleCase{"image: x:1\n    healthcheck: {test: x, timeout: 100us}",
                 "5:28 services.web.healthcheck.timeout: Swarm takes no less than 1ms"},
        RuleCase{"image: x:1\n    healthcheck: {test: x, interval: 0s, start_period: 1ms}", ""},
        RuleCase{"image: x:1\n    deploy: {update_config: {monitor: -1s}}",
                 "5:30 services.web.deploy.update_config.monitor is negative"},
        RuleCase{"image: x:1\n    deploy: {restart_policy: {window: -1s}}",
                 "5:31 services.web.deploy.restart_policy.window is negative"},
        RuleCase{"image: x:1\n    deploy: {placement: {constraints: [\"node.role=manager\"]}}",
                 "5:40 services.web.deploy.placement.constraints[0]: \"node.role=manager\" has "
                 "neither == nor != (write for example \"node.role == worker\")"},
        RuleCase{"image: x:1\n    deploy: {placement: {constraints: [\"9a == b\"]}}",
                 "5:40 services.web.deploy.placement.constraints[0]: the key \"9a\" in \"9a == b\" "
                 "is no attribute of a node"},
        RuleCase{"image: x:1\n    deploy: {placement: {constraints: [\"node.id ==\"]}}",
                 "5:40 services.web.deploy.placement.constraints[0]: the value \"\" in \"node.id "
                 "==\" is none that Swarm takes"},
        RuleCase{"image: x:1\n    deploy: {placement: {constraints: [\"Node.Labels.a!=b*\"]}}", ""},
        RuleCase{"image: x:1\n    configs: [one, {source: two, target: one}]",
                 "5:20 services.web has two configs at one (give one another target)"},
        RuleCase{"image: x:1\n    secrets: [key, {source: key, target: other}]", ""},
        RuleCase{"image: x:1\n    hostname: \"{{.Task.Slots}}\"",
                 "5:5 services.web.hostname: Swarm knows no .Task.Slots in \"{{.Task.Slots}}\" "
                 "(did you mean \".Task.Slot\"?)"},
        RuleCase{"image: x:1\n    environment: {A: \"{{.Node.Hostname\"}",
                 "5:19 services.web.environment.A: a {{ is not closed in \"{{.Node.Hostname\""},
        RuleCase{
            "image: x:1\n    volumes: [\"odd:/odd\"]",
            "11:9 volumes.odd.name: Swarm knows no .Task.Slots in \"{{.Task.Slots}}\" (did you "
            "mean \".Task.Slot\"?)"},
        RuleCase{"image: x:1\n    volumes: [\"logs:/logs/{{ .Service.Name }}\"]", ""},
        RuleCase{"image: x:1\n    environment: [\"A={{- .Service.Labels.x -}}\", \"B={{.Node}}\", "
                 "\"C={{index .Service.Labels \\\"a.b\\\"}}\"]",
                 ""},
        RuleCase{"image: x:1\n    networks: [near]",
                 "7:10 networks.near: a network with driver bridge is one node's alone, and "
                 "services.web is placed on any (leave the driver out: Swarm's is overlay)"},
        RuleCase{"image: x:1\n    networks: [none]",
                 "5:16 services.web: network none cannot be used with Swarm (leave the network "
                 "out)"}));

TEST(SwarmRules, AServicesNameIsAPartOfADnsName) {
  const auto fault = [](const std::string& name) {
    return faults_of("version: \"3.8\"\nservices: {" + name + ": {image: x}}\n");
  };
  EXPECT_EQ(fault("web.v1"),
            (std::vector<std::string>{"2:12 \"web.v1\" is not a name that a service can have "
                                      "(letters, digits, '-' and '_', and a letter or digit at its "
                                      "end)"}));
  EXPECT_EQ(fault("web-").size(), 1U);
  EXPECT_EQ(fault("_Web--1").size(), 0U);
}

TEST(SwarmRules, AKeyThatNoNodeHasIsWarnedOf) {
  EXPECT_EQ(warnings_of(file_with(
                "image: x:1\n    deploy: {placement: {constraints: [\"node.rol == manager\"]}}")),
            (std::vector<std::string>{
                "5 services.web.deploy.placement.constraints[0]: no node has \"node.rol\", so with "
                "\"node.rol == manager\" no task would ever be placed"}));
}

}  // namespace
}  // namespace hive::config
