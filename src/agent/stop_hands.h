// What the stop sequence needs of its node: the hands that the agent's rules move. The real ones
// are in node_hands.h; tests have their own.
//
// Called by the agent's control thread alone; nothing here may block longer than some milliseconds:
// what takes time (commands, docker stop) is started by a call and looked at by later ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "decide/drain/stop_sequence.h"
#include "model/log_policy.h"

namespace hive::agent {

// A running container of a Swarm task, as the engine describes it. A restarted container has a new
// pid and is another one here.
struct ContainerInfo {
  std::string id;
  std::string task_id;
  std::string service_id;
  std::string service_name;
  std::string task_name;  // "hive-server.3.x7f..." as Swarm names the container
  int pid = 0;            // of its first process, in the agent's pid namespace
  std::string stop_signal = "SIGTERM";
  std::vector<std::uint16_t> ports;  // published target ports, TCP
  std::string log_path;              // of docker's json-file; empty = another driver
  std::string upper_dir;             // of its overlay file system; may be empty
  bool unhealthy = false;            // its engine's health check fails: Swarm will replace it
  bool operator==(const ContainerInfo&) const = default;
};

// Its first process.
struct InitSight {
  bool ours = false;        // hive-init, of a version that this agent can speak to
  std::string description;  // "armed"; or what runs instead: "tini"
  bool armed = false;
  decide::drain::InitState state = decide::drain::InitState::kUnheld;
  bool operator==(const InitSight&) const = default;
};

struct SocketSight {
  std::uint32_t connections = 0;  // established, inbound, at the target ports, not from itself
  bool listens = false;           // at any of the target ports
};

struct LogSight {
  bool watched = false;
  bool safe = false;  // every byte that was written until now is durable or acknowledged
  std::uint64_t bytes_safe = 0;
  std::uint64_t bytes_missing = 0;
};

enum class HookKind { kPreStop, kStopCommand };

class StopHands {
 public:
  virtual ~StopHands() = default;

  // state kGone when the process has ended.
  virtual InitSight init(const ContainerInfo& container) = 0;
  virtual Status arm(const ContainerInfo& container) = 0;
  virtual Status claim(const ContainerInfo& container, Milliseconds lasts) = 0;
  // The application gets its stop signal; with `by_command` it gets none, and init knows that its
  // end is meant.
  virtual Status tell(const ContainerInfo& container, bool by_command) = 0;
  // SIGKILL to the application alone.
  virtual Status kill_application(const ContainerInfo& container) = 0;
  virtual Status release(const ContainerInfo& container) = 0;

  // kNotFound when the container has ended.
  virtual Result<SocketSight> sockets(const ContainerInfo& container) = 0;
  // New connections from outside to its target ports are refused from now on.
  virtual Status close_door(const ContainerInfo& container) = 0;

  // Starts the command inside the container at the first call, and says how it stands.
  virtual decide::drain::CommandView command(const ContainerInfo& container, HookKind kind,
                                             const std::vector<std::string>& words) = 0;
  // Asks the engine to stop it, and does not wait. With `held` its first process gets the stop
  // signal and holds it; otherwise Docker kills after the grace.
  virtual void stop_container(const ContainerInfo& container, bool held, Milliseconds grace) = 0;

  // The container's log lines are collected, or their shipping watched, from now on.
  virtual void watch_logs(const ContainerInfo& container, const model::LogPolicy& policy,
                          const std::string& node_name, std::int64_t slot) = 0;
  // With `ended` the application writes no more: proof is wanted, soon.
  virtual LogSight logs(const ContainerInfo& container, bool ended) = 0;
  // The container has ended: what is left of its logs is read, then it is forgotten.
  virtual void forget(const ContainerInfo& container) = 0;
};

}  // namespace hive::agent
