// The managers' side of a balancer, over an AWS that is played by a model: what is sent to which
// type, and what is made of the answers.
#include "cloud/aws/balancer_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "net/testing/scripted_server.h"

namespace hive::cloud::aws {
namespace {

using net::testing::answer;
using net::testing::Reply;
using net::testing::ScriptedRequest;
using net::testing::ScriptedServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string field(const std::string& body, const std::string& name) {
  const auto at = ("&" + body).find("&" + name + "=");
  if (at == std::string::npos) return "";
  const auto begin = at + name.size() + 1;
  return body.substr(begin, body.find('&', begin) - begin);
}

// One balancer, Classic or with two target groups, of which "t1" is at port 8080 and "t2" at 5000.
class ModelBalancer {
 public:
  bool classic = false;
  bool v2 = true;
  bool listens = true;
  std::map<std::string, std::string> health;  // "t1 i-1" -> "healthy"
  std::string classic_health;                 // description of i-1, where it is Classic
  std::map<std::string, std::string> fails;   // "DeregisterTargets t1" -> code
  std::vector<std::string> done;              // what changed something

  Reply handle(const std::string& body) {
    const std::string action = field(body, "Action");
    const bool second = field(body, "Version") == "2015-12-01";
    std::string group = field(body, "TargetGroupArn");
    if (const auto fault = fails.find(action + " " + group); fault != fails.end())
      return error(fault->second);
    if (second ? !v2 : !classic) return error("LoadBalancerNotFound");
    if (second) return of_v2(action, group, body);
    const std::string instance = field(body, "Instances.member.1.InstanceId");
    if (!instance.empty()) done.push_back(action + " " + instance);
    if (action == "DescribeLoadBalancers")
      return result(action,
                    "<LoadBalancerDescriptions><member><DNSName>old.example.org</DNSName>"
                    "<ListenerDescriptions><member><Listener><LoadBalancerPort>80"
                    "</LoadBalancerPort><InstancePort>8080</InstancePort><Protocol>HTTP</Protocol>"
                    "</Listener></member></ListenerDescriptions></member>"
                    "</LoadBalancerDescriptions>");
    return result(action,
                  "<InstanceStates><member><InstanceId>i-1</InstanceId><State>InService</State>"
                  "<Description>" +
                      classic_health + "</Description></member></InstanceStates>");
  }

 private:
  static Reply error(const std::string& code) {
    return answer(400, "<ErrorResponse><Error><Code>" + code + "</Code></Error></ErrorResponse>");
  }
  static Reply result(const std::string& action, const std::string& inner) {
    return answer(200, "<" + action + "Response><" + action + "Result>" + inner + "</" + action +
                           "Result></" + action + "Response>");
  }
  static std::string listener(int port, const char* protocol, const char* group) {
    return "<member><Port>" + std::to_string(port) + "</Port><Protocol>" + protocol +
           "</Protocol><DefaultActions><member><TargetGroupArn>" + group +
           "</TargetGroupArn></member></DefaultActions></member>";
  }
  static std::string target_group(const char* arn, int port) {
    return std::string("<member><TargetGroupArn>") + arn + "</TargetGroupArn><Port>" +
           std::to_string(port) + "</Port></member>";
  }

  Reply of_v2(const std::string& action, const std::string& group, const std::string& body) {
    if (const auto instance = field(body, "Targets.member.1.Id"); !instance.empty())
      done.push_back(action + " " + group + " " + instance);
    if (action == "DescribeLoadBalancers")
      return result(action,
                    "<LoadBalancers><member><LoadBalancerArn>b</LoadBalancerArn><DNSName>"
                    "new.example.org</DNSName></member></LoadBalancers>");
    if (action == "DescribeListeners")
      return result(action, listens ? "<Listeners>" + listener(5000, "TCP", "t2") +
                                          listener(443, "HTTPS", "t1") + "</Listeners>"
                                    : "");
    if (action == "DescribeTargetGroups")
      return listens ? result(action, "<TargetGroups>" + target_group("t1", 8080) +
                                          target_group("t2", 5000) + "</TargetGroups>")
                     : error("TargetGroupNotFound");
    std::string out;
    for (const auto& [who, state] : health)
      if (who.starts_with(group + " "))
        out += "<member><Target><Id>" + who.substr(3) + "</Id></Target><TargetHealth><State>" +
               state + "</State>" +
               (state == "unused" ? "<Reason>Target.NotRegistered</Reason>" : "") +
               "</TargetHealth></member>";
    return result(action, "<TargetHealthDescriptions>" + out + "</TargetHealthDescriptions>");
  }
};

class BalancerPort : public ::testing::Test {
 protected:
  BalancerPort()
      : server(ScriptedServer::Kind::kTcp,
               [this](const ScriptedRequest& request) { return aws.handle(request.body); }),
        client({.region = "eu-west-1",
                .environment = {{"AWS_ACCESS_KEY_ID", "a"},
                                {"AWS_SECRET_ACCESS_KEY", "b"},
                                {"AWS_ENDPOINT_URL",
                                 "http://127.0.0.1:" + std::to_string(server.port())}},
                .clock = &clock,
                .deadline = Milliseconds(5'000),
                .pause = [](Milliseconds) { return false; }}) {}

  // "i-1 draining" of each target.
  std::vector<std::string> targets() {
    const auto status = look_at_balancer(client, names);
    if (!status) return {describe(status.error())};
    std::vector<std::string> out;
    for (const auto& one : status->targets)
      out.push_back(one.instance_id + " " + std::string(to_string(one.health)));
    return out;
  }

  ManualClock clock;
  ModelBalancer aws;
  ScriptedServer server;
  Client client;
  const Names names{"shop"};
};

TEST_F(BalancerPort, TellsOfListenersAndTheirPortsOnTheNodes) {
  const auto status = look_at_balancer(client, names);
  ASSERT_TRUE(status) << describe(status.error());
  EXPECT_EQ(status->address, "new.example.org");
  EXPECT_THAT(status->spec.listeners,
              ElementsAre(ListenerSpec{.port = 443, .instance_port = 8080, .mode = "https"},
                          ListenerSpec{.port = 5000, .instance_port = 5000, .mode = "tcp"}));
}

TEST_F(BalancerPort, AnInstanceIsOneTargetAndAsBadAsItsWorst) {
  aws.health = {{"t1 i-1", "healthy"},  {"t2 i-1", "healthy"},   {"t1 i-2", "healthy"},
                {"t2 i-2", "initial"},  {"t1 i-3", "unhealthy"}, {"t2 i-3", "initial"},
                {"t1 i-4", "draining"}, {"t2 i-4", "healthy"},   {"t1 i-5", "unused"},
                {"t2 i-5", "draining"}, {"t1 i-6", "unused"},    {"t2 i-6", "unused"}};
  EXPECT_THAT(targets(), ElementsAre("i-1 in-service", "i-2 initial", "i-3 out-of-service",
                                     "i-4 draining", "i-5 draining"));
  const auto status = look_at_balancer(client, names);
  EXPECT_EQ(status->targets[0].reason, "");
  EXPECT_EQ(status->targets[2].reason, "unhealthy (port 8080)");
}

// A drain waits until the instance is among the targets no more: a look that failed halfway must
// not read like that.
TEST_F(BalancerPort, WhatIsNotKnownIsNoAbsence) {
  aws.health = {{"t1 i-1", "draining"}};
  aws.fails = {{"DescribeTargetHealth t2", "TargetGroupNotFound"}};
  EXPECT_THAT(targets(), ElementsAre("i-1 draining")) << "deleted meanwhile";
  aws.fails = {{"DescribeTargetHealth t1", "AccessDenied"}};
  const auto status = look_at_balancer(client, names);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().code, Errc::kNotFound);
}

TEST_F(BalancerPort, WithoutListenersItHasNoTargets) {
  aws.listens = false;
  EXPECT_THAT(targets(), IsEmpty());
  EXPECT_TRUE(put_behind_balancer(client, names, "i-1").error().code == Errc::kNotFound);
  aws.v2 = false;
  EXPECT_EQ(look_at_balancer(client, names).error().code, Errc::kNotFound);
}

TEST_F(BalancerPort, AnInstanceComesAndGoesEverywhere) {
  ASSERT_TRUE(put_behind_balancer(client, names, "i-1"));
  ASSERT_TRUE(take_from_balancer(client, names, "i-1"));
  EXPECT_THAT(aws.done, ElementsAre("RegisterTargets t1 i-1", "RegisterTargets t2 i-1",
                                    "DeregisterTargets t1 i-1", "DeregisterTargets t2 i-1"));
}

TEST_F(BalancerPort, OneThatRefusesDoesNotKeepItBehindTheOthers) {
  aws.fails = {{"DeregisterTargets t1", "AccessDenied"}};
  EXPECT_EQ(take_from_balancer(client, names, "i-1").error().code, Errc::kPermissionDenied);
  EXPECT_THAT(aws.done, ElementsAre("DeregisterTargets t2 i-1"));
  aws.fails = {{"DeregisterTargets t1", "InvalidTarget"}};
  EXPECT_TRUE(take_from_balancer(client, names, "i-1")) << "it is not behind it";
}

TEST_F(BalancerPort, OfAClassicOneNothingElseIsAsked) {
  aws.classic = true;
  aws.v2 = false;
  EXPECT_THAT(targets(), ElementsAre("i-1 in-service"));
  aws.classic_health = "Instance deregistration currently in progress.";
  EXPECT_THAT(targets(), ElementsAre("i-1 draining"));
  ASSERT_TRUE(put_behind_balancer(client, names, "i-1"));
  ASSERT_TRUE(take_from_balancer(client, names, "i-1"));
  EXPECT_THAT(aws.done, ElementsAre("RegisterInstancesWithLoadBalancer i-1",
                                    "DeregisterInstancesFromLoadBalancer i-1"));
  for (const auto& request : server.requests())
    EXPECT_THAT(request.body, HasSubstr("Version=2012-06-01"));
}

}  // namespace
}  // namespace hive::cloud::aws
