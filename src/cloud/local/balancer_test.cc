#include "cloud/local/balancer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::cloud::local {
namespace {

using testing::HasSubstr;
using testing::Not;

BalancerTarget target(int slot, const std::string& id, bool draining = false) {
  return {id, "10.77.3." + std::to_string(9 + slot), slot, draining, draining ? 5'000 : 0};
}

TEST(BalancerSlot, IsTheOneThatTheInstanceHasOrTheLowestFree) {
  std::map<int, BalancerTarget> targets{{1, target(1, "i-a")}, {3, target(3, "i-c", true)}};
  EXPECT_EQ(slot_of(targets, "i-a"), 1);
  EXPECT_EQ(slot_of(targets, "i-c"), 3) << "one that comes back while it drains keeps its slot";
  EXPECT_EQ(slot_of(targets, "i-new"), 2);
}

TEST(BalancerSlot, ThereIsNoneWhenAllAreTaken) {
  std::map<int, BalancerTarget> targets;
  for (int slot = 1; slot <= kBalancerSlots; ++slot)
    targets[slot] = target(slot, "i-" + std::to_string(slot), true);
  EXPECT_EQ(slot_of(targets, "i-new"), std::nullopt) << "draining ones still have theirs";
  EXPECT_EQ(slot_of(targets, "i-64"), 64);
}

TEST(BalancerDrain, EndsWithTheLastConnectionOrWithTheTime) {
  const auto drains = target(1, "i-a", true);  // until 5,000
  EXPECT_TRUE(has_left(drains, 0, 100));
  EXPECT_FALSE(has_left(drains, 2, 4'999));
  EXPECT_TRUE(has_left(drains, 2, 5'000));
  EXPECT_FALSE(has_left(drains, std::nullopt, 4'999)) << "unknown is not none";
  EXPECT_TRUE(has_left(drains, std::nullopt, 5'000));
  EXPECT_FALSE(has_left(target(1, "i-a"), 0, 9'999)) << "it was not asked to leave";
}

TEST(BalancerConfig, HasASlotForEachInstanceAndSendsNothingToOneThatLeaves) {
  BalancerSpec spec;
  ListenerSpec listener;
  listener.port = 80;
  listener.instance_port = 8080;
  spec.listeners = {listener};
  spec.health_port = 7080;
  spec.health_path = "/ready";
  const std::string text = render_balancer(
      spec, {{1, target(1, "i-a")}, {2, target(2, "i-b", true)}}, "/run/s", "/state");
  EXPECT_THAT(text, HasSubstr("bind 0.0.0.0:80"));
  EXPECT_THAT(text, HasSubstr("option httpchk GET /ready"));
  EXPECT_THAT(text,
              HasSubstr("server s1 10.77.3.10:8080 check port 7080 inter 1000 rise 2 fall 2\n"));
  EXPECT_THAT(text, HasSubstr("server s2 10.77.3.11:8080 check port 7080 inter 1000 rise 2 fall 2 "
                              "disabled\n"));
  EXPECT_THAT(text, HasSubstr("server s64 127.0.0.254:8080"));
  EXPECT_THAT(text, Not(HasSubstr("server s65")));
}

TEST(BalancerConfig, ARequestIsNeverReplayed) {
  BalancerSpec spec;
  ListenerSpec http, tcp;
  http.port = 80;
  tcp.port = 81;
  tcp.mode = "tcp";
  spec.listeners = {http, tcp};
  const std::string text = render_balancer(spec, {}, "/run/s", "/state");
  EXPECT_THAT(text, HasSubstr("retry-on conn-failure\n"));
  EXPECT_THAT(text, Not(HasSubstr("retry-on all")));
  const std::string of_tcp = text.substr(text.find("frontend f81"));
  EXPECT_THAT(of_tcp, Not(HasSubstr("retry-on"))) << "bytes are not requests";
}

}  // namespace
}  // namespace hive::cloud::local
