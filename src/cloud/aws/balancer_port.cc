#include "cloud/aws/balancer_port.h"

#include <map>

#include "cloud/aws/elb.h"
#include "cloud/aws/elbv2.h"
#include "cloud/aws/target_group.h"

namespace hive::cloud::aws {
namespace {

// The Classic Load Balancer says InService of one that drains too.
TargetHealth health_of(const InstanceHealth& health) {
  if (health.description.find("deregistration currently in progress") != std::string::npos)
    return TargetHealth::kDraining;
  if (health.state == "InService") return TargetHealth::kInService;
  if (health.description.find("registration is still in progress") != std::string::npos)
    return TargetHealth::kInitial;
  return TargetHealth::kOutOfService;
}

TargetHealth health_of(const TargetState& target) {
  if (target.state == "healthy") return TargetHealth::kInService;
  if (target.state == "initial") return TargetHealth::kInitial;
  if (target.state == "draining") return TargetHealth::kDraining;
  return TargetHealth::kOutOfService;  // unhealthy; unused: it is stopped; unavailable
}

std::string mode_of(const std::string& protocol) {
  if (protocol == "HTTPS") return "https";
  return protocol == "HTTP" ? "http" : "tcp";
}

BalancerStatus classic(const Balancer& there, const std::vector<InstanceHealth>& healths) {
  BalancerStatus out{.address = there.dns_name};
  for (const auto& one : there.listeners)
    out.spec.listeners.push_back(
        {.port = one.port, .instance_port = one.instance_port, .mode = mode_of(one.protocol)});
  for (const auto& one : healths)
    out.targets.push_back({.instance_id = one.instance,
                           .health = health_of(one),
                           .reason = one.description == "N/A" ? "" : one.description});
  return out;
}

// One that goes goes everywhere; one that fails somewhere does not serve whole.
int badness(TargetHealth health) {
  switch (health) {
    case TargetHealth::kInService:
      return 0;
    case TargetHealth::kInitial:
      return 1;
    case TargetHealth::kOutOfService:
      return 2;
    case TargetHealth::kDraining:
      break;
  }
  return 3;
}

void merge(const TargetGroup& group, const TargetState& state,
           std::map<std::string, TargetStatus>& targets) {
  if (state.reason == "Target.NotRegistered") return;
  TargetStatus now{.instance_id = state.instance, .health = health_of(state)};
  if (now.health != TargetHealth::kInService)
    now.reason = (state.description.empty() ? state.state : state.description) + " (port " +
                 std::to_string(group.port) + ")";
  const auto [there, added] = targets.emplace(state.instance, now);
  if (!added && badness(now.health) > badness(there->second.health)) there->second = now;
}

Result<BalancerStatus> look_at_v2(Client& client, const Names& names) {
  HIVE_ASSIGN(const auto there, describe_v2_balancer(client, names.balancer));
  HIVE_ASSIGN(auto listeners, describe_v2_listeners(client, there.arn));
  auto groups = target_groups_of(client, there.arn);
  // A balancer with no listener yet.
  if (!groups && groups.error().code != Errc::kNotFound) return tl::unexpected(groups.error());
  BalancerStatus out{.address = there.dns_name};
  std::map<std::string, TargetStatus> targets;
  std::map<std::string, std::uint16_t> ports;  // of the instances, by target group
  if (groups) {
    for (const auto& group : *groups) {
      ports[group.arn] = group.port;
      const auto states = describe_target_health(client, group.arn);
      // Deleted meanwhile. Told as it is, it would be read as a cluster without a balancer.
      if (!states && states.error().code == Errc::kNotFound) continue;
      if (!states) return tl::unexpected(states.error());
      for (const auto& state : *states) merge(group, state, targets);
    }
  }
  std::map<std::uint16_t, ListenerSpec> by_port;
  for (const auto& one : listeners)
    by_port[one.port] = {
        .port = one.port, .instance_port = ports[one.target_group], .mode = mode_of(one.protocol)};
  for (const auto& [port, listener] : by_port) out.spec.listeners.push_back(listener);
  for (auto& [id, target] : targets) out.targets.push_back(std::move(target));
  return out;
}

Result<std::vector<TargetGroup>> groups_in_use(Client& client, const Names& names) {
  HIVE_ASSIGN(const auto there, describe_v2_balancer(client, names.balancer));
  return target_groups_of(client, there.arn);
}

}  // namespace

Result<BalancerStatus> look_at_balancer(Client& client, const Names& names) {
  const auto there = describe_balancer(client, names.balancer);
  if (!there && there.error().code == Errc::kNotFound) return look_at_v2(client, names);
  if (!there) return tl::unexpected(there.error());
  HIVE_ASSIGN(const auto healths, describe_instance_health(client, names.balancer));
  return classic(*there, healths);
}

Status put_behind_balancer(Client& client, const Names& names, const std::string& instance) {
  auto done = register_instances(client, names.balancer, {instance});
  if (done || done.error().code != Errc::kNotFound) return done;
  const auto groups = groups_in_use(client, names);
  // Then the word of the Classic one: it may be the instance that is not there.
  if (!groups && groups.error().code == Errc::kNotFound) return done;
  if (!groups) return tl::unexpected(groups.error());
  for (const auto& group : *groups) HIVE_TRY(register_targets(client, group.arn, {instance}));
  return {};
}

Status take_from_balancer(Client& client, const Names& names, const std::string& instance) {
  auto done = deregister_instances(client, names.balancer, {instance});
  if (done || done.error().code != Errc::kNotFound) return done;
  const auto groups = groups_in_use(client, names);
  if (!groups && groups.error().code == Errc::kNotFound) return done;
  if (!groups) return tl::unexpected(groups.error());
  Status out;
  for (const auto& group : *groups) {
    auto left = deregister_targets(client, group.arn, {instance});
    if (!left && left.error().code != Errc::kNotFound && out) out = std::move(left);
  }
  return out;
}

}  // namespace hive::cloud::aws
