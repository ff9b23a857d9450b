// The port over an AWS that is played by a model of one Auto Scaling group: what is sent, and what
// is made of the answers.
#include "cloud/aws/cloud_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "cloud/aws/autoscaling.h"
#include "cloud/aws/ec2.h"
#include "cloud/testing/figures_contract.h"
#include "cloud/testing/group_contract.h"
#include "cloud/testing/manager_contract.h"
#include "net/testing/scripted_server.h"

namespace hive::cloud::aws {
namespace {

using net::testing::answer;
using net::testing::Reply;
using net::testing::ScriptedRequest;
using net::testing::ScriptedServer;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A group with its members' machines. Requests are read as far as these tests need.
class ModelAws {
 public:
  struct Member {
    std::string id;
    std::string lifecycle;
  };
  int min = 1;
  int max = 4;
  int desired = 1;
  bool exists = true;
  std::vector<Member> members;
  std::optional<std::vector<Member>> warm;  // in its warm pool, where it has one
  std::string activities;                   // the newest first, as XML
  std::vector<std::string> done;            // what changed something
  std::vector<std::string> asked;           // all actions

  bool stock = true;
  std::string denied;                                              // an action
  std::map<std::string, std::pair<std::string, double>> measured;  // time and value by metric

  struct Manager {
    std::string id;
    std::string name;
    std::string subnet;
    std::string token;
    std::string state = "running";
  };
  std::vector<Manager> managers;
  std::set<std::string> full_subnets;
  std::string full = "InsufficientInstanceCapacity";  // what they answer
  bool has_template = true;
  bool lists_late = false;            // what was launched here is not listed
  std::vector<std::string> launches;  // the requests' bodies that made a machine

  // The group's own.
  void turn() {
    std::erase_if(members, [](const Member& one) { return one.lifecycle == "Terminated"; });
    while (counted() < desired && stock) members.push_back({next_id(), "Pending:Wait"});
    if (counted() < desired)
      activities =
          "<member><Description>Launching a new EC2 instance</Description><StatusCode>"
          "Failed</StatusCode><StatusMessage>none left</StatusMessage></member>";
  }

  Reply handle(const std::string& body) {
    const std::string action = field(body, "Action");
    asked.push_back(action);
    if (action == denied)
      return answer(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>");
    if (action == "DescribeInstances") return result(action, machines());
    if (action == "DescribeAutoScalingGroups") return result(action, group());
    if (action == "GetMetricData") return result(action, metric_data(body));
    if (action == "RunInstances") return run(body);
    if (action == "DescribeWarmPool")
      return result(action, "<Instances>" + listed_members(*warm) + "</Instances>");
    if (action == "DescribeScalingActivities")
      return result(action, "<Activities>" + activities + "</Activities>");
    if (action == "SetDesiredCapacity") {
      desired = std::stoi(field(body, "DesiredCapacity"));
      done.push_back("desired " + std::to_string(desired));
    } else if (action == "TerminateInstanceInAutoScalingGroup") {
      const bool shrinks = field(body, "ShouldDecrementDesiredCapacity") == "true";
      done.push_back("end " + field(body, "InstanceId") + (shrinks ? " for good" : ""));
      if (shrinks) --desired;
      for (auto& one : members)
        if (one.id == field(body, "InstanceId")) one.lifecycle = "Terminating:Wait";
    } else if (action == "TerminateInstances") {
      done.push_back("end machine " + field(body, "InstanceId.1"));
      for (auto& one : managers)
        if (one.id == field(body, "InstanceId.1")) one.state = "terminated";
    } else if (action == "CompleteLifecycleAction") {
      done.push_back(field(body, "LifecycleHookName") + " " + field(body, "InstanceId") + " " +
                     field(body, "LifecycleActionResult"));
      return complete(body);
    }
    return result(action, "");
  }

 private:
  // The same token is the same machine, and no other parameters.
  Reply run(const std::string& body) {
    const std::string token = field(body, "ClientToken");
    const std::string subnet = field(body, "SubnetId");
    for (const auto& one : managers)
      if (one.token == token) {
        if (one.subnet != subnet) return refusal("IdempotentParameterMismatch");
        if (one.state != "running") return refusal("IdempotentInstanceTerminated");
        return answer(200, "<RunInstancesResponse><instancesSet>" + machine(one) +
                               "</instancesSet></RunInstancesResponse>");
      }
    if (!has_template) return refusal("InvalidLaunchTemplateName.NotFoundException");
    if (full_subnets.count(subnet) > 0) return refusal(full);
    launches.push_back(body);
    managers.push_back({next_id(), field(body, "TagSpecification.1.Tag.1.Value"), subnet, token});
    return answer(200, "<RunInstancesResponse><instancesSet>" + machine(managers.back()) +
                           "</instancesSet></RunInstancesResponse>");
  }
  static Reply refusal(const std::string& code) {
    return answer(400, "<Response><Errors><Error><Code>" + code +
                           "</Code><Message>no</Message></Error></Errors></Response>");
  }
  static std::string machine(const Manager& one) {
    return "<item><instanceId>" + one.id + "</instanceId><instanceState><name>" + one.state +
           "</name></instanceState><subnetId>" + one.subnet + "</subnetId><placement>" +
           "<availabilityZone>eu-west-1" + one.subnet.back() +
           "</availabilityZone></placement><clientToken>" + one.token +
           "</clientToken><tagSet><item><key>hive:role</key><value>manager</value></item>"
           "<item><key>Name</key><value>" +
           one.name + "</value></item></tagSet></item>";
  }

  int counted() const {
    return static_cast<int>(std::count_if(members.begin(), members.end(), [](const Member& one) {
      return one.lifecycle == "InService" || one.lifecycle.starts_with("Pending");
    }));
  }
  std::string next_id() { return "i-new" + std::to_string(++made_); }
  Reply complete(const std::string& body) {
    const bool launching = field(body, "LifecycleHookName") == kLaunchHook;
    const bool abandons = field(body, "LifecycleActionResult") == "ABANDON";
    for (auto& one : members) {
      const char* waits = launching ? "Pending:Wait" : "Terminating:Wait";
      if (one.id != field(body, "InstanceId") || one.lifecycle != waits) continue;
      one.lifecycle = !launching ? "Terminated" : abandons ? "Terminating:Wait" : "InService";
      return result("CompleteLifecycleAction", "");
    }
    return answer(400,
                  "<ErrorResponse><Error><Code>ValidationError</Code><Message>No active Lifecycle "
                  "Action found with instance ID</Message></Error></ErrorResponse>");
  }
  int made_ = 0;

  std::string metric_data(const std::string& body) const {
    std::string out;
    for (int i = 1;; ++i) {
      const std::string at = "MetricDataQueries.member." + std::to_string(i);
      const auto id = field(body, at + ".Id");
      if (id.empty()) return "<MetricDataResults>" + out + "</MetricDataResults>";
      EXPECT_EQ(field(body, at + ".MetricStat.Metric.Dimensions.member.1.Value"), "hive-shop");
      std::string points;
      if (const auto found = measured.find(field(body, at + ".MetricStat.Metric.MetricName"));
          found != measured.end())
        points = "<Timestamps><member>" + found->second.first +
                 "</member></Timestamps><Values><member>" + std::to_string(found->second.second) +
                 "</member></Values>";
      out += "<member><Id>" + id + "</Id><StatusCode>Complete</StatusCode>" + points + "</member>";
    }
  }
  static std::string field(const std::string& body, const std::string& name) {
    const auto at = ("&" + body).find("&" + name + "=");
    if (at == std::string::npos) return "";
    const auto begin = at + name.size() + 1;
    return body.substr(begin, body.find('&', begin) - begin);
  }
  static Reply result(const std::string& action, const std::string& inner) {
    return answer(200, "<" + action + "Response><" + action + "Result>" + inner + "</" + action +
                           "Result></" + action + "Response>");
  }
  std::string machines() const {
    std::string out;
    auto all = members;
    if (warm) all.insert(all.end(), warm->begin(), warm->end());
    for (const auto& one : all)
      out += "<item><instanceId>" + one.id +
             "</instanceId><instanceState><name>running</name></instanceState>"
             "<privateIpAddress>10.0.0.1</privateIpAddress>"
             "<launchTime>2026-01-01T00:00:00Z</launchTime><tagSet><item><key>hive:role</key>"
             "<value>worker</value></item></tagSet></item>";
    for (const auto& one : managers)
      if (one.state != "terminated" && !(lists_late && one.id.starts_with("i-new")))
        out += machine(one);
    return "<reservationSet><item><instancesSet>" + out + "</instancesSet></item></reservationSet>";
  }
  std::string group() const {
    if (!exists) return "<AutoScalingGroups></AutoScalingGroups>";
    return "<AutoScalingGroups><member><AutoScalingGroupName>hive-shop-workers"
           "</AutoScalingGroupName><MinSize>" +
           std::to_string(min) + "</MinSize><MaxSize>" + std::to_string(max) +
           "</MaxSize><DesiredCapacity>" + std::to_string(desired) +
           "</DesiredCapacity><VPCZoneIdentifier>subnet-a,subnet-b,subnet-c</VPCZoneIdentifier>"
           "<Instances>" +
           listed_members(members) + "</Instances>" +
           (warm ? "<WarmPoolConfiguration><MinSize>2</MinSize></WarmPoolConfiguration>" : "") +
           "</member></AutoScalingGroups>";
  }
  static std::string listed_members(const std::vector<Member>& which) {
    std::string out;
    for (const auto& one : which)
      out += "<member><InstanceId>" + one.id + "</InstanceId><LifecycleState>" + one.lifecycle +
             "</LifecycleState></member>";
    return out;
  }
};

std::string activity(const std::string& what, const std::string& status,
                     const std::string& message = "") {
  return "<member><Description>" + what + "</Description><StatusCode>" + status +
         "</StatusCode><StatusMessage>" + message + "</StatusMessage></member>";
}

class PortTest : public ::testing::Test {
 protected:
  PortTest()
      : server(ScriptedServer::Kind::kTcp,
               [this](const ScriptedRequest& request) { return aws.handle(request.body); }),
        client({.region = "eu-west-1",
                .environment = {{"AWS_ACCESS_KEY_ID", "a"},
                                {"AWS_SECRET_ACCESS_KEY", "b"},
                                {"AWS_ENDPOINT_URL",
                                 "http://127.0.0.1:" + std::to_string(server.port())}},
                .clock = &clock,
                .deadline = Milliseconds(5'000),
                .pause = [](Milliseconds) { return false; }}),
        port(connect(client, Names("shop"))) {}

  ManualClock clock;
  ModelAws aws;
  ScriptedServer server;
  Client client;
  std::unique_ptr<Cloud> port;
};

TEST_F(PortTest, TellsWhereInstancesStandInTheGroup) {
  aws.members = {{"i-1", "InService"},        {"i-2", "Pending"},     {"i-3", "Pending:Wait"},
                 {"i-4", "Terminating:Wait"}, {"i-5", "Terminating"}, {"i-6", "Standby"}};
  const auto all = port->list_instances();
  ASSERT_TRUE(all) << describe(all.error());
  std::vector<std::pair<Membership, Hold>> seen;
  for (const auto& one : *all) seen.emplace_back(one.membership, one.hold);
  EXPECT_THAT(seen, ElementsAre(std::pair(Membership::kServing, Hold::kNone),
                                std::pair(Membership::kComing, Hold::kNone),
                                std::pair(Membership::kComing, Hold::kLaunching),
                                std::pair(Membership::kEnding, Hold::kEnding),
                                std::pair(Membership::kEnding, Hold::kNone),
                                std::pair(Membership::kNone, Hold::kNone)));
}

TEST_F(PortTest, WhatIsInTheWarmPoolIsNoInstanceOfTheClustersYet) {
  aws.members = {{"i-1", "InService"}, {"i-2", "Pending:Wait"}};
  ASSERT_TRUE(port->list_instances());
  EXPECT_THAT(aws.asked, Not(::testing::Contains("DescribeWarmPool"))) << "it has none";
  aws.warm = {{"i-3", "Warmed:Pending:Wait"},
              {"i-4", "Warmed:Stopped"},
              {"i-5", "Warmed:Running"},
              {"i-6", "Warmed:Terminating:Wait"}};
  const auto all = port->list_instances();
  ASSERT_TRUE(all) << describe(all.error());
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ(all->back().id, "i-6");
  EXPECT_EQ(all->back().membership, Membership::kEnding);
  EXPECT_EQ(all->back().hold, Hold::kEnding) << "its hook is answered as any other's";
  ASSERT_TRUE(port->release_hold(all->back()));
  EXPECT_EQ(aws.done.back(), "hive-terminate i-6 CONTINUE");
  EXPECT_EQ(*port->worker_group(), (WorkerGroup{1, 4, 1, ""})) << "nor of its size";
}

TEST_F(PortTest, AsksWhyInstancesDoNotComeOnlyWhereSomeAreDue) {
  aws.members = {{"i-1", "InService"}};
  EXPECT_EQ(*port->worker_group(), (WorkerGroup{1, 4, 1, ""}));
  EXPECT_THAT(aws.asked, ElementsAre("DescribeAutoScalingGroups"));
  aws.desired = 3;
  aws.activities =
      activity("Terminating EC2 instance: i-9", "Successful") +
      activity("Launching a new EC2 instance. Status Reason: no", "Failed",
               "We currently do not have sufficient m5.large capacity in eu-west-1a. ");
  EXPECT_EQ(port->worker_group()->shortage,
            "We currently do not have sufficient m5.large capacity in eu-west-1a");
  aws.activities = activity("Launching a new EC2 instance: i-2", "InProgress") + aws.activities;
  EXPECT_EQ(port->worker_group()->shortage, "") << "one comes";
  aws.members = {{"i-1", "InService"}, {"i-2", "Terminating:Wait"}};
  aws.desired = 1;
  aws.asked.clear();
  EXPECT_EQ(port->worker_group()->desired, 1);
  EXPECT_THAT(aws.asked, ElementsAre("DescribeAutoScalingGroups"));
}

TEST_F(PortTest, AnInstanceThatCameAndFailedIsNoShortage) {
  const auto of = [&](const std::string& what, const std::string& why, std::string at = "") {
    return shortage_of({{what, "Failed", why, std::move(at)}}, clock.wall_now());
  };
  EXPECT_EQ(of("Launching a new EC2 instance: i-1", "hook"), "");
  EXPECT_EQ(of("Launching a new EC2 instance", ""), "AWS does not say why");
  EXPECT_EQ(shortage_of({}, clock.wall_now()), "");
  EXPECT_LE(of("Launching", std::string(5'000, 'x')).size(), 200U);
  EXPECT_EQ(of("Launching", "none", "2020-01-01T00:00:00Z"), "") << "long ago";
}

TEST_F(PortTest, ManagersOfAnOlderClusterAreNotBlindForALackOfPermission) {
  aws.denied = "DescribeScalingActivities";
  aws.desired = 2;
  const auto group = port->worker_group();
  ASSERT_TRUE(group) << describe(group.error());
  EXPECT_EQ(group->shortage, "");
}

TEST_F(PortTest, TheSizeIsRaisedToANumberAndNeverTwice) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(port->raise_workers(3));
  ASSERT_TRUE(port->raise_workers(2)) << "it is more already";
  EXPECT_THAT(aws.done, ElementsAre("desired 3"));
  const auto beyond = port->raise_workers(5);
  EXPECT_EQ(beyond.error().code, Errc::kFailedPrecondition);
  EXPECT_THAT(beyond.error().message, HasSubstr("no more than 4"));
  aws.exists = false;
  EXPECT_EQ(port->raise_workers(2).error().code, Errc::kNotFound);
  EXPECT_EQ(*port->worker_group(), WorkerGroup{});
}

TEST_F(PortTest, WhatDoesNotComeIsForgoneAndNothingElse) {
  aws.desired = 4;
  aws.members = {{"i-1", "InService"}, {"i-2", "Pending:Wait"}, {"i-3", "Terminating:Wait"}};
  ASSERT_TRUE(port->forgo_workers());
  ASSERT_TRUE(port->forgo_workers());
  EXPECT_THAT(aws.done, ElementsAre("desired 2"));
  aws.members.clear();
  ASSERT_TRUE(port->forgo_workers());
  EXPECT_EQ(aws.desired, 1) << "the minimum";
}

TEST_F(PortTest, AnEndedMemberShrinksTheGroupOnce) {
  aws.desired = 3;
  aws.members = {{"i-1", "InService"}, {"i-2", "InService"}, {"i-3", "InService"}};
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(port->terminate("i-2"));
  EXPECT_THAT(aws.done, ElementsAre("end i-2 for good"));
  EXPECT_EQ(aws.desired, 2);
  aws.desired = 1;
  ASSERT_TRUE(port->terminate("i-3"));
  ASSERT_TRUE(port->terminate("i-manager"));
  EXPECT_THAT(aws.done, ElementsAre("end i-2 for good", "end i-3", "end machine i-manager"));
}

TEST_F(PortTest, ANewInstanceIsGivenUpByItsHook) {
  Instance one{.id = "i-1", .hold = Hold::kLaunching};
  ASSERT_TRUE(port->give_up_hold(one));
  EXPECT_THAT(aws.done, ElementsAre("hive-launch i-1 ABANDON"));
  one.hold = Hold::kEnding;
  EXPECT_EQ(port->give_up_hold(one).error().code, Errc::kFailedPrecondition);
}

TEST_F(PortTest, KeepsTheGroupsContract) {
  aws.members = {{"i-1", "InService"}};
  cloud::testing::keeps_the_groups_contract(
      {*port, [this] { aws.turn(); }, [this](bool there) { aws.stock = there; }});
}

TEST_F(PortTest, KeepsTheFiguresContract) {
  cloud::testing::keeps_the_figures_contract(
      {*port, [this](BalancerFigure figure, double value) {
         const bool sum =
             figure == BalancerFigure::kRequests || figure == BalancerFigure::kSpillover;
         const char* const names[] = {"RequestCount", "Latency", "SurgeQueueLength",
                                      "SpilloverCount"};
         // 22:13:20 now: the minute that ended at 22:11 is the newest that has settled.
         aws.measured[names[static_cast<int>(figure)]] = {"2023-11-14T22:10:00Z",
                                                          sum ? 60 * value : value};
         return std::int64_t{1'699'999'860'000};
       }});
  EXPECT_EQ(std::count(aws.asked.begin(), aws.asked.end(), "GetMetricData"), 9)
      << "none for nothing";
}

TEST_F(PortTest, KeepsTheManagersContract) {
  cloud::testing::launches_a_manager_once(
      {*port, [this](bool there) {
         aws.full_subnets = there ? std::set<std::string>{}
                                  : std::set<std::string>{"subnet-a", "subnet-b", "subnet-c"};
       }});
}

LaunchRequest manager(const std::string& token) {
  return {.role = "manager",
          .hostname = "shop-manager-2",
          .user_data = "",
          .standard_user_data = true,
          .idempotency_token = token};
}

TEST_F(PortTest, AManagerComesWhereTheFewestAreAndElseInTheNextZone) {
  aws.managers = {{"i-1", "shop-manager-1", "subnet-a", "", "running"},
                  {"i-3", "shop-manager-3", "subnet-c", "", "running"}};
  ASSERT_TRUE(port->launch(manager("one")));
  EXPECT_EQ(aws.managers.back().subnet, "subnet-b");
  EXPECT_THAT(aws.launches,
              ElementsAre(AllOf(HasSubstr("LaunchTemplate.LaunchTemplateName=hive-shop-manager&"),
                                HasSubstr("LaunchTemplate.Version=%24Default"),
                                HasSubstr("hive%3Acluster&"), Not(HasSubstr("UserData")))));
  aws.managers.back().state = "terminated";
  aws.full_subnets = {"subnet-b"};
  const auto next = port->launch(manager("two"));
  ASSERT_TRUE(next) << describe(next.error());
  EXPECT_EQ(aws.managers.back().subnet, "subnet-a");
  EXPECT_THAT(next->detour, AllOf(HasSubstr("InsufficientInstanceCapacity"),
                                  HasSubstr("it comes in eu-west-1a instead")));
  EXPECT_EQ(port->launch(manager("two"))->id, next->id);
}

TEST_F(PortTest, AManagerThatIsWhereItWasTriedFirstTellsNoDetour) {
  EXPECT_EQ(port->launch(manager("one"))->detour, "");
}

TEST_F(PortTest, AZoneThatDoesNotHaveTheTypeIsPassedOverToo) {
  aws.full = "Unsupported";
  aws.full_subnets = {"subnet-a", "subnet-b"};
  const auto made = port->launch(manager("one"));
  ASSERT_TRUE(made) << describe(made.error());
  EXPECT_EQ(aws.managers.back().subnet, "subnet-c");
}

TEST_F(PortTest, EachZoneIsAskedOnce) {
  aws.full_subnets = {"subnet-a", "subnet-b", "subnet-c"};
  const auto none = port->launch(manager("one"));
  EXPECT_EQ(none.error().code, Errc::kResourceExhausted);
  EXPECT_TRUE(none.error().retry_after);
  EXPECT_EQ(std::count(aws.asked.begin(), aws.asked.end(), "RunInstances"), 3);
}

// The machine may be there: another zone would make a second one.
TEST_F(PortTest, AZoneWhoseAnswerSaysNothingIsNotPassedOver) {
  aws.full = "InternalError";
  aws.full_subnets = {"subnet-a"};
  EXPECT_FALSE(port->launch(manager("one")));
  EXPECT_THAT(aws.launches, IsEmpty());
}

TEST_F(PortTest, ALaunchWhoseMachineIsNotListedYetIsNotDoneTwice) {
  aws.lists_late = true;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(port->launch(manager("one")));
  EXPECT_EQ(aws.launches.size(), 1U);
}

TEST_F(PortTest, WithoutGroupOrTemplateNoManagerIsLaunched) {
  aws.has_template = false;
  const auto none = port->launch(manager("one"));
  EXPECT_EQ(none.error().code, Errc::kFailedPrecondition);
  EXPECT_THAT(none.error().message, HasSubstr("hive-shop-manager: 'hive up' makes it"));
  aws.exists = false;
  EXPECT_EQ(port->launch(manager("one")).error().code, Errc::kFailedPrecondition);
  EXPECT_THAT(aws.launches, IsEmpty());
}

TEST(ClientToken, IsShortenedToWhatEc2TakesAndToldApart) {
  const std::string longest(64, 'x');
  EXPECT_EQ(client_token(longest), longest);
  EXPECT_EQ(client_token(longest + "a").size(), 64U);
  EXPECT_NE(client_token(longest + "a"), client_token(longest + "b"));
}

TEST_F(PortTest, NoWorkerIsLaunchedByItself) {
  EXPECT_EQ(port->launch({.role = "worker"}).error().code, Errc::kUnsupported);
  EXPECT_THAT(aws.done, IsEmpty());
}

}  // namespace
}  // namespace hive::cloud::aws
