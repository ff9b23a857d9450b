#include "controller/routing.h"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace hive::controller {
namespace {

using model::Endpoint;
using model::Service;
using model::Snapshot;
using model::Task;
using model::TaskState;

std::uint16_t port_from(std::int64_t value) {
  return value > 0 && value <= 65'535 ? static_cast<std::uint16_t>(value) : std::uint16_t{0};
}

ListenerSettings listener_from_json(const Json& value) {
  ListenerSettings out;
  out.instance = port_from(json_int(value, "instance"));
  out.mode = json_string(value, "mode", "http");
  out.proxy = json_bool(value, "proxy");
  return out;
}

struct Published {
  std::uint16_t port = 0;
  std::uint16_t target = 0;
  bool operator==(const Published&) const = default;
};

class Router {
 public:
  Router(const Snapshot& snapshot, const ClusterSettings& settings, const Unfit& unfit,
         const AgentsSight& agents)
      : snapshot_(snapshot), settings_(settings), unfit_(unfit), agents_(agents) {}

  Routing run() {
    for (const auto& [id, task] : snapshot_.tasks) tasks_[task.service_id].push_back(&task);
    for (const auto& [id, service] : snapshot_.services)
      if (const auto of = service.labels.find(kCanaryOfLabel); of != service.labels.end())
        canaries_.emplace(of->second, &service);
    edges_ = static_cast<std::size_t>(
        std::count_if(snapshot_.nodes.begin(), snapshot_.nodes.end(),
                      [&](const auto& entry) { return is_there(entry.second); }));
    if (settings_.dashboard_port != 0) add_dashboard();
    // The service that was there first keeps a contested route.
    std::vector<const Service*> services;
    for (const auto& [id, service] : snapshot_.services) services.push_back(&service);
    std::sort(services.begin(), services.end(), [](const Service* a, const Service* b) {
      return std::tie(a->created_unix_ms, a->name) < std::tie(b->created_unix_ms, b->name);
    });
    for (const Service* service : services) add_service(*service);
    std::sort(out_.table.listeners.begin(), out_.table.listeners.end(),
              [](const auto& a, const auto& b) { return a.port < b.port; });
    return std::move(out_);
  }

 private:
  bool is_there(const model::Node& node) const {
    return is_heard(node) || agents_.nodes.contains(node.id);
  }

  void add_dashboard() {
    model::Backend backend;
    backend.name = kDashboardBackend;
    backend.probe_path = "/healthz";
    const bool led = std::any_of(snapshot_.nodes.begin(), snapshot_.nodes.end(),
                                 [](const auto& entry) { return entry.second.leader; });
    for (const auto& [id, node] : snapshot_.nodes) {
      if (node.role != model::Role::kManager || !is_there(node)) continue;
      // The leader's controller alone hears the agents, so it alone knows their figures.
      backend.endpoints.push_back({"dashboard-" + id, kDashboardBackend, id,
                                   "dashboard on " + node.hostname, reachable_address(node),
                                   kApiPort, node.leader || !led});
    }
    listener(settings_.dashboard_port, "");
    claim({settings_.dashboard_port, "", "", kDashboardBackend}, kDashboardBackend);
    add_backend(std::move(backend), kDashboardBackend);
  }

  void add_backend(model::Backend backend, const std::string& owner) {
    const auto [found, fresh] = backends_.emplace(backend.name, owner);
    if (fresh) return out_.table.backends.push_back(std::move(backend));
    problem("service " + owner + ": the name " + backend.name + " is taken by " + found->second +
            "; it gets no requests, give it another name");
  }

  std::vector<Published> published(const Service& service) {
    std::vector<Published> out;
    const auto label = service.labels.find(kListenersLabel);
    if (label == service.labels.end()) return out;
    const auto json = parse_json(label->second, kListenersLabel);
    if (!json || !json->is_array()) {
      problem("service " + service.name + ": label " + kListenersLabel +
              " is not a JSON array; it gets no requests");
      return out;
    }
    for (const Json& entry : *json) {
      if (json_string(entry, "protocol", "tcp") != "tcp") continue;
      const Published port{port_from(json_int(entry, "port")),
                           port_from(json_int(entry, "target"))};
      if (port.port != 0 && port.target != 0) out.push_back(port);
    }
    return out;
  }

  Json hive_settings(const Service& service) {
    const auto label = service.labels.find(kHiveLabel);
    if (label == service.labels.end()) return Json::object();
    auto json = parse_json(label->second, kHiveLabel);
    if (json && json->is_object()) return *json;
    problem("service " + service.name + ": label " + kHiveLabel +
            " is not a JSON object; its settings are passed over");
    return Json::object();
  }

  void add_service(const Service& service) {
    if (service.labels.contains(kCanaryOfLabel)) return;
    const auto ports = published(service);
    if (ports.empty()) return;
    const Json hive = hive_settings(service);
    std::map<std::uint16_t, std::string> by_target;  // one backend for each target port
    for (const auto& port : ports) {
      if (!listener(port.port, json_string(hive, "certificate"))) {
        problem("service " + service.name + ": too many listeners");
        continue;
      }
      const std::string name =
          by_target.empty() ? service.name : service.name + "-" + std::to_string(port.target);
      const auto [found, fresh] = by_target.emplace(port.target, name);
      if (fresh) add_backend(backend(service, hive, port, name), service.name);
      for (const auto& route : routes(service, hive, port.port, found->second))
        if (backends_[found->second] == service.name) claim(route, service.name);
    }
  }

  std::vector<model::Route> routes(const Service& service, const Json& hive, std::uint16_t port,
                                   const std::string& backend_name) {
    std::vector<model::Route> out;
    const Json* rules = json_member(hive, "routes");
    if (rules != nullptr && rules->is_array())
      for (const Json& rule : *rules)
        out.push_back({port, json_string(rule, "host"), json_string(rule, "path"), backend_name});
    if (mode(port) == "tcp" && !out.empty()) {
      problem("service " + service.name + ": routes need a listener of mode http, port " +
              std::to_string(port) + " is tcp; they are passed over");
      out.clear();
    }
    if (out.empty()) out.push_back({port, "", "", backend_name});
    return out;
  }

  void claim(const model::Route& route, const std::string& owner) {
    const auto [found, fresh] =
        owners_.emplace(std::tuple(route.listener_port, route.host, route.path_prefix), owner);
    if (!fresh && found->second != owner) {
      problem("services " + found->second + " and " + owner + " both want port " +
              std::to_string(route.listener_port) +
              (route.host.empty() ? "" : " host " + route.host) +
              (route.path_prefix.empty() ? "" : " path " + route.path_prefix) + "; " +
              found->second + " has it, give " + owner + " another port or x-hive.routes");
      return;
    }
    if (fresh) out_.table.routes.push_back(route);
  }

  model::Backend backend(const Service& service, const Json& hive, const Published& port,
                         const std::string& name) {
    model::Backend out;
    out.name = name;
    out.mode = mode(port.port);
    out.sticky_cookie = out.mode == "http" ? json_string(hive, "sticky.cookie") : "";
    out.probe_path = json_string(hive, "health.path");
    out.max_connections_per_task = share_of_an_edge(json_int(hive, "max_connections"));
    out.proxy_protocol = json_bool(hive, "proxy_protocol");
    add_tasks(service.id, port, out.endpoints);
    const auto canary = canaries_.find(service.id);
    if (canary == canaries_.end()) return out;
    out.canary_percent = percent_of(*canary->second);
    const std::size_t regulars = out.endpoints.size();
    if (out.canary_percent > 0) add_tasks(canary->second->id, port, out.endpoints);
    for (std::size_t i = regulars; i < out.endpoints.size(); ++i) out.endpoints[i].canary = true;
    return out;
  }

  // The balancer in front spreads requests over the edges, so each gets the same share of what a
  // task may have open. One at least: a task that no edge may ask is of no use.
  std::uint32_t share_of_an_edge(std::int64_t max_connections) const {
    const auto all = std::clamp<std::int64_t>(max_connections, 0, 1'000'000);
    if (all == 0) return 0;
    const auto edges = static_cast<std::int64_t>(std::max<std::size_t>(edges_, 1));
    return static_cast<std::uint32_t>(std::max<std::int64_t>(all / edges, 1));
  }

  std::uint32_t percent_of(const Service& canary) {
    const auto label = canary.labels.find(kCanaryPercentLabel);
    const std::string text = label == canary.labels.end() ? "" : label->second;
    std::uint32_t percent = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), percent);
    if (read.ec == std::errc() && percent >= 1 && percent <= 100) return percent;
    problem("service " + canary.name + ": label " + kCanaryPercentLabel +
            " is not 1 to 100; the canary gets no requests");
    return 0;
  }

  void add_tasks(const std::string& service_id, const Published& port, std::vector<Endpoint>& out) {
    const auto found = tasks_.find(service_id);
    if (found == tasks_.end()) return;
    for (const Task* task : found->second) add_endpoint(*task, port, out);
  }

  void add_endpoint(const Task& task, const Published& port, std::vector<Endpoint>& out) {
    if (task.state != TaskState::kRunning) return;
    const auto unfit = unfit_.find(task.id);
    if (unfit != unfit_.end() && unfit->second == kLeaving) return;
    const auto node = snapshot_.nodes.find(task.node_id);
    if (node == snapshot_.nodes.end()) return;
    bool serves = task.desired == TaskState::kRunning || agents_.held.contains(task.id);
    if (!is_heard(node->second)) {
      if (!may_be_there(task)) return;
      serves = true;
    }
    for (const auto& bound : task.ports) {
      if (bound.target != port.target || bound.protocol != "tcp" || bound.published == 0 ||
          bound.mode != model::PublishMode::kHost)
        continue;
      out.push_back({task.id, task.service_id, task.node_id, task_name(snapshot_, task),
                     reachable_address(node->second), bound.published,
                     serves && unfit == unfit_.end()});
      return;
    }
    if (task.ports.empty()) out_.unsure.push_back(task.id);
  }

  // Swarm does not hear from its node, and has planned another in its place. It serves while its
  // agent sees it run, until the other one does.
  bool may_be_there(const Task& task) {
    if (task.desired == TaskState::kRemove || successor_serves(task)) return false;
    if (agents_.running.contains(task.id)) return true;
    if (!agents_.nodes.contains(task.node_id)) out_.unsure.push_back(task.id);
    return false;
  }

  bool successor_serves(const Task& task) const {
    if (task.slot == 0) return false;
    const auto& all = tasks_.at(task.service_id);
    return std::any_of(all.begin(), all.end(), [&](const Task* other) {
      return other->id != task.id && other->slot == task.slot &&
             other->desired == TaskState::kRunning && agents_.served.contains(other->id);
    });
  }

  std::string mode(std::uint16_t port) const {
    for (const auto& listener : settings_.listeners)
      if (listener.instance == port) return listener.mode;
    return "http";
  }

  // Of several services on one port, the first that names a certificate gives it to the port.
  bool listener(std::uint16_t port, const std::string& certificate) {
    for (auto& there : out_.table.listeners) {
      if (there.port != port) continue;
      if (there.certificate_pem.empty()) there.certificate_pem = certificate;
      return true;
    }
    if (out_.table.listeners.size() >= 256) return false;
    model::Listener listener;
    listener.port = port;
    listener.certificate_pem = certificate;
    for (const auto& wanted : settings_.listeners) {
      if (wanted.instance != port) continue;
      listener.mode = wanted.mode;
      listener.accept_proxy = wanted.proxy;
    }
    out_.table.listeners.push_back(listener);
    return true;
  }

  void problem(std::string text) { out_.problems.push_back(std::move(text)); }

  const Snapshot& snapshot_;
  const ClusterSettings& settings_;
  const Unfit& unfit_;
  const AgentsSight& agents_;
  std::map<std::string, std::vector<const Task*>> tasks_;  // by service
  std::map<std::string, const Service*> canaries_;         // by the service's id
  std::map<std::tuple<std::uint16_t, std::string, std::string>, std::string> owners_;
  std::map<std::string, std::string> backends_;  // name -> who has it
  std::size_t edges_ = 0;
  Routing out_;
};

}  // namespace

namespace {

WorkerSettings workers_from_json(const Json& workers) {
  constexpr std::int64_t kMost = 1'000;
  WorkerSettings out;
  out.min = static_cast<int>(std::clamp<std::int64_t>(json_int(workers, "min"), 0, kMost));
  out.max = static_cast<int>(std::clamp<std::int64_t>(json_int(workers, "max"), 0, kMost));
  out.scale_in_after_ms =
      std::max<std::int64_t>(0, json_int(workers, "scale_in_after_ms", out.scale_in_after_ms));
  out.join_timeout_ms =
      std::max<std::int64_t>(5'000, json_int(workers, "join_timeout_ms", out.join_timeout_ms));
  return out;
}

}  // namespace

ClusterSettings settings_from_json(const Json& cluster) {
  ClusterSettings out;
  out.name = json_string(cluster, "name");
  const auto port = json_int(cluster, "dashboard_port", 5000);
  out.dashboard_port = port_from(port);
  constexpr std::int64_t kMostManagers = 7;  // as in config/convert_hive.cc
  out.managers =
      static_cast<int>(std::clamp<std::int64_t>(json_int(cluster, "managers"), 0, kMostManagers));
  out.replace_managers = json_bool(cluster, "x_hive.replace_managers", true);
  out.rebalance = json_bool(cluster, "x_hive.rebalance", true);
  if (const Json* workers = json_member(cluster, "workers"))
    out.workers = workers_from_json(*workers);
  const Json* listeners = json_member(cluster, "listeners");
  if (listeners != nullptr && listeners->is_array())
    for (const Json& entry : *listeners)
      if (auto listener = listener_from_json(entry); listener.instance != 0)
        out.listeners.push_back(std::move(listener));
  return out;
}

Routing route(const Snapshot& snapshot, const ClusterSettings& settings, const Unfit& unfit,
              const AgentsSight& agents) {
  return Router(snapshot, settings, unfit, agents).run();
}

std::string reachable_address(const model::Node& node) {
  const bool usable =
      !node.address.empty() && node.address != "0.0.0.0" && node.address != "127.0.0.1";
  if (usable || node.manager_address.empty()) return node.address;
  return node.manager_address.substr(0, node.manager_address.rfind(':'));
}

std::string task_name(const Snapshot& snapshot, const Task& task) {
  const auto service = snapshot.services.find(task.service_id);
  const std::string name =
      service == snapshot.services.end() ? task.service_id : service->second.name;
  if (task.slot > 0) return name + "." + std::to_string(task.slot);
  const auto node = snapshot.nodes.find(task.node_id);
  return name + "." + (node == snapshot.nodes.end() ? task.id : node->second.hostname);
}

}  // namespace hive::controller
