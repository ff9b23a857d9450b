// The balancer in front of the instances: an HAProxy in this machine's own network namespace.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "cloud/local/local.h"
#include "cloud/local/state.h"

namespace hive::cloud::local {

// One registered instance: its server slot in every backend.
struct BalancerTarget {
  std::string instance_id;
  std::string address;
  int slot = 0;
  bool draining = false;
  std::int64_t drain_until_unix_ms = 0;
};

inline constexpr int kBalancerSlots = 64;

// The slot that the instance has, draining or not, or the lowest free one; nothing when all are
// taken.
std::optional<int> slot_of(const std::map<int, BalancerTarget>& targets,
                           const std::string& instance_id);
// Whether a target has left: no connection is open, or its time is up. `open`: nothing while
// HAProxy does not say how many there are; the time decides then.
bool has_left(const BalancerTarget& target, std::optional<unsigned long> open,
              std::int64_t now_unix_ms);

// The HAProxy configuration; occupied slots carry their addresses, so that a reload keeps them.
std::string render_balancer(const BalancerSpec& spec, const std::map<int, BalancerTarget>& targets,
                            const std::string& socket, const std::string& state_file);

// Thread-safe. Its record (balancer.json) is written before each effect.
class Balancer {
 public:
  explicit Balancer(Paths paths) : paths_(std::move(paths)) {}
  // Reads the record and starts HAProxy again if it should run and does not.
  Status adopt();
  Status ensure(const BalancerSpec& spec);
  Status register_target(const InstanceRecord& instance);
  // Begins to drain it; has() is false once its last connection is gone, or the time is up.
  Status deregister(const std::string& instance_id);
  bool has(const std::string& instance_id);
  Result<BalancerStatus> status();
  // Ends drains whose connections are gone or whose time is up, and serves certificates that were
  // renewed. Called a few times a second.
  void tick();

 private:
  Status save();
  Status run_haproxy();
  Status recover();
  // Which versions of the listeners' certificates there are.
  std::string certificates() const;
  void serve_renewed_certificates();
  void end_drains();
  Result<std::string> command(const std::string& text) const;
  Status fill_slot(const BalancerTarget& target);
  // By "backend/server": column of HAProxy's statistics -> value.
  using ServerRows = std::map<std::string, std::map<std::string, std::string>>;
  Result<ServerRows> servers() const;
  unsigned long open_connections(const ServerRows& rows, const BalancerTarget& target) const;

  const Paths paths_;
  std::mutex mutex_;
  bool wanted_ = false;
  BalancerSpec spec_;
  std::map<int, BalancerTarget> targets_;  // by slot
  std::string served_;                     // certificates() that HAProxy has read
  std::string refused_;                    // and those that it did not take
};

}  // namespace hive::cloud::local
