#include "stack/differences.h"

#include <algorithm>
#include <chrono>

#include "config/stop_policy.h"

namespace hive::stack {

namespace {

constexpr std::string_view kHostPorts = "dynamic-host-ports";
constexpr std::string_view kHiveLabel = "hive-label";
constexpr std::string_view kDnsrr = "endpoint-dnsrr";
constexpr std::string_view kRestartDelay = "restart-delay";
constexpr std::string_view kInit = "init";
constexpr std::string_view kGrace = "stop-grace-period";
constexpr std::int64_t kLeastDelayNs = 5'000'000'000;

bool is_tcp_ingress(const Json& port) {
  return json_string(port, "PublishMode", "ingress") == "ingress" &&
         json_string(port, "Protocol", "tcp") == "tcp";
}

std::string host_ports(Json& spec) {
  Json listeners = Json::array();
  std::string detail;
  if (!spec["EndpointSpec"].contains("Ports")) return detail;
  for (auto& port : spec["EndpointSpec"]["Ports"]) {
    if (!is_tcp_ingress(port)) continue;
    const std::int64_t target = json_int(port, "TargetPort");
    const std::int64_t published = json_int(port, "PublishedPort");
    port["PublishMode"] = "host";
    port.erase("PublishedPort");
    if (!detail.empty()) detail += ", ";
    detail += std::to_string(published) + ":" + std::to_string(target);
    if (published != 0) {
      listeners.push_back({{"port", published}, {"target", target}, {"protocol", "tcp"}});
    }
  }
  if (!listeners.empty()) spec["Labels"]["hive.listeners"] = listeners.dump();
  return detail;
}

std::string hive_label(Json& spec, const config::Service& service) {
  if (service.hive_json.empty()) return "";
  spec["Labels"]["hive.x"] = service.hive_json;
  return "label hive.x";
}

std::string dnsrr(Json& spec, const ClusterTraits& traits) {
  Json& endpoint = spec["EndpointSpec"];
  if (traits.ip_vs || json_string(endpoint, "Mode", "vip") == "dnsrr") return "";
  // Swarm refuses ports of the routing mesh with dnsrr.
  if (endpoint.contains("Ports")) {
    for (const auto& port : endpoint["Ports"]) {
      if (json_string(port, "PublishMode", "ingress") == "ingress") return "";
    }
  }
  endpoint["Mode"] = "dnsrr";
  return "endpoint_mode dnsrr, for want of IP_VS in the kernel";
}

std::string restart_delay(Json& spec) {
  Json& task = spec["TaskTemplate"];
  if (!task.contains("RestartPolicy") || !task["RestartPolicy"].contains("Delay")) return "";
  Json& delay = task["RestartPolicy"]["Delay"];
  if (delay.get<std::int64_t>() >= kLeastDelayNs) return "";
  delay = kLeastDelayNs;
  return "restart_policy.delay 5s";
}

std::string init(Json& spec) {
  Json& container = spec["TaskTemplate"]["ContainerSpec"];
  if (container.contains("Init")) return "";
  container["Init"] = true;
  return "init true";
}

// Docker's SIGKILL must not come within a deadline of the stop sequence.
std::string grace(Json& spec, const config::Service& service) {
  Json& container = spec["TaskTemplate"]["ContainerSpec"];
  if (!json_bool(container, "Init")) return "";
  const auto needed = std::chrono::nanoseconds(model::grace_period(config::stop_policy(service)));
  if (json_int(container, "StopGracePeriod") >= needed.count()) return "";
  container["StopGracePeriod"] = needed.count();
  return "stop_grace_period " +
         std::to_string(std::chrono::duration_cast<std::chrono::seconds>(needed).count()) + "s";
}

}  // namespace

const std::vector<Difference>& differences() {
  static const std::vector<Difference> all = {
      {kHostPorts,
       "TCP ports of the routing mesh (mode ingress) are published in mode host on a port that the "
       "engine chooses, and the port of the file is kept in label hive.listeners for the edges."},
      {kHiveLabel, "The service's x-hive settings are kept in label hive.x as compact JSON."},
      {kDnsrr,
       "Where a node's kernel has no IP_VS, endpoint_mode is dnsrr, unless the service has ports "
       "of the routing mesh left."},
      {kRestartDelay,
       "A restart_policy delay of less than 5 s is raised to 5 s, so that a stopped task can be "
       "scaled away before Swarm starts it again."},
      {kInit, "Containers run under an init process, unless the file says init: false."},
      {kGrace,
       "stop_grace_period is at least the sum of the stop sequence's deadlines (x-hive.drain), so "
       "that Docker does not kill in the middle of it; unless the file says init: false."},
  };
  return all;
}

std::vector<Applied> apply_differences(const config::Spec& spec, const ClusterTraits& traits,
                                       Conversion& conversion) {
  std::vector<Applied> applied;
  for (auto& object : conversion.services) {
    const auto service = spec.services.find(object.key);
    if (service == spec.services.end()) continue;
    const auto note = [&](std::string_view name, std::string detail) {
      if (!detail.empty()) applied.push_back({object.name, name, std::move(detail)});
    };
    note(kHostPorts, host_ports(object.spec));
    note(kHiveLabel, hive_label(object.spec, service->second));
    note(kDnsrr, dnsrr(object.spec, traits));
    note(kRestartDelay, restart_delay(object.spec));
    note(kInit, init(object.spec));
    note(kGrace, grace(object.spec, service->second));
  }
  return applied;
}

}  // namespace hive::stack
