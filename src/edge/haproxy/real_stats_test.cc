// What the driver asks a real HAProxy for.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "edge/haproxy/driver.h"
#include "os/fd.h"

namespace hive::edge {
namespace {

constexpr Milliseconds kWithin{20'000};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

os::UniqueFd tcp() { return os::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

// A socket bound to a port of the kernel's choice.
std::pair<os::UniqueFd, std::uint16_t> bound() {
  os::UniqueFd fd = tcp();
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return {std::move(fd), ntohs(address.sin_port)};
}

bool send_request(const os::UniqueFd& fd, std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  const std::string request = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
         ::send(fd.get(), request.data(), request.size(), 0) ==
             static_cast<ssize_t>(request.size());
}

TEST(RealHaproxyStats, WhatWaitsAtTheEdgeIsSeenBesideWhatATaskHas) {
  char name[] = "/tmp/hive-edge-XXXXXX";
  const std::string folder = ::mkdtemp(name);
  // A task that takes requests and never answers; the listeners' ports are free once these are
  // closed.
  auto [task, task_port] = bound();
  ASSERT_EQ(::listen(task.get(), 16), 0);
  std::uint16_t port = 0, health_port = 0;
  {
    const auto one = bound(), other = bound();
    port = one.second;
    health_port = other.second;
  }

  const SystemClock clock;
  HaproxyOptions options;
  options.work_dir = folder;
  options.node_id = "n1";
  options.health_port = health_port;
  std::mutex mutex;
  std::condition_variable answered;
  bool ready = false;
  options.on_ready = [&] {
    const std::lock_guard lock(mutex);
    ready = true;
    answered.notify_one();
  };
  auto edge = make_haproxy_edge(options, clock);
  ASSERT_TRUE(edge) << describe(edge.error());

  model::Backend web;
  web.name = "web";
  web.max_connections_per_task = 1;
  web.endpoints = {{"t1", "s", "n1", "web.1", "127.0.0.1", task_port}};
  model::RoutingTable table;
  table.listeners = {{port, "http"}};
  table.routes = {{port, "", "", "web"}};
  table.backends = {web};

  ASSERT_TRUE((*edge)->apply(table));
  {  // its own probe reaches the task
    std::unique_lock lock(mutex);
    ASSERT_TRUE(answered.wait_for(lock, kWithin, [&] { return ready; }));
  }
  ASSERT_TRUE((*edge)->apply(table));
  ASSERT_TRUE((*edge)->not_ready().empty());

  std::vector<os::UniqueFd> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(tcp());
    ASSERT_TRUE(send_request(clients.back(), port));
  }
  const MonotonicTime until = clock.now() + kWithin;
  model::EdgeStats seen;
  std::uint32_t rate = 0;
  do {
    const auto stats = (*edge)->stats();
    ASSERT_TRUE(stats) << describe(stats.error());
    seen = *stats;
    if (!seen.backends.empty()) rate = std::max(rate, seen.backends[0].rate);
  } while (clock.now() < until && (seen.backends.empty() || seen.backends[0].queued != 2));

  EXPECT_TRUE((*edge)->shutdown());
  std::filesystem::remove_all(folder);
  ASSERT_EQ(seen.backends.size(), 1U);
  EXPECT_EQ(seen.backends[0].name, "web");
  EXPECT_EQ(seen.backends[0].queued, 2U);
  EXPECT_GT(rate, 0U);
  ASSERT_EQ(seen.endpoints.size(), 1U);
  EXPECT_EQ(seen.endpoints[0].task_id, "t1");
  EXPECT_EQ(seen.endpoints[0].in_flight, 1U);
}

}  // namespace
}  // namespace hive::edge
