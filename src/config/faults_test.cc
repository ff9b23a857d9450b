#include "config/test_support.h"

namespace hive::config {
namespace {

using Strings = std::vector<std::string>;

TEST(Faults, areRenderedAsACompilerDoes) {
  const auto loaded = load({{"hive.yml", R"(version: "3.8"
services:
  web:
    image: shop/web:1
    deploy:
      replcias: 3
    replicas: 3
    ports: [8080:80a, 80]
)"}},
                           test_options());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(
      render(loaded.error()),
      R"(hive.yml:6:7: unknown key "replcias" in services.web.deploy (did you mean "replicas"?)
     6 |       replcias: 3
       |       ^
hive.yml:7:5: unknown key "replicas" in services.web (it belongs in services.web.deploy)
     7 |     replicas: 3
       |     ^
hive.yml:8:13: services.web.ports[0]: "8080:80a" is not a port: the port in the container must be 1 to 65535, or a range
     8 |     ports: [8080:80a, 80]
       |             ^
)");
  EXPECT_EQ(to_error(loaded.error()).code, Errc::kInvalidArgument);
}

// Each snippet stands below `web:` of a 3.8 file with image x, so its first line is line 5.
struct Case {
  std::string_view lines;
  std::string_view fault;
};

class ServiceFault : public testing::TestWithParam<Case> {};

TEST(Faults, ImagesOfTheRegistryHaveNames) {
  EXPECT_EQ(faults_of("version: \"3.8\"\nx-hive: {registry: {images: {\"a b\": x.tar}}}\n"
                      "services: {web: {image: x}}\n"),
            (Strings{"2:30 x-hive.registry.images: \"a b\" is not NAME:TAG of an image (such as "
                     "shop/web:1.0)"}));
}

TEST_P(ServiceFault, isNamedWithItsPlace) {
  const std::string text = "version: \"3.8\"\nservices:\n  web:\n    image: x\n    " +
                           std::string(GetParam().lines) + "\n";
  EXPECT_EQ(faults_of(text), Strings{std::string(GetParam().fault)});
}

INSTANTIATE_TEST_SUITE_P(
    All, ServiceFault,
    testing::Values(
        Case{"hostname: 5",
             "5:15 services.web.hostname must be a string, and is an integer (5) "
             "(quote it: \"5\")"},
        Case{"read_only: \"true\"",
             "5:16 services.web.read_only must be a boolean, and is the "
             "string \"true\" (write it without quotes)"},
        Case{"deploy: {replicas: three}",
             "5:24 services.web.deploy.replicas must be an integer, "
             "and is the string \"three\""},
        Case{"deploy: {replicas: -1}",
             "5:24 services.web.deploy.replicas is -1: it cannot be negative"},
        Case{"deploy: {mode: globl}",
             "5:20 services.web.deploy.mode is \"globl\": it must be one "
             "of replicated, global (did you mean \"global\"?)"},
        Case{"deploy: {mode: global, replicas: 2}",
             "5:38 services.web.deploy: a global service has no replicas (it runs one task on each "
             "node)"},
        Case{"environment: {A: true}",
             "5:22 services.web.environment.A must be a string or a number, and is a boolean "
             "(true) (quote it: \"true\")"},
        Case{"environment: [A=1, A=1]",
             "5:24 \"A=1\" is in services.web.environment twice (first on line 5)"},
        Case{"healthcheck: {interval: 5 minutes}",
             "5:29 services.web.healthcheck.interval: \"5 minutes\" is not a duration (write for "
             "example \"30s\" or \"1m30s\")"},
        Case{"healthcheck: {test: x, disable: true}",
             "5:37 services.web.healthcheck has a test and disable: true (keep one of them)"},
        Case{"deploy: {resources: {limits: {memory: 5 apples}}}",
             "5:43 services.web.deploy.resources.limits.memory: \"5 apples\" is not a size (write "
             "for example \"512M\" or \"2G\")"},
        Case{"deploy: {resources: {limits: {cpus: 0.5}}}",
             "5:41 services.web.deploy.resources.limits.cpus must be a string, and is a number "
             "(0.5) (quote it: \"0.5\")"},
        Case{
            "deploy: {resources: {limits: {pids: 5}}}",
            "5:35 \"pids\" in services.web.deploy.resources.limits needs version \"3.9\" or later, "
            "and the file says \"3.8\""},
        Case{"mem_limit: 5m",
             "5:5 \"mem_limit\" in services.web cannot be used with Swarm (set deploy.resources "
             "instead)"},
        Case{"networks: [fornt]",
             "5:16 network \"fornt\" is not defined (define it under the top-level `networks`)"},
        Case{"volumes: [\"data:/d\"]",
             "5:15 volume \"data\" is not defined (define it under the top-level `volumes`)"},
        Case{"secrets: [s]",
             "5:15 secret \"s\" is not defined (define it under the top-level `secrets`)"},
        Case{"volumes: [{source: a, target: /b}]",
             "5:15 services.web.volumes[0] has no type (volume, bind or tmpfs)"},
        Case{"volumes: [\"aa::b\"]",
             "5:15 services.web.volumes[0]: \"aa::b\" is not a volume: a part between colons is "
             "empty"},
        Case{"ports: [{published: 80}]",
             "5:13 services.web.ports[0] has no target (the port in the container)"},
        Case{"ports: [{target: 80, published: 99999}]",
             "5:37 services.web.ports[0].published is 99999: a port is 0 to 65535"},
        Case{"ports: [\"80:80\", \"80:81\"]", "5:22 services.web publishes port 80/tcp twice"},
        Case{"command: \"echo 'open\"",
             "5:14 services.web.command: a quote is not closed in \"echo 'open\""},
        Case{"env_file: missing.env",
             "5:15 services.web.env_file: the env file \"/work/missing.env\" cannot be read: no "
             "such file"},
        Case{"hostname: \"$\"",
             "5:15 services.web.hostname: invalid variable in \"$\": after $ comes a name, {name} "
             "or another $ (write $$ for a plain $)"},
        Case{"hostname: ${H:?name the host}",
             "5:15 services.web.hostname: variable H must be set and not empty: name the host"},
        Case{"ulimits: {nofile: {soft: 1}}", "5:15 the ulimit nofile has no hard"},
        Case{"x-hive: {autoscale: {min: 5, max: 2, target: {cpu: 50%}}}",
             "5:39 services.web.x-hive.autoscale.max is 2, and min is 5"},
        Case{"x-hive: {autoscale: {min: 1}}",
             "5:25 services.web.x-hive.autoscale has no max (hive "
             "adds no replicas without a bound)"},
        Case{"x-hive: {autoscale: {max: 9, schedules: [{cron: 0 8 * *, duration: 1h, min: 3}]}}",
             "5:53 services.web.x-hive.autoscale.schedules[0].cron: '0 8 * *' is no cron time: it "
             "has 4 fields, and 5 are wanted, as in 0 8 * * mon-fri"},
        Case{"x-hive: {autoscale: {max: 9, schedules: [{cron: 0 8 * * 1, duration: 1h}]}}",
             "5:46 services.web.x-hive.autoscale.schedules[0] has neither min nor max"},
        Case{"x-hive: {autoscale: {max: 9, schedules: [{cron: 0 8 * * 1, min: 2}]}}",
             "5:46 services.web.x-hive.autoscale.schedules[0] has no duration (say how long it "
             "holds: duration: 10h)"},
        Case{"x-hive: {autoscale: {max: 9, limits: {out_per_minute: 0}}}",
             "5:59 services.web.x-hive.autoscale.limits.out_per_minute is 0: it must be 1 to "
             "100000"},
        Case{"x-hive: {autoscale: {max: 2, target: {cpu: 60}}}",
             "5:48 services.web.x-hive.autoscale.target.cpu is \"60\": it must be more than 0% and "
             "at most 100% (write 60%)"},
        Case{
            "x-hive: {autoscale: {max: 2, target: {metrics: [{name: jobs}]}}}",
            "5:53 services.web.x-hive.autoscale.target.metrics[0] has no per_replica (say how much "
            "of it one replica takes)"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{per_replica: 2}]}}}",
             "5:53 services.web.x-hive.autoscale.target.metrics[0] has no name (say what it is "
             "called: name: jobs_waiting)"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a b, per_replica: 2}]}}}",
             "5:60 services.web.x-hive.autoscale.target.metrics[0].name is \"a b\": it must be 1 "
             "to 64 letters, digits, '_', '-' and '.'"},
        Case{
            "x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, per_replica: 0}]}}}",
            "5:76 services.web.x-hive.autoscale.target.metrics[0].per_replica must be more than 0"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a-b, per_replica: 2}]}}}",
             "5:60 services.web.x-hive.autoscale.target.metrics[0]: no series can be called "
             "\"a-b\" (set metric to the name that the tasks' text has: letters, digits, '_' and "
             "':')"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, per_replica: 2, labels: "
             "{a-b: c}}]}}}",
             "5:93 services.web.x-hive.autoscale.target.metrics[0].labels: no label can be called "
             "\"a-b\""},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, per_replica: 2, path: "
             "m}]}}}",
             "5:85 services.web.x-hive.autoscale.target.metrics[0].path is \"m\": it must begin "
             "with / and have no spaces, quotes or #"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, per_replica: 2, port: "
             "0}]}}}",
             "5:85 services.web.x-hive.autoscale.target.metrics[0].port is 0: it must be 1 to "
             "65535"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, per_replica: 2, query: "
             "q}]}}}",
             "5:53 services.web.x-hive.autoscale.target.metrics[0] has a query and no server (such "
             "as server: http://10.0.0.5:9090)"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, per_replica: 2, server: "
             "\"http://u:p@h\", query: q}]}}}",
             "5:87 services.web.x-hive.autoscale.target.metrics[0].server is \"http://u:p@h\": it "
             "must be a URL without name, password and query (such as http://10.0.0.5:9090)"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, per_replica: 2, server: "
             "\"http://h\", query: q, port: 8}]}}}",
             "5:115 services.web.x-hive.autoscale.target.metrics[0].port is of tasks, and a query "
             "asks none (leave it out, or server and query)"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, per_replica: 2}, {name: a, "
             "per_replica: 3}]}}}",
             "5:80 services.web.x-hive.autoscale.target.metrics[1]: there is a metric \"a\" "
             "already"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, cloudwatch: latency, "
             "at_most: "
             "1s}]}}}",
             "5:75 services.web.x-hive.autoscale.target.metrics[0].cloudwatch is \"latency\": it "
             "must be RequestCount or Latency or SurgeQueueLength or SpilloverCount (did you mean "
             "\"Latency\"?)"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, cloudwatch: \"\"}]}}}",
             "5:75 services.web.x-hive.autoscale.target.metrics[0].cloudwatch is empty: it must be "
             "RequestCount or Latency or SurgeQueueLength or SpilloverCount"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, cloudwatch: Latency}]}}}",
             "5:53 services.web.x-hive.autoscale.target.metrics[0] has no at_most (say how long "
             "answers may take: 400ms)"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, cloudwatch: Latency, "
             "at_most: 0s}]}}}",
             "5:93 services.web.x-hive.autoscale.target.metrics[0].at_most must be more than 0"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, cloudwatch: Latency, "
             "at_most: 1s, per_replica: 2}]}}}",
             "5:110 services.web.x-hive.autoscale.target.metrics[0].per_replica: no replica takes "
             "a part of a time (set at_most)"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, cloudwatch: "
             "RequestCount}]}}}",
             "5:53 services.web.x-hive.autoscale.target.metrics[0] has no per_replica (say how "
             "much of it one replica takes)"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, per_replica: 2, at_most: "
             "1s}]}}}",
             "5:88 services.web.x-hive.autoscale.target.metrics[0].at_most is of cloudwatch: "
             "Latency alone (set per_replica)"},
        Case{"x-hive: {autoscale: {max: 2, target: {metrics: [{name: a, cloudwatch: RequestCount, "
             "per_replica: 2, query: q}]}}}",
             "5:112 services.web.x-hive.autoscale.target.metrics[0].query is of Prometheus, and "
             "cloudwatch asks none (leave it out, or cloudwatch)"},
        Case{"x-hive: {autoscal: {}}",
             "5:14 unknown key \"autoscal\" in services.web.x-hive (did you mean \"autoscale\"?)"},
        Case{"x-hive: {routes: [{path: api}]}",
             "5:30 services.web.x-hive.routes[0].path is \"api\": it must begin with / and have no "
             "spaces, quotes, ? or # (write \"/api\")"},
        Case{"x-hive: {routes: [{host: \"a b\"}]}",
             "5:30 services.web.x-hive.routes[0].host is \"a b\": it must be a host name, or *. "
             "and one"},
        Case{"x-hive: {logs: {paths: [logs/x]}}",
             "5:28 services.web.x-hive.logs.paths: \"logs/x\" is not an absolute path"},
        Case{
            "x-hive: {logs: {destination: logs}}",
            "5:34 services.web.x-hive.logs.destination is \"logs\": it must be an absolute path to "
            "a directory"},
        Case{"x-hive: {logs: {paths: [/x], filebeat: {}}}",
             "5:44 services.web.x-hive.logs.filebeat has no registry (what Filebeat has had "
             "acknowledged stands there)"},
        Case{"x-hive: {logs: {filebeat: {registry: /r}}}",
             "5:31 services.web.x-hive.logs.filebeat ships nothing: "
             "services.web.x-hive.logs.paths is empty (name the files that Filebeat reads)"},
        Case{"x-hive: {logs: {paths: [/x], filebeat: {registry: /r, where: host}}}",
             "5:66 services.web.x-hive.logs.filebeat.where is \"host\": it must be container or "
             "node"},
        Case{"x-hive: {logs: {paths: [/x], filebeat: {registry: /r, stats: \"unix:x\"}}}",
             "5:66 services.web.x-hive.logs.filebeat.stats is \"unix:x\": it must begin with "
             "http://"},
        Case{"x-hive: {drain: {stop_timeout: 25h}}",
             "5:36 services.web.x-hive.drain.stop_timeout is more than 24h0m0s"},
        Case{"x-hive: {drain: {flush_timeout: -1s}}",
             "5:37 services.web.x-hive.drain.flush_timeout cannot be negative"},
        Case{"x-hive: {drain: {timeout: soon}}",
             "5:31 services.web.x-hive.drain.timeout: \"soon\" is not a duration (write for "
             "example \"30s\" or \"1m30s\")"}));

TEST(Faults, versions) {
  EXPECT_EQ(faults_of("services: {}\n"),
            Strings{"1:1 the file has no `version`: docker stack deploy refuses it (write version: "
                    "\"3.8\" at its top)"});
  EXPECT_EQ(faults_of("version: 3.8\n"),
            Strings{"1:10 version must be a string, and is a number (3.8) (quote it: \"3.8\")"});
  EXPECT_EQ(faults_of("version: \"2.4\"\n"),
            Strings{"1:10 Compose file version \"2.4\" is not one for Swarm (versions \"3.0\" to "
                    "\"3.13\" are read)"});
  for (const auto* good : {"3", "3.0", "3.1", "3.9", "3.10", "3.13"})
    EXPECT_EQ(faults_of("version: \"" + std::string(good) + "\"\n"), Strings{}) << good;
  for (const auto* bad : {"3.14", "3.", "3.x", "3.01", "4"})
    EXPECT_EQ(faults_of("version: \"" + std::string(bad) + "\"\n").size(), 1U) << bad;
}

TEST(Faults, wholeFiles) {
  EXPECT_EQ(faults_of("").size(), 1U);
  EXPECT_EQ(faults_of("- a\n"),
            Strings{"1:1 the file must be a mapping at its top level, and is a list"});
  EXPECT_EQ(faults_of("version: \"3.8\"\nservcies: {}\n"),
            Strings{"2:1 unknown key \"servcies\" at the top level (did you mean \"services\"?)"});
  EXPECT_FALSE(load({}, test_options()));
}

TEST(Faults, cluster) {
  const auto faults = faults_of(R"(version: "3.8"
x-hive:
  name: My Shop
  cloud: locl
  managers: 9
  workers: {min: 5, max: 2}
  subnet: 10.0.0.1/24
  load_balancer: {listeners: ["80:8080", "80:81", "90:7080", "x"]}
  registry: {address: "https://r", username: u}
  dashbord: {}
)");
  ASSERT_EQ(faults.size(), 11U);
  EXPECT_EQ(faults[1],
            "4:10 x-hive.cloud is \"locl\": it must be local or aws (did you mean "
            "\"local\"?)");
  EXPECT_EQ(faults[3], "6:26 x-hive.workers.max is 2, and min is 5");
  EXPECT_EQ(faults[10], "10:3 unknown key \"dashbord\" in x-hive (did you mean \"dashboard\"?)");
}

TEST(Faults, workersThatFollow) {
  EXPECT_EQ(faults_of("version: \"3.8\"\nx-hive: {workers: {max: 3, join_timeout: 1s}}\n"),
            Strings{"2:42 x-hive.workers.join_timeout is less than 5s: nothing boots as fast"});
  EXPECT_EQ(faults_of("version: \"3.8\"\nx-hive: {workers: {max: 3, scale_in_after: 25h}}\n"),
            Strings{"2:44 x-hive.workers.scale_in_after is more than 24h0m0s"});
}

std::string two_services(const std::string& a, const std::string& b) {
  return "version: \"3.8\"\nservices:\n  a: {image: i, ports: [\"80:80\"]" + a +
         "}\n  b: {image: i, ports: [\"80:81\"]" + b + "}\n";
}

TEST(SharedPorts, needRoutesThatTellThemApart) {
  EXPECT_EQ(faults_of(two_services("", "")),
            Strings{"4:25 services a and b both publish port 80 (publish another port, or tell "
                    "them apart by x-hive.routes)"});
  const std::string api = ", x-hive: {routes: [{path: /api}]}";
  EXPECT_EQ(faults_of(two_services("", api)), Strings{});
  EXPECT_EQ(faults_of(two_services(api, ", x-hive: {routes: [{path: /web}]}")), Strings{});
  EXPECT_EQ(faults_of(two_services(api, api)),
            Strings{"4:25 services a and b both publish port 80 for host \"\" and path \"/api\" "
                    "(give them different x-hive.routes)"});
}

TEST(Faults, areBounded) {
  std::string text = "version: \"3.8\"\nservices:\n";
  for (int i = 0; i < 1000; ++i) text += "  s" + std::to_string(i) + ": {bad: 1}\n";
  const auto loaded = load({{"hive.yml", text}}, test_options());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().faults.size(), kMaxFaults);
  EXPECT_GT(loaded.error().dropped, 0U);
  EXPECT_NE(render(loaded.error()).find(" more\n"), std::string::npos);
}

TEST(Faults, namesTheFileThatHasThem) {
  const auto loaded = load({{"a.yml", "version: \"3.8\"\nservices: {w: {image: x}}\n"},
                            {"b.yml", "version: \"3.7\"\nservices: {w: {imge: y}}\n"}},
                           test_options());
  ASSERT_FALSE(loaded);
  ASSERT_EQ(loaded.error().faults.size(), 2U);
  EXPECT_EQ(render(loaded.error()).substr(0, 60),
            "b.yml:1:10: version \"3.7\" differs from the \"3.8\" of a.yml (a");
}

TEST(Faults, unreadableFileIsOne) {
  const auto loaded = load_paths({"/nonexistent/hive.yml"}, {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().faults.size(), 1U);
}

}  // namespace
}  // namespace hive::config
