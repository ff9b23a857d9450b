#include "edge/haproxy/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::edge::haproxy {
namespace {

using model::Backend;
using model::Endpoint;
using model::Listener;
using model::Route;
using model::RoutingTable;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Backend service(const std::string& name) {
  Backend out;
  out.name = name;
  Endpoint endpoint;
  endpoint.task_id = name + "1";
  endpoint.address = "10.0.0.1";
  endpoint.port = 32'768;
  out.endpoints.push_back(endpoint);
  return out;
}

Listener listener(std::uint16_t port) {
  Listener out;
  out.port = port;
  return out;
}

RoutingTable one_service() {
  RoutingTable table;
  table.listeners = {listener(8080)};
  table.backends = {service("shop")};
  table.routes = {{8080, "", "", "shop"}};
  return table;
}

// The lines from one that begins with `head` up to the next empty one.
std::string section(const std::string& config, const std::string& head) {
  const auto from = config.find("\n" + head + "\n");
  if (from == std::string::npos) return "";
  return config.substr(from + 1, config.find("\n\n", from + 1) - from);
}

std::string rendered(RoutingTable table) {
  EXPECT_THAT(drop_faults(table, {}), IsEmpty());
  return render_config(table, {}, {});
}

// What is wrong with it first.
std::string refusal(RoutingTable table) {
  const auto faults = drop_faults(table, {});
  return faults.empty() ? "accepted" : faults[0];
}

TEST(HaproxyConfig, ThisNodesTasksAreAskedFirst) {
  const std::string frontend = section(rendered(one_service()), "frontend listener.8080");
  const auto local = frontend.find("use_backend b.shop.local if { nbsrv(b.shop.own) gt 0 }");
  const auto all = frontend.find("use_backend b.shop.all\n");
  ASSERT_NE(local, std::string::npos) << frontend;
  ASSERT_NE(all, std::string::npos) << frontend;
  EXPECT_LT(local, all);
}

TEST(HaproxyConfig, BehindThisNodesTasksAreThoseOfAllNodes) {
  RoutingTable table = one_service();
  table.backends[0].sticky_cookie = "HIVE";
  ConfigOptions options;
  options.regulars_socket = "/run/hive/edge/regulars";
  Slot ready;
  ready.state = SlotState::kReady;
  const std::string config = render_config(table, options, {{own_name("shop"), {ready}}});
  const std::string local = section(config, "backend b.shop.local");
  const auto at = local.find("  server regulars unix@/run/hive/edge/regulars.");
  ASSERT_NE(at, std::string::npos) << local;
  const std::string server = local.substr(at, local.find('\n', at) - at);
  EXPECT_THAT(server, AllOf(HasSubstr(" backup"), HasSubstr(" maxconn 0 ")));
  EXPECT_THAT(local, HasSubstr(" preserve\n")) << "the cookie of the task that answered is kept";
  EXPECT_THAT(section(config, "frontend hive.regulars.shop"),
              HasSubstr("default_backend b.shop.all\n"));
  // It would count as usable while no local task is: a server of its own says that one is.
  EXPECT_THAT(section(config, "backend b.shop.own"),
              HasSubstr("  server s1 127.0.0.1:1 weight 100\n"));
  EXPECT_THAT(section(rendered(table), "backend b.shop.own"), HasSubstr(" disabled\n"));
  EXPECT_THAT(section(config, "backend b.shop.all"),
              AllOf(Not(HasSubstr("backup")), Not(HasSubstr("preserve"))));
}

TEST(HaproxyConfig, AFullNodeOverflowsToTheOthers) {
  RoutingTable table = one_service();
  table.backends[0].max_connections_per_task = 7;
  const std::string config = rendered(table);
  EXPECT_THAT(section(config, "frontend listener.8080"),
              HasSubstr("{ be_conn_free(b.shop.local) gt 0 }"));
  EXPECT_THAT(section(config, "backend b.shop.local"), HasSubstr(" maxconn 7"));
  // Sticky sessions are known among all tasks: a second way to own ones would have a second bound.
  table.backends[0].sticky_cookie = "HIVE";
  EXPECT_THAT(rendered(table), Not(HasSubstr("use_backend b.shop.local")));
}

TEST(HaproxyConfig, NoCommandComesBetweenTheChoiceOfABackendAndOfAServer) {
  EXPECT_THAT(rendered(one_service()), HasSubstr("global\n  nbthread 1\n"));
}

TEST(HaproxyConfig, SlotsOfNobodyTakeNoRequests) {
  const std::string backend = section(rendered(one_service()), "backend b.shop.all");
  std::size_t servers = 0;
  for (std::size_t at = 0; (at = backend.find("  server s", at)) != std::string::npos; ++at) {
    const std::string line = backend.substr(at, backend.find('\n', at) - at);
    EXPECT_THAT(line, HasSubstr(" disabled"));
    ++servers;
  }
  EXPECT_EQ(servers, kMinSlots);
}

TEST(HaproxyConfig, KnownSlotsAreThereAfterAReload) {
  Slot slot;
  slot.address = "10.0.0.7";
  slot.port = 4711;
  slot.state = SlotState::kReady;
  const std::string config =
      render_config(one_service(), {}, {{all_name("shop"), std::vector<Slot>(2, slot)}});
  EXPECT_THAT(section(config, "backend b.shop.all"),
              HasSubstr("  server s2 10.0.0.7:4711 weight 100\n"));
}

TEST(HaproxyConfig, StickySessionsGoToTheBackendThatKnowsAllTasks) {
  RoutingTable table = one_service();
  table.backends[0].sticky_cookie = "WHERE";
  const std::string config = rendered(table);
  const std::string frontend = section(config, "frontend listener.8080");
  const auto sticky = frontend.find("use_backend b.shop.all if { req.cook(WHERE) -m found }");
  ASSERT_NE(sticky, std::string::npos) << frontend;
  EXPECT_LT(sticky, frontend.find("use_backend b.shop.local"));
  EXPECT_THAT(section(config, "backend b.shop.all"), HasSubstr("cookie WHERE insert indirect"));
}

TEST(HaproxyConfig, ARequestIsNeverReplayed) {
  const std::string backend = section(rendered(one_service()), "backend b.shop.all");
  EXPECT_THAT(backend, HasSubstr("retry-on conn-failure\n"));
  EXPECT_THAT(backend, Not(HasSubstr("all-retryable-errors")));
}

TEST(HaproxyConfig, TcpServicesHaveNothingOfHttp) {
  RoutingTable table = one_service();
  table.listeners[0].mode = "tcp";
  table.backends[0].mode = "tcp";
  const std::string config = rendered(table);
  EXPECT_THAT(section(config, "frontend listener.8080"), Not(HasSubstr("http")));
  EXPECT_THAT(section(config, "backend b.shop.all"), Not(HasSubstr("http")));
}

TEST(HaproxyConfig, TlsListenersAndProxyProtocol) {
  RoutingTable table = one_service();
  table.listeners[0].certificate_pem = "/etc/hive/shop.pem";
  table.listeners[0].accept_proxy = true;
  table.backends[0].proxy_protocol = true;
  const std::string config = rendered(table);
  EXPECT_THAT(config,
              HasSubstr("bind :8080 accept-proxy ssl crt '/etc/hive/shop.pem' alpn h2,http/1.1\n"));
  EXPECT_THAT(section(config, "backend b.shop.local"), HasSubstr("send-proxy-v2"));
}

TEST(HaproxyConfig, AReplacedProcessGivesWhatStillComesToItsSuccessor) {
  RoutingTable table = one_service();
  table.listeners.push_back(listener(9000));
  table.listeners[1].mode = "tcp";
  ConfigOptions options;
  options.successor_socket = "/run/hive/edge/next";
  const std::string config = render_config(table, options, {});
  const std::string frontend = section(config, "frontend listener.8080");
  const auto handed = frontend.find("use_backend hive.successor.8080 if { stopping }\n");
  ASSERT_NE(handed, std::string::npos);
  EXPECT_LT(handed, frontend.find("use_backend b.shop")) << "before all that it knows itself";
  EXPECT_THAT(frontend, HasSubstr("bind unix@/run/hive/edge/next.8080 mode 600 accept-proxy\n"));
  EXPECT_THAT(frontend, HasSubstr("add-header X-Forwarded-For %[src] unless { stopping }\n"));
  EXPECT_THAT(section(config, "backend hive.successor.8080"),
              HasSubstr("server next unix@/run/hive/edge/next.8080 send-proxy-v2"));
  EXPECT_THAT(config, Not(HasSubstr("hive.successor.9000")));
}

TEST(HaproxyConfig, LeavingIsToldByTheHealthCheckAlone) {
  ConfigOptions leaving;
  leaving.leaving = true;
  const std::string stays = render_config(one_service(), {}, {});
  std::string leaves = render_config(one_service(), leaving, {});
  const std::string mark = "server up 127.0.0.1:1 disabled";
  const auto at = leaves.find(mark);
  ASSERT_NE(at, std::string::npos);
  leaves.erase(at + mark.size() - std::string(" disabled").size(), std::string(" disabled").size());
  EXPECT_EQ(leaves, stays);
}

TEST(HaproxyRoutes, LongestPathThenExactHostThenWildcardThenAny) {
  RoutingTable table;
  table.routes = {{80, "", "", "any"},
                  {80, "*.example.org", "", "wild"},
                  {80, "*.api.example.org", "", "longer-wild"},
                  {80, "www.example.org", "", "exact"},
                  {80, "", "/api", "path"},
                  {80, "www.example.org", "/api", "both"},
                  {80, "", "/api/v2", "deep"},
                  {81, "", "", "other-port"}};
  std::vector<std::string> order;
  for (const Route& route : ordered_routes(table, 80)) order.push_back(route.backend);
  EXPECT_EQ(order, (std::vector<std::string>{"deep", "both", "path", "exact", "longer-wild", "wild",
                                             "any"}));
}

TEST(HaproxyRoutes, APathEndsAtASlash) {
  RoutingTable table = one_service();
  table.routes = {{8080, "", "/api", "shop"}};
  const std::string frontend = section(rendered(table), "frontend listener.8080");
  EXPECT_THAT(frontend, HasSubstr("acl p0 path -- '/api'\n"));
  EXPECT_THAT(frontend, HasSubstr("acl p0 path_beg -- '/api/'\n"));
}

TEST(HaproxyRoutes, HostsAreComparedInLowerCaseAndWithoutPort) {
  RoutingTable table = one_service();
  table.routes = {{8080, "WWW.Example.org", "", "shop"}, {8080, "*.Example.org", "", "shop"}};
  const std::string frontend = section(rendered(table), "frontend listener.8080");
  EXPECT_THAT(frontend, HasSubstr("req.hdr(host),field(1,:),lower -m str -- www.example.org\n"));
  EXPECT_THAT(frontend, HasSubstr("req.hdr(host),field(1,:),lower -m end -- .example.org\n"));
}

// What could end a line or a word of the configuration is refused, wherever it comes from.
TEST(HaproxyConfig, NothingIsInjected) {
  for (const std::string evil : {"a b", "a\nbind :1", "a'", "a\"", "a#b", "a{", "\t", "a\\"}) {
    SCOPED_TRACE("'" + evil + "'");
    RoutingTable table = one_service();
    table.backends[0].name = table.routes[0].backend = evil;
    EXPECT_THAT(refusal(table), HasSubstr("service name"));
    table = one_service();
    table.backends[0].sticky_cookie = evil;
    EXPECT_THAT(refusal(table), HasSubstr("sticky cookie"));
    table = one_service();
    table.routes[0].host = evil;
    EXPECT_THAT(refusal(table), HasSubstr("no host name"));
    table = one_service();
    table.backends[0].endpoints[0].address = evil;
    EXPECT_THAT(refusal(table), HasSubstr("no IP address"));
  }
  for (const std::string evil : {"/a b", "/a\nbind :1", "/a'", "/\t", "api", "/\x7f"}) {
    SCOPED_TRACE("'" + evil + "'");
    RoutingTable table = one_service();
    table.backends[0].probe_path = evil;
    EXPECT_THAT(refusal(table), HasSubstr("probe path"));
    table = one_service();
    table.routes[0].path_prefix = evil;
    EXPECT_THAT(refusal(table), HasSubstr("path"));
    table = one_service();
    table.listeners[0].certificate_pem = evil;
    EXPECT_EQ(refusal(table) == "accepted", evil == "api");
  }
}

TEST(HaproxyConfig, WhatCannotWorkIsRefused) {
  RoutingTable table = one_service();
  table.listeners[0].port = ConfigOptions{}.health_port;
  EXPECT_THAT(refusal(table), HasSubstr("health port"));
  table = one_service();
  table.backends[0].mode = "tcp";
  EXPECT_THAT(refusal(table), HasSubstr("a listener of its own with mode tcp"));
  table = one_service();
  table.routes[0].backend = "nobody";
  EXPECT_THAT(refusal(table), HasSubstr("there is no such service"));
  for (const char* host : {"a.*", "*", "*a.org", "*.*.org"}) {
    table = one_service();
    table.routes[0].host = host;
    EXPECT_THAT(refusal(table), HasSubstr("first label only")) << host;
  }
  EXPECT_EQ(refusal(one_service()), "accepted");
}

}  // namespace
}  // namespace hive::edge::haproxy
