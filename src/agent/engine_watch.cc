#include "agent/engine_watch.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/json.h"
#include "base/log.h"
#include "init/protocol.h"

namespace hive::agent {
namespace {

// What `hive-init --version` has the engine say.
constexpr const char* kHiveInitCommit = "hive-init-";
constexpr const char* kTaskLabel = "com.docker.swarm.task.id";

std::string label(const Json& labels, std::string_view key) {
  const Json* value = json_member(labels, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

// "Up 3 seconds (health: starting)" -> "starting": the list has the health in no other place.
std::string health_of(const std::string& status) {
  if (status.find("(healthy)") != std::string::npos) return "healthy";
  if (status.find("(unhealthy)") != std::string::npos) return "unhealthy";
  return status.find("health: starting") != std::string::npos ? "starting" : "";
}

// Ports of the node. Docker names an address family a line: the same port twice.
std::vector<model::Port> ports_of(const Json& container) {
  std::vector<model::Port> ports;
  const Json* list = json_member(container, "Ports");
  if (list == nullptr || !list->is_array()) return ports;
  for (const Json& entry : *list) {
    const auto published = json_int(entry, "PublicPort");
    const auto target = json_int(entry, "PrivatePort");
    if (published <= 0 || published > 65'535 || target <= 0 || target > 65'535) continue;
    const model::Port port{json_string(entry, "Type", "tcp"), static_cast<std::uint16_t>(target),
                           static_cast<std::uint16_t>(published), model::PublishMode::kHost};
    if (std::find(ports.begin(), ports.end(), port) == ports.end()) ports.push_back(port);
  }
  return ports;
}

// The keys of PortBindings: "8080/tcp".
std::vector<std::uint16_t> tcp_ports(const Json* bindings) {
  std::vector<std::uint16_t> ports;
  if (bindings == nullptr || !bindings->is_object()) return ports;
  for (const auto& [key, value] : bindings->items()) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), port);
    if (error == std::errc() && std::string_view(end) == "/tcp") ports.push_back(port);
  }
  return ports;
}

class EngineWatch {
 public:
  EngineWatch(engine::Engine& engine, Mailbox& mailbox) : engine_(engine), mailbox_(mailbox) {}

  void on_event(const engine::Event& event) {
    if (!event.relist) {
      const std::string task = attribute(event, kTaskLabel);
      if (task.empty() || event.action.rfind("exec_", 0) == 0) return;
      std::string action = event.action;
      if (action == "kill") action += " " + attribute(event, "signal");
      // Before the list, which takes longer: a stop is held for some seconds only.
      mailbox_.post_event({task, event.actor_id, action, event.time_ns});
      if (action == "start" || action == "die") known_.erase(event.actor_id);
    } else if (const auto info = engine_.info()) {  // the engine may have been started anew
      mailbox_.post_engine_init(init_from_info(*info));
    }
    list();
  }

 private:
  static std::string attribute(const engine::Event& event, const char* key) {
    const auto found = event.attributes.find(key);
    return found == event.attributes.end() ? std::string() : found->second;
  }

  void list() {
    const auto all = engine_.list_containers(true, {{"label", {kTaskLabel}}});
    if (!all) return log::warn("agent", "containers: {}", describe(all.error()));
    std::vector<ContainerReport> reports;
    std::vector<ContainerInfo> running;
    std::map<std::string, ContainerInfo> known;
    for (const Json& container : *all) {
      const Json* labels = json_member(container, "Labels");
      const std::string id = json_string(container, "Id");
      const std::string state = json_string(container, "State");
      reports.push_back({labels == nullptr ? "" : label(*labels, kTaskLabel), id, state,
                         health_of(json_string(container, "Status")), "", ports_of(container)});
      if (state != "running" && state != "paused") continue;
      if (auto info = inspect(id)) {
        info->unhealthy = reports.back().health == "unhealthy";
        running.push_back(*info);
        known.emplace(id, *info);
      } else if (info.error().code == Errc::kFailedPrecondition) {
        // Docker tells of an end before its list knows, and nothing may tell again.
        reports.back().state = "exited";
      }
    }
    known_ = std::move(known);
    mailbox_.post_containers(std::move(reports));
    mailbox_.post_running(std::move(running));
  }

  Result<ContainerInfo> inspect(const std::string& id) {
    if (const auto found = known_.find(id); found != known_.end()) return found->second;
    HIVE_ASSIGN(const Json inspected, engine_.inspect_container(id));
    return container_from_json(inspected);
  }

  engine::Engine& engine_;
  Mailbox& mailbox_;
  std::map<std::string, ContainerInfo> known_;  // a container's description holds until it ends
};

}  // namespace

std::string init_from_info(const Json& info) {
  if (json_string(info, "InitCommit.ID").starts_with(kHiveInitCommit)) return init::kNoteName;
  return json_string(info, "InitBinary", "docker-init");
}

Result<ContainerInfo> container_from_json(const Json& inspected) {
  if (!json_bool(inspected, "State.Running"))
    return fail(Errc::kFailedPrecondition, "the container does not run");
  ContainerInfo info;
  info.id = json_string(inspected, "Id");
  info.pid = static_cast<int>(json_int(inspected, "State.Pid"));
  if (const Json* labels = json_path(inspected, "Config.Labels"); labels != nullptr) {
    info.task_id = label(*labels, kTaskLabel);
    info.service_id = label(*labels, "com.docker.swarm.service.id");
    info.service_name = label(*labels, "com.docker.swarm.service.name");
    info.task_name = label(*labels, "com.docker.swarm.task.name");
  }
  const std::string signal = json_string(inspected, "Config.StopSignal");
  if (!signal.empty()) info.stop_signal = signal;
  info.ports = tcp_ports(json_path(inspected, "HostConfig.PortBindings"));
  if (json_string(inspected, "HostConfig.LogConfig.Type") == "json-file")
    info.log_path = json_string(inspected, "LogPath");
  info.upper_dir = json_string(inspected, "GraphDriver.Data.UpperDir");
  if (info.id.empty() || info.pid <= 0 || info.task_id.empty())
    return fail(Errc::kCorrupt,
                "the engine's description of a container lacks its id, its process "
                "or its task");
  return info;
}

void watch_engine(engine::Engine& engine, Mailbox& mailbox, const std::stop_token& stop) {
  EngineWatch watch(engine, mailbox);
  (void)engine.events(
      {{"type", {"container"}}},
      [&](const engine::Event& event) {
        watch.on_event(event);
        return true;
      },
      stop);
}

}  // namespace hive::agent
