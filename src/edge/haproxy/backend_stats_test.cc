#include "edge/haproxy/backend_stats.h"

#include <gtest/gtest.h>

#include <string>

#include "edge/haproxy/config.h"

namespace hive::edge::haproxy {
namespace {

ServerRow row(const std::string& backend, const std::string& server, std::uint32_t rate,
              std::uint32_t queued) {
  ServerRow out;
  out.backend = backend;
  out.server = server;
  out.rate = rate;
  out.queued = queued;
  return out;
}

TEST(BackendStats, AreSummedOverAServicesPoolsAndNotOverItsTasks) {
  model::RoutingTable table;
  table.backends = {{.name = "web", .canary_percent = 5}, {.name = "new"}};
  const auto stats = backend_stats(
      table, {row(local_name("web"), "s1", 50, 0), row(local_name("web"), "BACKEND", 50, 1),
              row(all_name("web"), "s1", 20, 3), row(all_name("web"), "BACKEND", 200, 180),
              row(canary_name("web"), "BACKEND", 7, 0), row(all_name("gone"), "BACKEND", 9, 9)});
  ASSERT_EQ(stats.size(), 2U);
  EXPECT_EQ(stats[0], (model::BackendStats{"web", 257, 181}));
  EXPECT_EQ(stats[1], (model::BackendStats{"new", 0, 0}));
}

TEST(BackendStats, WhatAPoolPassesOnToTheOthersIsCountedOnce) {
  model::RoutingTable table;
  table.backends = {{.name = "web", .canary_percent = 5}};
  const auto stats = backend_stats(
      table, {row(local_name("web"), "regulars", 12, 0), row(local_name("web"), "BACKEND", 50, 0),
              row(all_name("web"), "BACKEND", 19, 0), row(canary_name("web"), "regulars", 7, 0),
              // Rates are of the second that passed, each a little later than the one before.
              row(canary_name("web"), "BACKEND", 6, 0)});
  ASSERT_EQ(stats.size(), 1U);
  EXPECT_EQ(stats[0].rate, 57U);
}

}  // namespace
}  // namespace hive::edge::haproxy
