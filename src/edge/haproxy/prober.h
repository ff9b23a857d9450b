// The edge's own question to a new task, "do you answer me?", before it gets a request: HAProxy
// counts an enabled server as up until its first check says otherwise.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace hive::edge::haproxy {

struct ProbeTarget {
  std::string address;
  std::uint16_t port = 0;
  std::string path;             // empty = a TCP connection must open
  bool proxy_protocol = false;  // greet with PROXY v2 LOCAL
  auto operator<=>(const ProbeTarget&) const = default;
};

// One probe, within the deadline. For HTTP: status 2xx or 3xx.
bool probe(const ProbeTarget& target, Milliseconds deadline);

// Probes on few threads, each target again and again, at growing intervals, until it answers.
// Thread-safe.
class Prober {
 public:
  // `on_ready` is called from a probing thread.
  explicit Prober(std::function<void()> on_ready, int threads = 4);
  ~Prober();
  // Exactly these are of interest; an answer once given is kept as long as its target is named.
  void watch(const std::vector<ProbeTarget>& targets);
  bool ready(const ProbeTarget& target) const;

 private:
  struct Entry {
    bool ready = false;
    bool running = false;
    int failures = 0;
    MonotonicTime due{};
  };
  void work(const std::stop_token& stop);

  std::function<void()> on_ready_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::map<ProbeTarget, Entry> entries_;
  std::vector<std::jthread> threads_;
};

}  // namespace hive::edge::haproxy
