#include "agent/orders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::agent {
namespace {

using ::testing::HasSubstr;

NodeOrders sample() {
  NodeOrders orders;
  orders.revision = 9;
  orders.controller_node_id = "node-a";
  orders.node_name = "shop-worker-1";
  orders.schedulable = false;
  ServiceOrders service{.name = "web", .grace_ms = 95'000};
  service.stop.drain = Milliseconds(1);
  service.stop.pre_stop = {"/flush.sh", "a b"};
  service.stop.hooks = Milliseconds(2);
  service.stop.stop_command = {"catalina.sh", "stop"};
  service.stop.stop = Milliseconds(3);
  service.stop.flush = Milliseconds(4);
  service.logs.paths = {"/var/log/*.log"};
  service.logs.output = false;
  service.logs.destination = "/mnt/logs";
  service.logs.filebeat = model::FilebeatPlace{"/registry", true, "http://127.0.0.1:5066/stats"};
  orders.services = {{"s1", service}};
  orders.tasks = {{"t1", {"s1", 2, false, true, false, {"shop-manager-1"}}}};
  orders.stops = {{"o1", "t1", "scale-in", "least loaded", true}};
  orders.pulls = {
      {"r.example.org/shop/web:1@sha256:0a", "r.example.org", "AWS", os::Secret("secret")}};
  orders.known = {"c1"};
  orders.recorded = {"c7"};
  return orders;
}

std::string fault_of(std::string_view text) {
  const auto decoded = decode_orders(text);
  if (decoded) return "accepted";
  EXPECT_EQ(decoded.error().code, Errc::kCorrupt);
  return decoded.error().message;
}

TEST(Orders, SurviveTheTrip) {
  const auto decoded = decode_orders(encode_orders(sample()));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, sample());
}

TEST(Orders, LeftOutMembersHaveTheirDefaults) {
  const auto decoded = decode_orders(R"({"tasks":{"t":{}},"services":{"s":{}},"of_next_year":1})");
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_TRUE(decoded->tasks.at("t").routed) << "until a controller says otherwise";
  EXPECT_EQ(decoded->services.at("s").stop, model::StopPolicy{});
}

TEST(Orders, FaultsNameTheirPlace) {
  EXPECT_THAT(fault_of("7"), HasSubstr("must be an object"));
  EXPECT_THAT(fault_of(R"({"stops":[{"id":"o"}]})"), HasSubstr("stops[0].task_id is missing"));
  EXPECT_THAT(fault_of(R"({"pulls":[{"password":"p"}]})"), HasSubstr("pulls[0].image is missing"));
  EXPECT_THAT(fault_of(R"({"services":{"s":{"drain_ms":-1}}})"),
              HasSubstr("services.s.drain_ms is out of range"));
  EXPECT_THAT(fault_of(R"({"services":{"s":{"pre_stop":[1]}}})"),
              HasSubstr("services.s.pre_stop[0] must be a string"));
  EXPECT_THAT(fault_of(R"({"tasks":{"t":{"routed":"no"}}})"),
              HasSubstr("tasks.t.routed must be true or false"));
}

}  // namespace
}  // namespace hive::agent
