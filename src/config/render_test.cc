// What `hive config` prints, and that nothing crashes on broken input.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/random.h"
#include "base/text.h"
#include "config/reference.h"
#include "config/test_support.h"

namespace hive::config {
namespace {

// Every key once.
const char* const kFull = R"(version: "3.8"
x-hive:
  name: shop
  workers: {min: 2, max: 8}
  load_balancer: {listeners: ["80:8080"]}
x-env: &env {LEVEL: info, COST: "$$5", NUM: 0440}
services:
  web:
    image: shop/web:1
    entrypoint: ["/run me", "-x"]
    command: echo "a  b"
    environment: {<<: *env, NOTHING: null, EMPTY: "", TEXT: "line\nwith \"quotes\" \\ and \t"}
    labels: {a: "1", odd key: "yes", date: "2001-01-01"}
    ports: ["8080:8080", "53:53/udp", {target: 9, mode: host}]
    volumes: ["data:/d:ro", "./s:/s", {type: tmpfs, target: /t, tmpfs: {size: 5}}, {type: volume, target: /v, volume: {nocopy: false}}]
    tmpfs: [/run, /tmp]
    secrets: [key, {source: cert, target: c, mode: 0400}]
    configs: [conf]
    networks: {front: {aliases: [w]}, back: null, default: {}}
    healthcheck: {test: ["CMD", "true"], interval: 1500ms, retries: 3}
    logging: {driver: json-file, options: {max-size: 1m}}
    dns: [1.1.1.1]
    extra_hosts: ["a:1.2.3.4"]
    cap_add: [SYS_TIME]
    sysctls: {net.core.somaxconn: 1024}
    ulimits: {nproc: 5, nofile: {soft: 1, hard: 2}}
    credential_spec: {file: f}
    hostname: "{{.Node.Hostname}}-{{.Task.Slot}}"
    user: "1000"
    stop_grace_period: 1m30s
    init: false
    tty: true
    deploy:
      mode: replicated
      replicas: 0
      labels: {x: "null"}
      update_config: {parallelism: 0, delay: 10s, order: start-first, max_failure_ratio: 0.1}
      rollback_config: {}
      restart_policy: {condition: any, delay: 0s}
      resources: {limits: {cpus: "0.50", memory: 1g}, reservations: {generic_resources: [{discrete_resource_spec: {kind: g, value: 1}}]}}
      placement: {constraints: ["node.role==worker"], preferences: [{spread: node.labels.z}], max_replicas_per_node: 2}
    x-hive:
      autoscale: {min: 1, max: 4, target: {requests_per_replica: 2.5}}
      drain: {pre_stop: ["sh", "-c", "echo $$HOME"]}
      routes: [{path: /a}, {host: h.org}]
networks: {front: {driver: overlay, ipam: {config: [{subnet: 10.9.0.0/24}]}}, back: null}
volumes: {data: {driver: local, driver_opts: {type: nfs, o: "addr=1,rw", device: ":/x"}}}
secrets: {key: {file: ./key.pem}, cert: {external: true, name: real}}
configs: {conf: {file: /etc/c, labels: {a: b}}}
)";

TEST(RenderYaml, readAgainMeansTheSame) {
  const auto first = load_text(kFull);
  const std::string text = render_yaml(first.spec);
  const auto again = load_text(text);
  EXPECT_EQ(render_yaml(again.spec), text);
  const Service& a = first.spec.services.at("web");
  const Service& b = again.spec.services.at("web");
  EXPECT_EQ(a.command, b.command);
  EXPECT_EQ(a.entrypoint, b.entrypoint);
  EXPECT_EQ(a.environment, b.environment);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.ports, b.ports);
  EXPECT_EQ(a.volumes, b.volumes);
  EXPECT_EQ(a.secrets, b.secrets);
  EXPECT_EQ(a.networks, b.networks);
  EXPECT_EQ(a.healthcheck, b.healthcheck);
  EXPECT_EQ(a.ulimits, b.ulimits);
  EXPECT_EQ(a.deploy, b.deploy);
  EXPECT_EQ(a.init, b.init);
  EXPECT_EQ(a.hive, b.hive);
  EXPECT_EQ(a.hive_json, b.hive_json);
  EXPECT_EQ(first.spec.networks, again.spec.networks);
  EXPECT_EQ(first.spec.volumes, again.spec.volumes);
  EXPECT_EQ(first.spec.secrets, again.spec.secrets);
  EXPECT_EQ(first.spec.configs, again.spec.configs);
  EXPECT_EQ(first.spec.cluster.json, again.spec.cluster.json);
}

TEST(RenderYaml, anyTextSurvives) {
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    Spec spec;
    Service& service = spec.services["web"];
    service.name = "web";
    service.image = "i";
    static constexpr std::string_view kAlphabet =
        "ab01.-_:#'\"\\ \n\t{}[],&*!|>%@`~$?=+yesnoNULL\x01\x7f";
    std::string value;
    for (std::uint64_t i = random.below(12); i > 0; --i) {
      value += kAlphabet[random.below(kAlphabet.size())];
      if (random.below(6) == 0) value += "\xed\x95\x9c";
    }
    // Swarm expands templates there, and refuses text that looks like the half of one.
    const bool half = value.find("{{") != std::string::npos;
    service.environment["K"] = half ? "" : value;
    service.command = {"c", value};
    service.labels["k"] = value;
    const std::string text = render_yaml(spec);
    const auto again = load({{"f.yml", text}}, test_options());
    ASSERT_TRUE(again) << render(again.error()) << text;
    EXPECT_EQ(again->spec.services.at("web").environment.at("K"), half ? "" : value) << text;
    EXPECT_EQ(again->spec.services.at("web").command[1], value) << text;
    EXPECT_EQ(again->spec.services.at("web").labels.at("k"), value) << text;
  }
}

// Mutated files: every outcome but a crash, a hang or a fault without text is right.
TEST(Robustness, mutatedFilesNeverCrash) {
  Random random(20'260'101);
  const std::string original = kFull;
  const auto lines = split(original, '\n');
  static constexpr std::string_view kBytes = "{}[]:,-&*!|>'\"#%@\n \t$0aY\x80\xff\x01";
  for (int round = 0; round < 1000; ++round) {
    std::string text = original;
    for (std::uint64_t edits = 1 + random.below(4); edits > 0; --edits) {
      const auto at = random.below(text.size());
      switch (random.below(5)) {
        case 0:
          text[at] = kBytes[random.below(kBytes.size())];
          break;
        case 1:
          text.erase(at, 1 + random.below(20));
          break;
        case 2:
          text.insert(at, 1, kBytes[random.below(kBytes.size())]);
          break;
        case 3:
          text.insert(at, lines[random.below(lines.size())]);
          break;
        default:
          text.resize(at + 1);
      }
    }
    const auto loaded = load({{"f.yml", text}}, test_options());
    if (loaded) {
      EXPECT_FALSE(render_yaml(loaded->spec).empty());
      continue;
    }
    ASSERT_FALSE(loaded.error().faults.empty()) << text;
    EXPECT_FALSE(render(loaded.error()).empty());
  }
}

// docs/configuration.md holds the tables between markers; run with HIVE_UPDATE_DOCS=1 to rewrite.
TEST(Documentation, tablesAreThoseOfTheCode) {
  const std::string path = HIVE_SOURCE_DIR "/docs/configuration.md";
  std::ifstream in(path);
  std::stringstream content;
  content << in.rdbuf();
  std::string text = content.str();
  ASSERT_FALSE(text.empty()) << path;
  const std::pair<std::string, std::string> blocks[] = {
      {"cluster", hive_key_table("x-hive", "x-hive")},
      {"service", hive_key_table("services.*.x-hive", "x-hive")},
      {"honoured", honoured_keys("services.*.")},
      {"deploy", honoured_keys("services.*.deploy.")},
      {"ignored", ignored_key_table()},
      {"refused", refused_key_table()},
  };
  const bool update = std::getenv("HIVE_UPDATE_DOCS") != nullptr;  // NOLINT
  for (const auto& [name, expected] : blocks) {
    const std::string open = "<!-- keys: " + name + " -->\n";
    const auto begin = text.find(open);
    ASSERT_NE(begin, std::string::npos) << name;
    const auto from = begin + open.size();
    const auto end = text.find("<!-- end -->", from);
    ASSERT_NE(end, std::string::npos) << name;
    // A table keeps its head (two lines), which is written by hand.
    std::size_t body = from;
    if (text[from] == '|') body = text.find('\n', text.find('\n', from) + 1) + 1;
    if (update)
      text.replace(body, end - body, expected);
    else
      EXPECT_EQ(text.substr(body, end - body), expected) << "run with HIVE_UPDATE_DOCS=1";
  }
  if (update) std::ofstream(path) << text;
}

}  // namespace
}  // namespace hive::config
