// The port to a cloud: instances, and the balancer in front of them. Adapters: local/ (network
// namespaces on this machine), aws/.
//
// Calls are blocking with deadlines and idempotent: asking for what is there already succeeds.
// Threading: one thread at a time. Errors: kThrottled and kResourceExhausted (no capacity) come
// with retry_after where the cloud says it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"

namespace hive::cloud {

enum class InstanceState { kPending, kRunning, kStopped, kTerminated };
std::string_view to_string(InstanceState state);

// Where a group holds an instance until it is told that it may go on: a new one before it counts,
// one that is to end before it does.
enum class Hold { kNone, kLaunching, kEnding };

// Where an instance stands in the group that the cloud keeps at a size; kNone: in none. Those that
// end are no part of the size any more.
enum class Membership { kNone, kComing, kServing, kEnding };

struct Instance {
  std::string id;        // "i-0a1b2c3d"
  std::string hostname;  // "shop-manager-1"
  std::string role;      // "manager" or "worker"
  std::string address;   // private IPv4
  InstanceState state = InstanceState::kPending;
  std::int64_t launched_unix_ms = 0;
  std::string engine_host;  // how this machine reaches its engine: "unix:///..."; may be empty
  Hold hold = Hold::kNone;
  Membership membership = Membership::kNone;
  // Of launch() alone: that it is not where it was tried first, and why.
  std::string detour;
  bool operator==(const Instance&) const = default;
};

struct LaunchRequest {
  std::string role;
  std::string hostname;  // empty = chosen: CLUSTER-ROLE-N with the lowest free N
  std::string user_data;
  // The cloud's own user data for the role, as `hive up` gives it; `user_data` is not looked at.
  bool standard_user_data = false;
  // The same token gives the same instance: a launch that was cut off is not done twice. kConflict
  // where that one has ended.
  std::string idempotency_token;
};

// A cloud that names its machines itself is asked for a number of workers, never for a certain one:
// it keeps a group at the size that is desired, and replaces what is lost.
struct WorkerGroup {
  int min = 0;
  int max = 0;      // 0: there is no group yet
  int desired = 0;  // those that come are counted, those that end are not
  // Why an instance that is due does not come ("no m5.large in eu-central-1a"); empty: none is due,
  // or it comes.
  std::string shortage;
  bool operator==(const WorkerGroup&) const = default;
};

// What a machine needs to become a node of a Swarm. The token is a secret, and so no user data.
struct SwarmPlace {
  std::string token;
  std::vector<std::string> managers;  // "10.77.3.10:2377"
};

struct ListenerSpec {
  std::uint16_t port = 0;           // at the balancer
  std::uint16_t instance_port = 0;  // at the instances
  std::string mode = "http";        // http, tcp, https (TLS ends at the balancer)
  std::string certificate_pem;      // path, for https
  bool send_proxy = false;          // PROXY v2 to the instances (tcp)
  bool operator==(const ListenerSpec&) const = default;
};

struct BalancerSpec {
  std::vector<ListenerSpec> listeners;
  std::uint16_t health_port = 0;
  std::string health_path = "/";
  std::uint32_t health_interval_ms = 1'000;
  std::uint32_t healthy_threshold = 2;
  std::uint32_t unhealthy_threshold = 2;
  std::uint32_t draining_timeout_ms = 60'000;
  std::string bind_address = "0.0.0.0";
  bool operator==(const BalancerSpec&) const = default;
};

enum class TargetHealth { kInitial, kInService, kOutOfService, kDraining };
std::string_view to_string(TargetHealth health);
struct TargetStatus {
  std::string instance_id;
  TargetHealth health = TargetHealth::kInitial;
  std::uint32_t open_connections = 0;
  std::string reason;
};
struct BalancerStatus {
  BalancerSpec spec;
  std::string address;  // where clients connect
  std::vector<TargetStatus> targets;
};

// What some clouds' balancers measure of themselves, a minute at a time, and tell minutes later.
enum class BalancerFigure {
  kRequests,    // a second
  kLatency,     // mean seconds until an answer begins; 0 in a minute without requests
  kSurgeQueue,  // requests that wait for an instance, the most at one time
  kSpillover,   // requests that were refused since that queue was full, a second
};
struct Measured {
  std::optional<double> value;     // not negative, and finite
  std::int64_t until_unix_ms = 0;  // the end of the minute
  // False: a minute that may not have been told whole, so that it is at least this.
  bool whole = false;
  std::string trouble;  // why there is none, or what was wrong with the rest
};
using BalancerFigures = std::map<BalancerFigure, Measured>;

class Cloud {
 public:
  virtual ~Cloud() = default;

  virtual Result<Instance> launch(const LaunchRequest& request) = 0;
  virtual Result<std::vector<Instance>> list_instances() = 0;  // terminated ones are not listed
  virtual Status start(const std::string& instance_id) = 0;
  virtual Status stop(const std::string& instance_id) = 0;       // orderly, keeps its disk
  virtual Status terminate(const std::string& instance_id) = 0;  // orderly, its disk goes
  virtual Status power_off(const std::string& instance_id) = 0;  // as a power cut; for tests
  // Lets a held instance go on, or tells the cloud that it is still needed: else a hold ends by
  // itself some day. kUnsupported where the cloud holds nothing.
  virtual Status release_hold(const Instance& instance);
  virtual Status keep_hold(const Instance& instance);
  // A new instance that is held shall not be waited for any more: its group ends it, and starts
  // another.
  virtual Status give_up_hold(const Instance& instance);

  // --- where the cloud names its machines itself; kUnsupported from all others
  virtual Result<WorkerGroup> worker_group();
  // The group's size is at least so many from now on; a larger one stays. kFailedPrecondition
  // beyond its maximum, kNotFound without a group.
  virtual Status raise_workers(int to);
  // Instances that are due and did not come are not waited for: the size becomes the number of
  // those that are there or come, its minimum at least. Ends none.
  virtual Status forgo_workers();

  // What the instance printed on its console, the last `max_bytes`.
  virtual Result<std::string> console_output(const std::string& instance_id,
                                             std::size_t max_bytes) = 0;

  // Makes the instance's engine a node of that Swarm. One that is in a Swarm already, or is just
  // joining, stays as it is. kUnavailable while its engine does not answer yet: ask again.
  virtual Status join(const std::string& instance_id, const SwarmPlace& place) = 0;

  // --- the balancer in front of the instances
  virtual Status ensure_balancer(const BalancerSpec& spec) = 0;
  virtual Status register_instance(const std::string& instance_id) = 0;
  // Starts connection draining and returns; balancer() shows the state.
  virtual Status deregister_instance(const std::string& instance_id) = 0;
  virtual Result<BalancerStatus> balancer() = 0;
  // The newest of each that is asked for, and of no other: each may cost. kUnsupported where the
  // balancer measures nothing.
  virtual Result<BalancerFigures> balancer_figures(const std::set<BalancerFigure>& which);
};

}  // namespace hive::cloud
