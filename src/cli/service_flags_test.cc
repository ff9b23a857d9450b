#include "cli/service_flags.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "os/file.h"

namespace hive::cli {
namespace {

Json listeners(const Json& spec) {
  const auto& labels = spec.at("Labels");
  return labels.contains("hive.listeners")
             ? Json::parse(labels.at("hive.listeners").get<std::string>())
             : Json::array();
}

TEST(Publish, ShortFormBecomesAListenerAndADynamicHostPort) {
  ServiceFlags flags;
  flags.lists["--publish"] = {"8080:80"};
  const auto spec = new_service_spec(flags, {"image"});
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ((*spec)["EndpointSpec"]["Ports"],
            Json::parse(R"([{"Protocol":"tcp","TargetPort":80,"PublishMode":"host"}])"));
  EXPECT_EQ(listeners(*spec), Json::parse(R"([{"port":8080,"target":80,"protocol":"tcp"}])"));
}

TEST(Publish, HostModeIsBoundAsWrittenAndIsNoListener) {
  ServiceFlags flags;
  flags.lists["--publish"] = {"published=53,target=5353,protocol=udp,mode=host"};
  const auto spec = new_service_spec(flags, {"image"});
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ((*spec)["EndpointSpec"]["Ports"][0]["PublishedPort"], 53);
  EXPECT_EQ(listeners(*spec), Json::array());
}

TEST(Publish, RangesPairUp) {
  const auto all = parse_publish("8000-8002:80-82");
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ(all->back().published, 8002);
  EXPECT_EQ(all->back().target, 82);
}

TEST(Publish, SaysWhatIsWrong) {
  for (const auto& [text, word] : std::vector<std::pair<std::string, std::string>>{
           {"0:80", "no port"},
           {"80:99999", "no port"},
           {"80-90:80", "not of one length"},
           {"127.0.0.1:80:80", "address"},
           {"80/tpc", "protocol"},
           {"published=80", "target= is missing"},
           {"target=80,mode=hst", "mode=host|ingress"}}) {
    const auto parsed = parse_publish(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message.find(word), std::string::npos) << parsed.error().message;
  }
}

TEST(Publish, RemovingTakesListenerAndPort) {
  ServiceFlags flags;
  flags.lists["--publish"] = {"8080:80", "8443:443"};
  auto spec = new_service_spec(flags, {"image"});
  ASSERT_TRUE(spec);
  ASSERT_TRUE(remove_publish("80", *spec));
  EXPECT_EQ((*spec)["EndpointSpec"]["Ports"].size(), 1U);
  EXPECT_EQ(listeners(*spec), Json::parse(R"([{"port":8443,"target":443,"protocol":"tcp"}])"));
  EXPECT_EQ(remove_publish("80", *spec).error().code, Errc::kNotFound);
}

TEST(Flags, LimitsParametersGroupsAndResolver) {
  ServiceFlags flags;
  flags.lists["--ulimit"] = {"nofile=1024:2048", "nproc=64"};
  flags.lists["--sysctl"] = {"net.core.somaxconn=512"};
  flags.lists["--group"] = {"audio"};
  flags.lists["--dns-search"] = {"example.org"};
  flags.lists["--dns-option"] = {"ndots:2"};
  auto spec = new_service_spec(flags, {"image"});
  ASSERT_TRUE(spec) << spec.error().message;
  const Json& container = (*spec)["TaskTemplate"]["ContainerSpec"];
  EXPECT_EQ(container["Ulimits"], Json::parse(R"([{"Name":"nofile","Soft":1024,"Hard":2048},
                            {"Name":"nproc","Soft":64,"Hard":64}])"));
  EXPECT_EQ(container["Sysctls"], Json::parse(R"({"net.core.somaxconn":"512"})"));
  EXPECT_EQ(container["Groups"], Json::parse(R"(["audio"])"));
  EXPECT_EQ(container["DNSConfig"],
            Json::parse(R"({"Options":["ndots:2"],"Search":["example.org"]})"));
  ServiceFlags change;
  change.lists["--ulimit-add"] = {"nofile=10"};
  change.lists["--ulimit-rm"] = {"nproc"};
  change.lists["--sysctl-rm"] = {"net.core.somaxconn"};
  change.lists["--group-rm"] = {"audio"};
  ASSERT_TRUE(edit_service_spec(change, *spec));
  const Json& changed = (*spec)["TaskTemplate"]["ContainerSpec"];
  EXPECT_EQ(changed["Ulimits"], Json::parse(R"([{"Name":"nofile","Soft":10,"Hard":10}])"));
  EXPECT_FALSE(changed.contains("Groups"));
  for (const char* wrong : {"nofile", "nofile=", "nofile=x", "nofile=2:1", "=1"}) {
    flags.lists["--ulimit"] = {wrong};
    EXPECT_FALSE(new_service_spec(flags, {"image"})) << wrong;
  }
}

TEST(Flags, VariablesOfAFileAndThoseOfTheCommandLineOverThem) {
  const std::string file = ::testing::TempDir() + "/hive-env-" + std::to_string(::getpid());
  ASSERT_TRUE(os::write_file_atomically(file, "# comment\n\nA=1\n  B='x y'\nC=3\r\n"));
  ServiceFlags flags;
  flags.lists["--env-file"] = {file};
  flags.lists["--env"] = {"A=2"};
  const auto spec = new_service_spec(flags, {"image"});
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ((*spec)["TaskTemplate"]["ContainerSpec"]["Env"],
            Json::parse(R"(["B='x y'","C=3","A=2"])"));
  ASSERT_TRUE(os::write_file_atomically(file, "A=1\nB C=2\n"));
  const auto wrong = new_service_spec(flags, {"image"});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find(":2: 'B C' is no variable's name"), std::string::npos);
  ::unlink(file.c_str());
  EXPECT_FALSE(new_service_spec(flags, {"image"}));
}

TEST(Flags, FieldsLandWhereTheEngineWantsThem) {
  ServiceFlags flags;
  flags.text["--name"] = "web";
  flags.text["--replicas"] = "3";
  flags.text["--limit-cpu"] = "0.5";
  flags.text["--reserve-memory"] = "64M";
  flags.text["--update-delay"] = "1m30s";
  flags.text["--health-cmd"] = "curl -f localhost";
  flags.lists["--env"] = {"A=1", "A=2", "B=x=y"};
  const auto spec = new_service_spec(flags, {"image", "run", "-v"});
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ((*spec)["Name"], "web");
  EXPECT_EQ((*spec)["Mode"]["Replicated"]["Replicas"], 3);
  const auto& task = (*spec)["TaskTemplate"];
  EXPECT_EQ(task["Resources"]["Limits"]["NanoCPUs"], 500'000'000);
  EXPECT_EQ(task["Resources"]["Reservations"]["MemoryBytes"], 64 << 20);
  EXPECT_EQ((*spec)["UpdateConfig"]["Delay"], 90'000'000'000);
  EXPECT_EQ(task["ContainerSpec"]["Args"], Json::parse(R"(["run","-v"])"));
  EXPECT_EQ(task["ContainerSpec"]["Env"], Json::parse(R"(["A=2","B=x=y"])"));
  EXPECT_EQ(task["ContainerSpec"]["Healthcheck"]["Test"],
            Json::parse(R"(["CMD-SHELL","curl -f localhost"])"));
}

TEST(Flags, ReplicasOfAGlobalServiceAreRefused) {
  ServiceFlags flags;
  flags.text["--mode"] = "global";
  flags.text["--replicas"] = "2";
  const auto spec = new_service_spec(flags, {"image"});
  ASSERT_FALSE(spec);
  EXPECT_NE(spec.error().message.find("global"), std::string::npos);
}

TEST(Flags, BadValuesNameTheFlag) {
  for (const auto& [flag, value] :
       std::vector<std::pair<std::string, std::string>>{{"--replicas", "-1"},
                                                        {"--replicas", "two"},
                                                        {"--limit-cpu", "many"},
                                                        {"--limit-memory", "12Q"},
                                                        {"--update-delay", "soon"},
                                                        {"--update-order", "start-frist"},
                                                        {"--update-max-failure-ratio", "1.5"}}) {
    ServiceFlags flags;
    flags.text[flag] = value;
    const auto spec = new_service_spec(flags, {"image"});
    ASSERT_FALSE(spec) << flag;
    EXPECT_EQ(spec.error().message.rfind(flag, 0), 0U) << spec.error().message;
  }
}

TEST(Edit, NothingAskedChangesNothing) {
  Json spec = Json::parse(
      R"({"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"a"}},"Mode":{"Replicated":{}}})");
  const Json before = spec;
  const auto changed = edit_service_spec({}, spec);
  ASSERT_TRUE(changed);
  EXPECT_FALSE(*changed);
  EXPECT_EQ(spec, before);
}

TEST(Edit, AddsAndRemovesByKeyAndKeepsTheRest) {
  Json spec = Json::parse(R"({"Name":"web","Labels":{"a":"1"},"FieldOfANewerEngine":7,
    "TaskTemplate":{"ForceUpdate":4,"ContainerSpec":{"Image":"a","Env":["A=1","B=2"],
      "Mounts":[{"Type":"bind","Source":"/x","Target":"/y"}]},
      "Placement":{"Constraints":["node.role==worker"]}}})");
  ServiceFlags flags;
  flags.lists["--env-add"] = {"C=3", "A=9"};
  flags.lists["--env-rm"] = {"B"};
  flags.lists["--mount-rm"] = {"/y"};
  flags.lists["--constraint-rm"] = {"node.role==worker"};
  flags.lists["--label-add"] = {"b=2"};
  flags.flags["--force"] = true;
  flags.text["--image"] = "b";
  const auto changed = edit_service_spec(flags, spec);
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_TRUE(*changed);
  EXPECT_EQ(spec["FieldOfANewerEngine"], 7);
  EXPECT_EQ(spec["TaskTemplate"]["ForceUpdate"], 5);
  EXPECT_EQ(spec["TaskTemplate"]["ContainerSpec"]["Env"], Json::parse(R"(["C=3","A=9"])"));
  EXPECT_FALSE(spec["TaskTemplate"]["ContainerSpec"].contains("Mounts"));
  EXPECT_EQ(spec["TaskTemplate"]["ContainerSpec"]["Image"], "b");
  EXPECT_EQ(spec["Labels"], Json::parse(R"({"a":"1","b":"2"})"));
}

TEST(Mount, QuotedFieldsMayHoldCommas) {
  const auto mount = parse_mount(
      R"(type=volume,source=logs,target=/logs,volume-opt=type=nfs,"volume-opt=o=addr=10.0.0.1,rw")");
  ASSERT_TRUE(mount) << mount.error().message;
  EXPECT_EQ((*mount)["VolumeOptions"]["DriverConfig"]["Options"]["o"], "addr=10.0.0.1,rw");
}

TEST(Mount, SaysWhatIsWrong) {
  EXPECT_NE(parse_mount("type=bind,target=/a").error().message.find("needs source="),
            std::string::npos);
  EXPECT_NE(parse_mount("type=bind,source=a,target=/a").error().message.find("absolute"),
            std::string::npos);
  EXPECT_NE(parse_mount("tpye=bind").error().message.find("did you mean type?"), std::string::npos);
}

TEST(Init, StopsOfANewServiceAreHeld) {
  const auto spec = new_service_spec({}, {"image"});
  ASSERT_TRUE(spec) << spec.error().message;
  const Json& container = (*spec)["TaskTemplate"]["ContainerSpec"];
  EXPECT_EQ(container["Init"], true);
  EXPECT_EQ(container["StopGracePeriod"], 95'000'000'000);
}

TEST(Init, ALongerGracePeriodIsLeftAsItIs) {
  ServiceFlags flags;
  flags.text["--stop-grace-period"] = "5m";
  const auto spec = new_service_spec(flags, {"image"});
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ((*spec)["TaskTemplate"]["ContainerSpec"]["StopGracePeriod"], 300'000'000'000);
}

TEST(Init, CanBeLeftOut) {
  ServiceFlags flags;
  flags.flags["--no-init"] = true;
  flags.text["--stop-grace-period"] = "5s";
  const auto spec = new_service_spec(flags, {"image"});
  ASSERT_TRUE(spec) << spec.error().message;
  const Json& container = (*spec)["TaskTemplate"]["ContainerSpec"];
  EXPECT_EQ(container["Init"], false);
  EXPECT_EQ(container["StopGracePeriod"], 5'000'000'000);
}

}  // namespace
}  // namespace hive::cli
