#include "cloud/aws/desired.h"

#include <algorithm>
#include <set>

#include "base/short_hash.h"
#include "base/text.h"
#include "cloud/aws/join.h"
#include "cloud/aws/policy.h"
#include "cloud/aws/user_data.h"

namespace hive::cloud::aws {
namespace {

constexpr std::uint16_t kHealthPort = 7080;
// hive's API, its agents, and machines that ask to join.
constexpr int kHivePorts[] = {7070, 7071, kJoinPort};
// Debian's net.ipv4.ip_local_port_range: engines take published host ports out of it.
constexpr int kDynamicFirst = 32'768;
constexpr int kDynamicLast = 60'999;
constexpr std::uint32_t kHookHeartbeat = 1'800;
constexpr int kKeptImages = 100;

std::vector<IngressRule> balancer_rules(const Settings& settings) {
  std::vector<IngressRule> out;
  for (const auto& listener : settings.listeners)
    for (const auto& source : settings.sources)
      out.push_back({"tcp", listener.port, listener.port, source, ""});
  return out;
}

std::vector<IngressRule> node_rules(const Settings& settings, const Names& names) {
  const std::string& nodes = names.node_group;
  std::vector<IngressRule> out{
      {"tcp", 2377, 2377, "", nodes}, {"tcp", 7946, 7946, "", nodes},
      {"udp", 7946, 7946, "", nodes}, {"udp", 4789, 4789, "", nodes},
      {"50", -1, -1, "", nodes},      {"tcp", kDynamicFirst, kDynamicLast, "", nodes}};
  for (const int port : kHivePorts) out.push_back({"tcp", port, port, "", nodes});
  std::set<int> from_balancer{kHealthPort};
  for (const auto& listener : settings.listeners) from_balancer.insert(listener.instance_port);
  for (const int port : from_balancer) out.push_back({"tcp", port, port, "", names.balancer_group});
  return out;
}

LaunchSpec launch_spec(const Settings& settings, const Desired& desired, const std::string& role,
                       const std::string& profile) {
  LaunchSpec out;
  out.image = desired.place.image.id;
  out.instance_profile = profile;
  out.security_groups = {desired.names.node_group};
  out.user_data = user_data({.node = {settings.cluster, role, settings.region},
                             .package = settings.package,
                             .package_sha256 = settings.package_sha256});
  out.root_device = desired.place.image.root_device;
  out.disk_gib = settings.disk_gib;
  out.tags = desired.tags(role);
  return out;
}

Json lifecycle_policy() {
  return {{"rules",
           {{{"rulePriority", 1},
             {"description", "hive: images without a tag go after two weeks"},
             {"selection",
              {{"tagStatus", "untagged"},
               {"countType", "sinceImagePushed"},
               {"countUnit", "days"},
               {"countNumber", 14}}},
             {"action", {{"type", "expire"}}}},
            {{"rulePriority", 2},
             {"description", "hive: the newest images stay"},
             {"selection",
              {{"tagStatus", "any"},
               {"countType", "imageCountMoreThan"},
               {"countNumber", kKeptImages}}},
             {"action", {{"type", "expire"}}}}}}};
}

// A network balancer passes on the bytes of HTTP, too; TLS ends there, as it does at the others.
V2Listener v2_listener(BalancerType type, const BalancerListener& from) {
  const bool tls = !from.certificate.empty();
  V2Listener out{.port = from.port, .certificate = from.certificate};
  if (type == BalancerType::kApplication)
    out.protocol = tls ? "HTTPS" : "HTTP";
  else
    out.protocol = tls ? "TLS" : "TCP";
  return out;
}

DesiredV2 v2_of(const Settings& settings, const Names& names, const Place& place) {
  const bool application = settings.balancer == BalancerType::kApplication;
  DesiredV2 out;
  out.balancer = {.name = names.balancer,
                  .type = settings.balancer,
                  .internal = settings.internal,
                  .security_groups = {names.balancer_group}};
  for (const auto& subnet : place.subnets) out.balancer.subnets.insert(subnet.id);
  for (const auto& from : std::set(settings.listeners.begin(), settings.listeners.end())) {
    V2Listener listener = v2_listener(settings.balancer, from);
    const std::string protocol = application ? "HTTP" : "TCP";
    listener.target_group = names.target_group(protocol, from.instance_port);
    TargetGroup& group = out.target_groups[listener.target_group];
    group = {.name = listener.target_group,
             .protocol = protocol,
             .port = from.instance_port,
             .vpc = place.vpc};
    group.check.port = std::to_string(kHealthPort);
    out.listeners.push_back(std::move(listener));
  }
  out.target_attributes["deregistration_delay.timeout_seconds"] =
      std::to_string(settings.draining_s);
  // Which other types do of themselves, or cannot.
  if (application) {
    out.attributes["idle_timeout.timeout_seconds"] = "60";
  } else {
    out.attributes["load_balancing.cross_zone.enabled"] = "true";
    // So that the edges know whom they serve: a request of HTTP does not say it here.
    out.target_attributes["preserve_client_ip.enabled"] = "true";
  }
  return out;
}

}  // namespace

Tags Desired::tags(const std::string& role) const {
  return {{kClusterTag, names.cluster}, {kRoleTag, role}};
}

Desired desired_of(const Settings& settings, const Place& place) {
  Desired out(settings.cluster);
  const Names& names = out.names;
  out.place = place;
  out.security_groups[names.balancer_group] = balancer_rules(settings);
  out.security_groups[names.node_group] = node_rules(settings, names);
  for (auto& [name, rules] : out.security_groups) {
    std::sort(rules.begin(), rules.end());
    rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
  }
  out.roles[names.manager_role] = policy_document(kManager, settings.cluster, settings.region);
  out.roles[names.worker_role] = policy_document(kWorker, settings.cluster, settings.region);
  out.repositories = settings.repositories;
  out.lifecycle_policy = lifecycle_policy();

  std::set<std::string> subnets;
  for (const auto& subnet : place.subnets) subnets.insert(subnet.id);
  out.balancer.name = names.balancer;
  out.balancer.internal = settings.internal;
  out.balancer.subnets = subnets;
  out.balancer.security_groups = {names.balancer_group};
  out.balancer.listeners = {settings.listeners.begin(), settings.listeners.end()};
  out.balancer.health.target = "HTTP:" + std::to_string(kHealthPort) + "/healthz";
  out.attributes = {
      .draining = true, .draining_timeout_s = settings.draining_s, .cross_zone = true};

  out.balancer_type = settings.balancer;
  const bool classic = settings.balancer == BalancerType::kClassic;
  if (!classic) out.v2 = v2_of(settings, names, place);

  out.brings_hive = !settings.package.empty() || settings.image_owner == "self" ||
                    settings.image.starts_with("ami-");
  out.managers = settings.managers;
  out.manager = launch_spec(settings, out, "manager", names.manager_role);
  out.manager.type = settings.manager_type;
  out.worker = launch_spec(settings, out, "worker", names.worker_role);
  out.worker.tags["Name"] = names.worker();
  out.workers = {.min = settings.workers_min,
                 .max = settings.workers_max,
                 .launch_template = names.worker_template,
                 .types = settings.worker_types,
                 .spot_percent = settings.spot_percent,
                 .subnets = subnets};
  if (classic) out.workers.balancers = {names.balancer};
  for (const auto& [name, group] : out.v2.target_groups) out.workers.target_groups.insert(name);
  if (settings.warm_workers > 0)
    out.warm_pool = WarmPool{.size = settings.warm_workers,
                             .prepared = static_cast<std::int32_t>(settings.warm_workers),
                             .state = settings.warm_running ? "Running" : "Stopped"};
  out.hooks = {{kLaunchHook, true, kHookHeartbeat}, {kTerminateHook, false, kHookHeartbeat}};
  return out;
}

std::string template_note(const LaunchSpec& spec) {
  std::string tags;
  for (const auto& [key, value] : spec.tags) tags.append(key).append("=").append(value).append(";");
  return "image=" + spec.image + " disk=" + std::to_string(spec.disk_gib) +
         " profile=" + spec.instance_profile + " user_data=" + short_hash(spec.user_data) +
         " rest=" +
         short_hash(join(spec.security_groups, ",") + spec.root_device + spec.type + tags);
}

}  // namespace hive::cloud::aws
