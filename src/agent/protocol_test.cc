#include "agent/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace hive::agent {
namespace {

using ::testing::HasSubstr;

model::RoutingTable sample_table() {
  model::RoutingTable table;
  table.revision = 18'446'744'073'709'551'615ULL;
  table.controller_node_id = "node-a";
  table.listeners = {{8080, "http", "", true}, {8443, "http", "/etc/hive/tls.pem", false}};
  table.routes = {{8080, "*.example.org", "/api", "web"}};
  model::Backend backend;
  backend.name = "web";
  backend.sticky_cookie = "HIVE";
  backend.probe_path = "/health";
  backend.max_connections_per_task = 7;
  backend.proxy_protocol = true;
  backend.connect_timeout_ms = 1;
  backend.response_timeout_ms = 4'294'967'295U;
  backend.endpoints = {{"t1", "s1", "n1", "web.1", "10.77.0.2", 32768, false}};
  table.backends = {backend};
  return table;
}

Report sample_report() {
  Report report;
  report.node_id = "n1";
  report.revision_applied = 4;
  report.controller_node_id = "node-a";
  report.edge = "haproxy: port 8080 is taken";
  report.engine_init = "/usr/bin/tini";
  report.stats = {{"t1", 1, 2, 3, 4, 5, 6, 7, 8, 9}};
  report.backends = {{"web", 10, 11}};
  report.usage = {{"t1", 1'500, 4'294'967'296U, 20}};
  report.containers = {{"t1",
                        "c1",
                        "running",
                        "healthy",
                        "armed",
                        {{"tcp", 8080, 32'768, model::PublishMode::kHost}}}};
  report.events = {{"t1", "c1", "health_status: healthy", -5}};
  report.not_ready = {"t2"};
  report.pulls_images = true;
  report.pulls = {{"shop/web:1@sha256:0a", PullState::kFailed, 2, "no such image"},
                  {"shop/api:2", PullState::kPulled, 0, ""}};
  model::StopRecord stop;
  stop.task_id = "t1";
  stop.service_id = "s1";
  stop.container_id = "c1";
  stop.order_id = "o1";
  stop.by = "drain of shop-worker-1";
  stop.reason = "the node is emptied";
  stop.step = model::StopStep::kHooks;
  stop.started_unix_ms = 1;
  stop.ended_unix_ms = 2;
  stop.took_ms = {1, 2, 3, 4, 5, 6, 7};
  stop.connections_at_start = 3;
  stop.bytes_delivered = 18'446'744'073'709'551'615ULL;
  stop.bytes_missing = 4;
  stop.given_up = {"2 connections were open after 30 s"};
  stop.exit_code = 143;
  report.notes = {{"log_destination_fault", "/mnt/logs", "No space left on device"}};
  report.leaving = {"t1"};
  report.stops = {stop};
  report.departs_in_ms = 59'000;
  return report;
}

std::string protocol_fault(std::string_view text) {
  const auto decoded = decode_table(text);
  if (decoded) return "accepted";
  EXPECT_EQ(decoded.error().code, Errc::kCorrupt);
  return decoded.error().message;
}

TEST(Protocol, TableSurvivesTheTrip) {
  const auto decoded = decode_table(encode_table(sample_table()));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, sample_table());
}

TEST(Protocol, ReportSurvivesTheTrip) {
  const auto decoded = decode_report(encode_report(sample_report()));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, sample_report());
}

TEST(Protocol, UnknownFieldsAreIgnored) {
  const auto decoded = decode_table(R"({"revision":3,"of_next_year":{"x":[1]}})");
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->revision, 3U);
}

TEST(Protocol, FaultsNameTheirPlace) {
  EXPECT_THAT(protocol_fault("[]"), HasSubstr("must be an object"));
  EXPECT_THAT(protocol_fault("{\"revision\":"), HasSubstr("routing table"));
  EXPECT_THAT(protocol_fault(R"({"revision":-1})"), HasSubstr("revision is out of range"));
  EXPECT_THAT(protocol_fault(R"({"listeners":[{"port":70000}]})"),
              HasSubstr("listeners[0].port is out of range"));
  EXPECT_THAT(protocol_fault(R"({"listeners":[{"port":80,"mode":"udp"}]})"),
              HasSubstr("listeners[0].mode must be http or tcp"));
  EXPECT_THAT(protocol_fault(R"({"backends":[{"name":"a","endpoints":[{"task_id":"t"}]}]})"),
              HasSubstr("backends[0].endpoints[0].address is missing"));
  EXPECT_THAT(protocol_fault(R"({"backends":[{"name":"a\nb"}]})"), HasSubstr("control character"));
}

TEST(Protocol, ContradictionsAreRefused) {
  EXPECT_THAT(protocol_fault(R"({"backends":[{"name":"a"},{"name":"a"}]})"),
              HasSubstr("two backends"));
  EXPECT_THAT(protocol_fault(
                  R"({"listeners":[{"port":80}],"routes":[{"listener_port":80,"backend":"x"}]})"),
              HasSubstr("no backend"));
  EXPECT_THAT(protocol_fault(
                  R"({"backends":[{"name":"a"}],"routes":[{"listener_port":80,"backend":"a"}]})"),
              HasSubstr("no listener"));
}

TEST(Protocol, BytesThatAreNotUtf8AreReplaced) {
  Report report = sample_report();
  report.edge = "bad \xff\xfe byte";
  const auto decoded = decode_report(encode_report(report));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_THAT(decoded->edge, HasSubstr("bad "));
}

// Whatever is done to a good message, decoding returns: a table or a fault, never a crash, and an
// accepted table can be encoded again.
TEST(Protocol, MutatedMessagesAreAcceptedOrRefused) {
  const std::string table = encode_table(sample_table());
  const std::string report = encode_report(sample_report());
  Random random(20'261'123);
  int refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    std::string text = i % 2 == 0 ? table : report;
    for (std::uint64_t n = random.below(4) + 1; n > 0; --n) {
      const auto at = random.below(text.size());
      if (random.below(3) == 0)
        text.resize(at + 1);
      else
        text[at] = static_cast<char>(random.below(256));
    }
    const auto as_table = decode_table(text);
    if (as_table) {
      const auto again = decode_table(encode_table(*as_table));
      ASSERT_TRUE(again) << again.error().message;
      EXPECT_EQ(*again, *as_table);
    } else {
      ++refused;
    }
    (void)decode_report(text);
  }
  EXPECT_GT(refused, 1'000);
}

}  // namespace
}  // namespace hive::agent
