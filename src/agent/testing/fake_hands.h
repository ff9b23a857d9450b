// The hands of a node for the agent's unit tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/stop_hands.h"

namespace hive::agent {

// One container whose init does what it is told at once.
class FakeHands final : public StopHands {
 public:
  InitSight init(const ContainerInfo&) override { return sight; }
  Status arm(const ContainerInfo&) override {
    if (!arming) return arming;
    sight.armed = true;
    sight.description = "armed";
    return {};
  }
  Status claim(const ContainerInfo&, Milliseconds lasts) override {
    claimed_for = lasts;
    become(decide::drain::InitState::kClaimed, "claimed");
    return {};
  }
  Status tell(const ContainerInfo&, bool by_command) override {
    ++told;
    told_by_command = by_command;
    become(decide::drain::InitState::kStopping, "stopping");
    return {};
  }
  Status kill_application(const ContainerInfo&) override {
    ++killed;
    return {};
  }
  Status release(const ContainerInfo&) override {
    ++released;
    become(decide::drain::InitState::kGone, "gone");
    return {};
  }
  Result<SocketSight> sockets(const ContainerInfo&) override { return socket_sight; }
  Status close_door(const ContainerInfo&) override {
    ++doors_closed;
    return door;
  }
  decide::drain::CommandView command(const ContainerInfo&, HookKind kind,
                                     const std::vector<std::string>& words) override {
    commands.push_back(words.front());
    return kind == HookKind::kPreStop ? pre_stop : stop_command;
  }
  void stop_container(const ContainerInfo&, bool held, Milliseconds grace) override {
    stops.emplace_back(held, grace);
    if (held) become(decide::drain::InitState::kHeld, "held");
  }
  void watch_logs(const ContainerInfo& container, const model::LogPolicy&, const std::string& node,
                  std::int64_t slot) override {
    watched.push_back(container.id + " on " + node + " slot " + std::to_string(slot));
  }
  LogSight logs(const ContainerInfo&, bool) override { return log_sight; }
  void forget(const ContainerInfo& container) override { forgotten.push_back(container.id); }

  void become(decide::drain::InitState state, const char* description) {
    sight.state = state;
    sight.description = description;
  }

  InitSight sight{.ours = true, .description = "idle"};
  SocketSight socket_sight{.connections = 0, .listens = true};
  LogSight log_sight;
  Status door;
  decide::drain::CommandView pre_stop{decide::drain::CommandView::State::kEnded, 0, ""};
  decide::drain::CommandView stop_command;
  Status arming;  // what arm() answers
  Milliseconds claimed_for{0};
  int told = 0, killed = 0, released = 0, doors_closed = 0;
  bool told_by_command = false;
  std::vector<std::pair<bool, Milliseconds>> stops;
  std::vector<std::string> commands, watched, forgotten;
};

inline ContainerInfo a_container() {
  ContainerInfo info;
  info.id = "c1";
  info.task_id = "t1";
  info.service_id = "s1";
  info.service_name = "web";
  info.task_name = "web.1.t1";
  info.pid = 42;
  info.ports = {8080};
  return info;
}

}  // namespace hive::agent
