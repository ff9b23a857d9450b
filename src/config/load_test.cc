#include <cstdio>

#include "config/test_support.h"
#include "os/file.h"
#include "os/time_zone.h"

namespace hive::config {
namespace {

using Strings = std::vector<std::string>;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Service, wordsAreSplitOrTakenAsTheyAre) {
  EXPECT_EQ(load_service("    command: echo 'a b'").command, (Strings{"echo", "a b"}));
  EXPECT_EQ(load_service("    entrypoint: [a, \"b c\"]").entrypoint, (Strings{"a", "b c"}));
}

TEST(Service, environmentComesFromFilesTheListAndTheCaller) {
  const auto service = load_service(
      "    env_file: [one.env, /two.env]\n"
      "    environment: [A=1, B, C=, D, PLAIN]\n",
      {{"B", "from-caller"}, {"C", "filled"}, {"F1", "caller"}},
      {{"/work/one.env", "F1=\nF2=one\nA=0\n"}, {"/two.env", "F2=two\nB\n"}});
  const NullableMap expected{{"A", "1"},       {"B", "from-caller"}, {"C", "filled"}, {"D", {}},
                             {"F1", "caller"}, {"F2", "two"},        {"PLAIN", {}}};
  EXPECT_EQ(service.environment, expected);
  EXPECT_EQ(load_service("    environment: {A: 0440, B: null, C: \"\"}").environment,
            (NullableMap{{"A", "288"}, {"B", {}}, {"C", ""}}));
}

TEST(Service, portsShortAndLong) {
  const auto service = load_service(
      "    ports: [\"8080:80\", 90, {target: 53, published: 5353, protocol: udp, mode: host}]");
  ASSERT_EQ(service.ports.size(), 3U);
  EXPECT_EQ(service.ports[0], (ServicePort{"ingress", 80, 8080, "tcp"}));
  EXPECT_EQ(service.ports[1], (ServicePort{"ingress", 90, 0, "tcp"}));
  EXPECT_EQ(service.ports[2], (ServicePort{"host", 53, 5353, "udp"}));
}

TEST(Service, volumesShortAndLong) {
  const auto service = load_service(
      "    volumes: [\"./src:/s:ro\", \"~/x:/x\", \"data:/d\", {type: tmpfs, target: /t, "
      "tmpfs: {size: 1000}}, {type: bind, source: ., target: /h, bind: {propagation: shared}}, "
      "{type: volume, source: data, target: /n, volume: {nocopy: true}}]",
      {{"HOME", "/home/me"}});
  ASSERT_EQ(service.volumes.size(), 6U);
  EXPECT_EQ(service.volumes[0].source, "/work/src");
  EXPECT_TRUE(service.volumes[0].read_only);
  EXPECT_EQ(service.volumes[1].source, "/home/me/x");
  EXPECT_EQ(service.volumes[2].type, "volume");
  EXPECT_EQ(service.volumes[3].tmpfs_size, 1000);
  EXPECT_EQ(service.volumes[4].source, "/work");
  EXPECT_EQ(service.volumes[4].bind_propagation, "shared");
  EXPECT_EQ(service.volumes[5].volume_nocopy, true);
}

TEST(Service, secretsAndConfigs) {
  const auto service = load_service(
      "    secrets: [key, {source: key, target: t, uid: \"1\", gid: \"2\", mode: 0440}]\n"
      "    configs: [{source: conf, target: /etc/c}]");
  ASSERT_EQ(service.secrets.size(), 2U);
  EXPECT_EQ(service.secrets[1], (FileReference{"key", "t", "1", "2", 0440U}));
  EXPECT_EQ(service.configs[0].target, "/etc/c");
}

TEST(Service, deploySection) {
  const auto deploy = load_service(R"(    deploy:
      mode: replicated
      replicas: 6
      endpoint_mode: dnsrr
      labels: [a=1, b]
      update_config: {parallelism: 0, delay: 10s, failure_action: rollback, monitor: 1m30s, max_failure_ratio: 0.25, order: start-first}
      rollback_config: {parallelism: 2}
      restart_policy: {condition: on-failure, delay: 0s, max_attempts: 3, window: 120s}
      resources:
        limits: {cpus: "0.50", memory: 50M, pids: 100}
        reservations:
          memory: 1.5g
          generic_resources: [{discrete_resource_spec: {kind: gpu, value: 2}}]
      placement:
        constraints: [node.role == worker]
        preferences: [{spread: node.labels.az}]
        max_replicas_per_node: 2)")
                          .deploy;
  EXPECT_EQ(deploy.replicas, 6U);
  EXPECT_EQ(deploy.labels, (StringMap{{"a", "1"}, {"b", ""}}));
  EXPECT_EQ(deploy.update_config->parallelism, 0U);
  EXPECT_EQ(deploy.update_config->monitor, seconds(90));
  EXPECT_FLOAT_EQ(deploy.update_config->max_failure_ratio, 0.25F);
  EXPECT_EQ(deploy.rollback_config->parallelism, 2U);
  EXPECT_EQ(deploy.restart_policy->delay, Nanoseconds(0));
  EXPECT_EQ(deploy.limits, (ResourceLimit{"0.50", 50 << 20, 100}));
  EXPECT_EQ(deploy.reservations->memory_bytes, 3LL << 29);
  EXPECT_EQ(deploy.reservations->generic_resources[0], (GenericResource{"gpu", 2}));
  EXPECT_EQ(deploy.placement, (Placement{{"node.role == worker"}, {"node.labels.az"}, 2}));
  EXPECT_EQ(load_service("    deploy: null").deploy, Deploy{});
}

TEST(Service, theRest) {
  const auto service = load_service(R"(    healthcheck: {test: curl x, interval: 1500ms, retries: 3}
    logging: {driver: gelf, options: {num: 5, e: null}}
    networks: {front: {aliases: [a], ipv4_address: 10.0.0.2}, back: null}
    dns: 8.8.8.8
    dns_search: [a.org, b.org]
    extra_hosts: {zeta: 1.1.1.1, alpha: "::1"}
    cap_add: [NET_ADMIN]
    sysctls: [a.b=1]
    ulimits: {nproc: 5, nofile: {soft: 1, hard: 2}}
    credential_spec: {file: x.json}
    hostname: "{{.Node.Hostname}}"
    user: "1000"
    stop_signal: SIGQUIT
    stop_grace_period: 1m30s
    init: false
    read_only: yes
    tty: true
    tmpfs: /run)");
  EXPECT_EQ(service.healthcheck->test, (Strings{"CMD-SHELL", "curl x"}));
  EXPECT_EQ(service.healthcheck->interval, milliseconds(1500));
  EXPECT_FALSE(service.healthcheck->timeout);
  EXPECT_EQ(service.logging->options, (StringMap{{"num", "5"}, {"e", ""}}));
  EXPECT_EQ(service.networks.at("front")->ipv4_address, "10.0.0.2");
  EXPECT_FALSE(service.networks.at("back"));
  EXPECT_EQ(service.dns, Strings{"8.8.8.8"});
  EXPECT_EQ(service.extra_hosts, (Strings{"alpha:::1", "zeta:1.1.1.1"}));
  EXPECT_EQ(service.sysctls, (StringMap{{"a.b", "1"}}));
  EXPECT_EQ(service.ulimits.at("nproc").single, 5);
  EXPECT_EQ(service.ulimits.at("nofile").hard, 2);
  EXPECT_EQ(service.hostname, "{{.Node.Hostname}}");
  EXPECT_EQ(service.stop_grace_period, seconds(90));
  EXPECT_EQ(service.init, false);
  EXPECT_TRUE(service.read_only);
  EXPECT_EQ(service.tmpfs, Strings{"/run"});
}

TEST(Service, variablesBecomeTheTypeThatIsWanted) {
  const auto service = load_service(
      R"(    hostname: "shop-${TAG:-1}"
    deploy: {replicas: $N, update_config: {max_failure_ratio: "${RATIO}"}}
    ports: ["$PORT:80", {target: "${T}", published: 1}]
    read_only: ${RO}
    ulimits: {nproc: $N}
    secrets: [{source: key, mode: $MODE}]
    labels: {cost: "$$5"})",
      {{"N", "4"}, {"RATIO", "0.5"}, {"PORT", "99"}, {"T", "7"}, {"RO", "ON"}, {"MODE", "288"}});
  EXPECT_EQ(service.deploy.replicas, 4U);
  EXPECT_FLOAT_EQ(service.deploy.update_config->max_failure_ratio, 0.5F);
  EXPECT_EQ(service.ports[0].published, 99U);
  EXPECT_EQ(service.ports[1].target, 7U);
  EXPECT_TRUE(service.read_only);
  EXPECT_EQ(service.ulimits.at("nproc").single, 4);
  EXPECT_EQ(service.secrets[0].mode, 0440U);
  EXPECT_EQ(service.labels.at("cost"), "$5");
}

TEST(TopLevel, objects) {
  const auto spec = load_text(R"(version: "3.8"
networks:
  empty:
  mine: {driver: overlay, driver_opts: {mtu: 1400}, ipam: {config: [{subnet: 10.1.0.0/24}]}, attachable: true, labels: [x=y]}
  old: {external: {name: legacy}}
  theirs: {external: true}
volumes:
  nfs: {driver: local, driver_opts: {type: nfs, o: "addr=10.0.0.1,rw", device: ":/export"}}
  there: {external: true, name: real}
secrets:
  cert: {file: ./cert.pem}
  vault: {driver: vault, driver_opts: {path: x}, template_driver: golang}
configs:
  site: {file: /etc/site, labels: {a: 1}}
)")
                        .spec;
  EXPECT_EQ(spec.networks.at("empty"), Network{});
  EXPECT_EQ(spec.networks.at("mine").driver_opts.at("mtu"), "1400");
  EXPECT_EQ(spec.networks.at("mine").ipam_subnets, Strings{"10.1.0.0/24"});
  EXPECT_EQ(spec.networks.at("old").name, "legacy");
  EXPECT_EQ(spec.networks.at("theirs").name, "theirs");
  EXPECT_EQ(spec.volumes.at("nfs").driver_opts.at("o"), "addr=10.0.0.1,rw");
  EXPECT_EQ(spec.volumes.at("there").name, "real");
  EXPECT_EQ(spec.secrets.at("cert").file, "/work/cert.pem");
  EXPECT_EQ(spec.secrets.at("vault").file, "");
  EXPECT_EQ(spec.configs.at("site").labels.at("a"), "1");
  EXPECT_EQ(spec.where("networks.mine.driver"), "hive.yml:4:10");
  EXPECT_EQ(spec.where("networks.mine.nothing.here"), "hive.yml:4:3");
}

TEST(Hive, clusterSettings) {
  const auto spec = load_text(R"(version: "3.8"
x-hive:
  name: shop
  managers: 5
  workers: {min: 2, max: 8}
  subnet: 10.77.3.0/24
  load_balancer:
    listeners: ["80:8080", 5000, {port: 443, target: 8443, mode: tcp, certificate: ./c.pem, proxy: true}]
  registry: {address: "registry.hive:5001", username: u, password_file: secret/pw, images: {"shop:1": images/shop.tar}}
  dashboard: {port: 5001}
)")
                        .spec;
  const Cluster& cluster = spec.cluster;
  EXPECT_TRUE(spec.has_hive);
  EXPECT_EQ(cluster.name, "shop");
  EXPECT_EQ(cluster.managers, 5U);
  EXPECT_EQ(cluster.workers, (WorkerCount{2, 8}));
  ASSERT_EQ(cluster.listeners.size(), 3U);
  EXPECT_EQ(cluster.listeners[0], (ClusterListener{80, 8080}));
  EXPECT_EQ(cluster.listeners[1], (ClusterListener{5000, 5000}));
  EXPECT_EQ(cluster.listeners[2], (ClusterListener{443, 8443, "tcp", "/work/c.pem", true}));
  EXPECT_EQ(cluster.registry.password_file, "/work/secret/pw");
  EXPECT_EQ(cluster.registry.images.at("shop:1"), "/work/images/shop.tar");
  EXPECT_EQ(cluster.dashboard_port, 5001);
}

TEST(Hive, workersThatFollow) {
  const auto workers = load_text(R"(version: "3.8"
x-hive: {workers: {min: 1, max: 3, scale_in_after: 90s, join_timeout: 1m}}
)")
                           .spec.cluster.workers;
  EXPECT_EQ(workers, (WorkerCount{1, 3, std::chrono::seconds(90), std::chrono::seconds(60)}));
}

TEST(Hive, serviceSettings) {
  const auto service = load_service(R"(    x-hive:
      autoscale: {min: 2, max: $MAX, target: {requests_per_replica: 50, cpu: 60%, latency: 200ms}, predict: no}
      drain: {timeout: 60s, pre_stop: flush all, hooks_timeout: 5s, stop_command: [catalina.sh, stop], flush_timeout: 1m30s}
      logs:
        paths: ["/logs/*.log"]
        output: false
        destination: /mnt/logs/shop
        filebeat: {registry: /data/registry, where: node, stats: "http://127.0.0.1:5066/stats"}
      routes: [{host: Shop.Example.org, path: /api}]
      sticky: {cookie: SRV}
      health: {path: "/health?full=1"}
      max_connections: 100
      proxy_protocol: true)",
                                    {{"MAX", "40"}});
  ASSERT_TRUE(service.hive);
  const ServiceHive& hive = *service.hive;
  EXPECT_EQ(hive.autoscale->max, 40U);
  EXPECT_DOUBLE_EQ(hive.autoscale->target.cpu.value(), 0.6);
  EXPECT_EQ(hive.autoscale->target.latency, milliseconds(200));
  EXPECT_FALSE(hive.autoscale->predict);
  EXPECT_EQ(hive.drain->timeout, seconds(60));
  EXPECT_EQ(hive.drain->hooks_timeout, seconds(5));
  EXPECT_FALSE(hive.drain->stop_timeout);
  EXPECT_EQ(hive.drain->flush_timeout, seconds(90));
  EXPECT_EQ(hive.drain->pre_stop, (Strings{"flush", "all"}));
  EXPECT_EQ(hive.logs.paths, Strings{"/logs/*.log"});
  EXPECT_FALSE(hive.logs.output);
  EXPECT_EQ(hive.logs.destination, "/mnt/logs/shop");
  EXPECT_EQ(hive.logs.filebeat,
            (model::FilebeatPlace{"/data/registry", true, "http://127.0.0.1:5066/stats"}));
  EXPECT_EQ(hive.routes[0], (RouteRule{"shop.example.org", "/api"}));
  EXPECT_EQ(hive.sticky_cookie, "SRV");
  EXPECT_EQ(hive.health_path, "/health?full=1");
  EXPECT_EQ(hive.max_connections, 100U);
  EXPECT_TRUE(hive.proxy_protocol);
  EXPECT_EQ(service.hive_json.substr(0, 23), "{\"autoscale\":{\"max\":40,");
}

TEST(Hive, figuresOfTheApplicationsOwn) {
  const auto service = load_service(R"(    x-hive:
      autoscale:
        max: 5
        target:
          metrics:
            - {name: jobs, per_replica: 20, metric: jobs_waiting, labels: {queue: a}, port: 9404, path: /m}
            - {name: queue, per_replica: 2.5, server: "http://p:9090", query: sum(q)})");
  const auto& metrics = service.hive->autoscale->target.metrics;
  ASSERT_EQ(metrics.size(), 2U);
  EXPECT_EQ(metrics[0], (AutoscaleMetric{.name = "jobs",
                                         .per_replica = 20,
                                         .metric = "jobs_waiting",
                                         .labels = {{"queue", "a"}},
                                         .port = 9404,
                                         .path = "/m"}));
  EXPECT_EQ(metrics[1].server, "http://p:9090");
  EXPECT_EQ(metrics[1].query, "sum(q)");
  EXPECT_EQ(metrics[1].path, "/metrics");
}

TEST(Warnings, nameWhatIsLostWithoutAnInit) {
  const auto warnings = warnings_of(R"(version: "3.8"
services:
  a: {image: x, init: true}
  b: {image: x}
  c:
    image: x
    init: false
)");
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].substr(0, 53), "7 services.c: with init: false its stops are not held");
}

TEST(Warnings, nameAPortThatTheTasksDoNotShow) {
  const auto warnings = warnings_of(R"(version: "3.8"
services:
  a:
    image: x
    ports: ["80:8080", "9404", "53:53/udp"]
    x-hive:
      autoscale:
        max: 5
        target:
          metrics:
            - {name: well, per_replica: 1}
            - {name: also_well, per_replica: 1, port: 9404}
            - {name: asked, per_replica: 1, server: "http://h", query: q}
            - {name: other, per_replica: 1, port: 9405}
            - {name: udp, per_replica: 1, port: 53}
  b:
    image: x
    x-hive: {autoscale: {max: 5, target: {metrics: [{name: none, per_replica: 1}]}}}
)");
  ASSERT_EQ(warnings.size(), 3U);
  EXPECT_EQ(warnings[0],
            "14 services.a.x-hive.autoscale.target.metrics[3] is read from port 9405 of each task, "
            "and the service's ports do not have it");
  EXPECT_EQ(warnings[1].substr(0, 50), "15 services.a.x-hive.autoscale.target.metrics[4] i");
  EXPECT_EQ(
      warnings[2],
      "18 services.b.x-hive.autoscale.target.metrics[0] is read from a port of each task, and "
      "the service has none");
}

TEST(Warnings, nameWhatIsIgnored) {
  const auto warnings = warnings_of(R"(version: "3.8"
services:
  web:
    image: x
    build: .
    container_name: c
    depends_on: [db]
    ports: ["127.0.0.1:80:80"]
    environment: {A: $UNSET}
x-hive: {managers: 4}
)");
  const std::string address =
      "8 services.web.ports[0]: the address 127.0.0.1 is ignored, the port is published on every "
      "address";
  EXPECT_EQ(warnings,
            (Strings{"5 \"build\" in services.web is ignored, as docker stack deploy does",
                     "6 \"container_name\" in services.web is ignored, as docker stack deploy does",
                     address, "9 variable UNSET is not set: it is read as empty",
                     "10 4 managers survive no more failures than 3"}));
}

TEST(Load, FilesAreHeldAgainstTheTimeZonesOfThisMachine) {
  if (os::time_zone_names().empty()) GTEST_SKIP() << "no tzdata on this machine";
  const std::string path = testing::TempDir() + "/misspelt_zone.yml";
  ASSERT_TRUE(os::write_file_atomically(path, R"(version: "3.8"
services:
  web:
    image: shop
    x-hive: {autoscale: {max: 3, schedules: [{cron: "0 8 * * *", duration: 1h, min: 2, zone: Asia/Seul}]}}
)",
                                        0600));
  const auto loaded = load_paths({path}, {});
  ASSERT_TRUE(loaded) << render(loaded.error());
  ASSERT_EQ(loaded->warnings.size(), 1U);
  EXPECT_EQ(loaded->warnings[0].hint, "did you mean \"Asia/Seoul\"?");
  std::remove(path.c_str());
}

TEST(Load, ATimeZoneThatThisMachineDoesNotKnowIsWarnedOf) {
  const auto warned = [](const std::string& zone, std::vector<std::string> known) {
    auto options = test_options();
    if (!known.empty()) options.time_zones = [known = std::move(known)] { return known; };
    const auto loaded = load({{"hive.yml", R"(version: "3.8"
services:
  web:
    image: shop
    x-hive: {autoscale: {max: 3, schedules: [{cron: "0 8 * * *", duration: 1h, min: 2, zone: )" +
                                               zone + "}]}}\n"}},
                             options);
    EXPECT_TRUE(loaded) << render(loaded.error());
    return loaded && !loaded->warnings.empty()
               ? loaded->warnings[0].message + "|" + loaded->warnings[0].hint
               : std::string();
  };
  EXPECT_EQ(warned("Asia/Seul", {"Asia/Seoul", "UTC"}),
            "services.web.x-hive.autoscale.schedules[0].zone is \"Asia/Seul\", and this machine "
            "knows no such time zone: a manager that does not either takes UTC|did you mean "
            "\"Asia/Seoul\"?");
  EXPECT_EQ(warned("Asia/Seoul", {"Asia/Seoul", "UTC"}), "");
  EXPECT_EQ(warned("Asia/Seul", {}), "");
  EXPECT_EQ(warned("UTC", {"Asia/Seoul"}), "");
}

}  // namespace
}  // namespace hive::config
