#include "config/check.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace hive::config {

Position position_of(const Spec& spec, std::string_view path) {
  while (!path.empty()) {
    const auto found = spec.positions.find(std::string(path));
    if (found != spec.positions.end()) return found->second;
    const auto cut = path.find_last_of(".[");
    if (cut == std::string_view::npos) break;
    path = path.substr(0, cut);
  }
  return {};
}

std::string Spec::where(std::string_view path) const {
  const Position position = position_of(*this, path);
  if (position.line == 0 || position.file >= files.size()) return "";
  return fmt::format("{}:{}:{}", files[position.file], position.line, position.column);
}

namespace {

template <typename T>
std::vector<std::string> names_of(const std::map<std::string, T>& map) {
  std::vector<std::string> out;
  out.reserve(map.size());
  for (const auto& [name, unused] : map) out.push_back(name);
  return out;
}

class Checker {
 public:
  Checker(const Spec& spec, Findings& findings) : spec_(spec), findings_(findings) {}
  void run() {
    for (const auto& [name, service] : spec_.services) {
      references(service);
      image(service);
      own_ports(service);
      stops(service);
      if (service.hive) hive(service);
    }
    shared_ports();
    listeners();
  }

 private:
  void fault(const std::string& path, std::string message, std::string hint = "") {
    findings_.fault(position_of(spec_, path), std::move(message), std::move(hint));
  }
  template <typename T>
  void defined(const std::string& name, const std::map<std::string, T>& in, const std::string& path,
               std::string_view kind);
  void references(const Service& service);
  void image(const Service& service);
  void own_ports(const Service& service);
  void stops(const Service& service);
  void hive(const Service& service);
  void metrics(const Service& service);
  void balancer_metric(const Service& service, const AutoscaleMetric& metric,
                       const std::string& path);
  void shared_ports();
  void compare(const Service& a, const Service& b, const ServicePort& port);
  void listeners();

  const Spec& spec_;
  Findings& findings_;
};

template <typename T>
void Checker::defined(const std::string& name, const std::map<std::string, T>& in,
                      const std::string& path, std::string_view kind) {
  if (in.count(name) > 0) return;
  std::string hint = suggest(name, names_of(in));
  if (hint.empty()) hint = fmt::format("define it under the top-level `{}s`", kind);
  fault(path, fmt::format("{} {} is not defined", kind, in_quotes(name)), hint);
}

void Checker::references(const Service& service) {
  const std::string path = "services." + service.name;
  for (const auto& [name, unused] : service.networks)
    if (name != "default")
      defined(name, spec_.networks, fmt::format("{}.networks.{}", path, name), "network");
  for (const auto& volume : service.volumes)
    if (volume.type == "volume" && !volume.source.empty())
      defined(volume.source, spec_.volumes, fmt::format("{}.volumes.{}", path, volume.source),
              "volume");
  for (const auto& secret : service.secrets)
    defined(secret.source, spec_.secrets, fmt::format("{}.secrets.{}", path, secret.source),
            "secret");
  for (const auto& config : service.configs)
    defined(config.source, spec_.configs, fmt::format("{}.configs.{}", path, config.source),
            "config");
  if (service.credential_spec && !service.credential_spec->config.empty())
    defined(service.credential_spec->config, spec_.configs, path + ".credential_spec.config",
            "config");
}

void Checker::image(const Service& service) {
  const std::string path = "services." + service.name;
  // A value of a wrong type was reported already.
  const bool reported = findings_.has_faults() && spec_.positions.count(path + ".image") > 0;
  if (service.image.empty() && reported) return;
  if (service.image.empty())
    fault(path, fmt::format("{} has no image", path),
          "Swarm builds no images: build it first and name it here");
  else if (service.image.find_first_of(" \t\n") != std::string::npos)
    fault(path + ".image",
          fmt::format("{}.image {} has a space in it", path, in_quotes(service.image)));
}

void Checker::own_ports(const Service& service) {
  std::set<std::pair<std::uint32_t, std::string>> seen;
  for (const auto& port : service.ports) {
    const std::string protocol = port.protocol.empty() ? "tcp" : port.protocol;
    if (port.published == 0) continue;
    if (!seen.emplace(port.published, protocol).second)
      fault(fmt::format("services.{}.ports.{}", service.name, port.published),
            fmt::format("services.{} publishes port {}/{} twice", service.name, port.published,
                        protocol));
    const bool ingress = port.mode.empty() || port.mode == "ingress";
    if (ingress && spec_.has_hive && protocol == "tcp" &&
        spec_.cluster.dashboard_port == port.published)
      fault(fmt::format("services.{}.ports.{}", service.name, port.published),
            fmt::format("services.{} publishes port {}, where the dashboard is", service.name,
                        port.published),
            "publish another port, or set x-hive.dashboard.port");
  }
}

void Checker::stops(const Service& service) {
  if (service.init.value_or(true)) return;
  findings_.warn(
      position_of(spec_, fmt::format("services.{}.init", service.name)),
      fmt::format("services.{}: with init: false its stops are not held, and whenever one "
                  "of its containers stops, requests in flight and log lines can be lost",
                  service.name),
      "leave init out, unless the image must be process 1 itself, as with s6-overlay");
}

void Checker::hive(const Service& service) {
  const std::string path = fmt::format("services.{}.x-hive", service.name);
  if (!service.hive->autoscale) return;
  const Autoscale& scale = *service.hive->autoscale;
  if (!service.deploy.mode.empty() && service.deploy.mode != "replicated")
    fault(path + ".autoscale", fmt::format("{}.autoscale: deploy.mode is {}, and only a "
                                           "replicated service can be scaled",
                                           path, service.deploy.mode));
  const auto& replicas = service.deploy.replicas;
  if (replicas && (*replicas < scale.min || *replicas > scale.max))
    findings_.warn(position_of(spec_, fmt::format("services.{}.deploy.replicas", service.name)),
                   fmt::format("services.{}: {} replicas are outside of autoscale's {} to {}",
                               service.name, *replicas, scale.min, scale.max),
                   "hive starts with the nearest number inside");
  metrics(service);
  const auto& deploy = service.deploy;
  const bool cpu = (deploy.reservations && !deploy.reservations->cpus.empty()) ||
                   (deploy.limits && !deploy.limits->cpus.empty());
  const bool memory = (deploy.reservations && deploy.reservations->memory_bytes > 0) ||
                      (deploy.limits && deploy.limits->memory_bytes > 0);
  for (const auto& [name, wanted, known] :
       {std::tuple("cpu", scale.target.cpu.has_value(), cpu),
        std::tuple("memory", scale.target.memory.has_value(), memory)})
    if (wanted && !known)
      findings_.warn(position_of(spec_, fmt::format("{}.autoscale.target.{}", path, name)),
                     fmt::format("{}.autoscale.target.{} is a share of the reservation, and the "
                                 "service has none",
                                 path, name),
                     fmt::format("set deploy.resources.reservations.{}",
                                 name == std::string_view("cpu") ? "cpus" : "memory"));
}

// What is read from tasks needs a port of each of them on its node.
void Checker::metrics(const Service& service) {
  const auto& metrics = service.hive->autoscale->target.metrics;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const auto& metric = metrics[i];
    const std::string path =
        fmt::format("services.{}.x-hive.autoscale.target.metrics[{}]", service.name, i);
    if (!metric.cloudwatch.empty()) {
      balancer_metric(service, metric, path);
      continue;
    }
    const bool there =
        std::any_of(service.ports.begin(), service.ports.end(), [&](const ServicePort& port) {
          return (port.protocol.empty() || port.protocol == "tcp") &&
                 (metric.port == 0 || metric.port == port.target);
        });
    if (there || !metric.server.empty() || !metric.query.empty()) continue;
    const std::string port = metric.port == 0 ? "8080" : std::to_string(metric.port);
    findings_.warn(
        position_of(spec_, path),
        metric.port == 0
            ? fmt::format("{} is read from a port of each task, and the service has none", path)
            : fmt::format("{} is read from port {} of each task, and the service's ports "
                          "do not have it",
                          path, port),
        fmt::format("add \"{}\" to ports: written so, without a second port, it is on no "
                    "listener",
                    port));
  }
}

// A stack of its own says nothing of the cluster's cloud; the controller knows.
void Checker::balancer_metric(const Service& service, const AutoscaleMetric& metric,
                              const std::string& path) {
  if (spec_.has_hive && spec_.cluster.cloud != "aws") {
    fault(path + ".cloudwatch",
          fmt::format("{}.cloudwatch is {}, and x-hive.cloud is {}: CloudWatch is AWS's", path,
                      metric.cloudwatch, spec_.cluster.cloud),
          "set target.requests_per_replica or target.latency, which the edges measure everywhere");
    return;
  }
  if (spec_.has_hive && spec_.cluster.balancer_type != "classic") {
    fault(path + ".cloudwatch",
          fmt::format("{}.cloudwatch is {}, and x-hive.load_balancer.type is {}: these are figures "
                      "of the Classic Load Balancer",
                      path, metric.cloudwatch, spec_.cluster.balancer_type),
          "set target.requests_per_replica or target.latency, which the edges measure everywhere");
    return;
  }
  if (metric.cloudwatch != "RequestCount") return;
  std::vector<std::string> others;
  for (const auto& [name, other] : spec_.services)
    if (name != service.name && !other.ports.empty()) others.push_back(name);
  if (others.empty()) return;
  findings_.warn(
      position_of(spec_, path + ".cloudwatch"),
      fmt::format("{}: the balancer counts the requests of {} too", path, join(others, " and ")),
      "target.requests_per_replica is of each service alone");
}

std::vector<RouteRule> rules_of(const Service& service) {
  if (service.hive && !service.hive->routes.empty()) return service.hive->routes;
  return {RouteRule{}};
}

void Checker::compare(const Service& a, const Service& b, const ServicePort& port) {
  const std::string path = fmt::format("services.{}.ports.{}", b.name, port.published);
  if (port.protocol == "udp" || port.protocol == "sctp") {
    fault(path,
          fmt::format("services {} and {} both publish port {}/{}", a.name, b.name, port.published,
                      port.protocol),
          "only HTTP can be told apart by routes");
    return;
  }
  const auto rules = rules_of(a);
  for (const auto& rule : rules_of(b)) {
    if (std::find(rules.begin(), rules.end(), rule) == rules.end()) continue;
    const bool catch_all = rule == RouteRule{};
    fault(
        path,
        fmt::format(
            "services {} and {} both publish port {}{}", a.name, b.name, port.published,
            catch_all ? "" : fmt::format(" for host \"{}\" and path \"{}\"", rule.host, rule.path)),
        catch_all ? "publish another port, or tell them apart by x-hive.routes"
                  : "give them different x-hive.routes");
    return;
  }
}

void Checker::shared_ports() {
  struct Use {
    const Service* service;
    const ServicePort* port;
  };
  std::map<std::pair<std::uint32_t, std::string>, std::vector<Use>> uses;
  for (const auto& [name, service] : spec_.services)
    for (const auto& port : service.ports)
      if (port.published != 0 && (port.mode.empty() || port.mode == "ingress"))
        uses[{port.published, port.protocol.empty() ? "tcp" : port.protocol}].push_back(
            {&service, &port});
  for (const auto& [key, users] : uses)
    for (std::size_t i = 1; i < users.size(); ++i)
      if (users[i].service != users[i - 1].service)
        for (std::size_t j = 0; j < i && j < 50; ++j)
          if (users[j].service != users[i].service)
            compare(*users[j].service, *users[i].service, *users[i].port);
}

void Checker::listeners() {
  std::set<std::uint32_t> published;
  for (const auto& [name, service] : spec_.services)
    for (const auto& port : service.ports) published.insert(port.published);
  for (std::size_t i = 0; i < spec_.cluster.listeners.size(); ++i) {
    const auto& listener = spec_.cluster.listeners[i];
    if (published.count(listener.instance) > 0 ||
        listener.instance == spec_.cluster.dashboard_port || spec_.services.empty())
      continue;
    findings_.warn(position_of(spec_, fmt::format("x-hive.load_balancer.listeners[{}]", i)),
                   fmt::format("the listener {}:{} leads to a port that no service here publishes",
                               listener.listen, listener.instance));
  }
}

}  // namespace

void check_whole(const Spec& spec, Findings& findings) { Checker(spec, findings).run(); }

}  // namespace hive::config
