#include "config/merge.h"

#include <fmt/core.h>

#include <algorithm>

namespace hive::config {

namespace {

void set(std::string& base, const std::string& from) {
  if (!from.empty()) base = from;
}
void set(bool& base, bool from) { base = base || from; }
template <typename Number>
requires std::is_arithmetic_v<Number>
void set(Number& base, Number from) {
  if (from != 0) base = from;
}
void set(Nanoseconds& base, Nanoseconds from) {
  if (from != Nanoseconds(0)) base = from;
}
void append(std::vector<std::string>& base, const std::vector<std::string>& from) {
  base.insert(base.end(), from.begin(), from.end());
}
void override_keys(StringMap& base, const StringMap& from) {
  for (const auto& [key, value] : from) base[key] = value;
}

// docker merges through pointers: what is set stays when the later file says 0 or false.
template <typename T>
void set(std::optional<T>& base, const std::optional<T>& from) {
  if (from && (!base || *from != T{})) base = from;
}

// Optional blocks: taken whole when new, else merged by `merge_blocks`.
template <typename T, typename Merge>
void set_block(std::optional<T>& base, const std::optional<T>& from, Merge merge_blocks) {
  if (!from) return;
  if (!base)
    base = from;
  else
    merge_blocks(*base, *from);
}

void merge_environment(NullableMap& base, const NullableMap& from) {
  for (const auto& [key, value] : from) {
    auto& target = base[key];
    const bool empty = !target || target->empty();
    if (empty || (value && !value->empty())) target = value;
  }
}

// By key, the later wins; sorted by key. Nothing when the base is empty: then the later list is
// taken as it is.
template <typename T, typename KeyOf>
bool merge_keyed(std::vector<T>& base, const std::vector<T>& from, KeyOf key_of) {
  if (base.empty()) {
    base = from;
    return false;
  }
  std::map<std::decay_t<decltype(key_of(base[0]))>, T> by_key;
  for (const auto& item : base) by_key.insert_or_assign(key_of(item), item);
  const bool lost = by_key.size() < base.size();
  for (const auto& item : from) by_key.insert_or_assign(key_of(item), item);
  base.clear();
  for (auto& [key, item] : by_key) base.push_back(std::move(item));
  return lost;
}

void merge_health(Healthcheck& base, const Healthcheck& from) {
  append(base.test, from.test);
  set(base.timeout, from.timeout);
  set(base.interval, from.interval);
  set(base.retries, from.retries);
  set(base.start_period, from.start_period);
  set(base.disable, from.disable);
}

// True when docker loses the later file's options: it does where the earlier has none.
bool merge_logging(Logging& base, const Logging& from) {
  if (!base.driver.empty() && !from.driver.empty() && base.driver != from.driver) {
    base = from;
    return false;
  }
  if (base.driver.empty()) base.driver = from.driver;
  if (base.options.empty()) return !from.options.empty();
  override_keys(base.options, from.options);
  return false;
}

void merge_update(UpdateConfig& base, const UpdateConfig& from) {
  set(base.parallelism, from.parallelism);
  set(base.delay, from.delay);
  set(base.failure_action, from.failure_action);
  set(base.monitor, from.monitor);
  set(base.max_failure_ratio, from.max_failure_ratio);
  set(base.order, from.order);
}

void merge_restart(RestartPolicy& base, const RestartPolicy& from) {
  set(base.condition, from.condition);
  set(base.delay, from.delay);
  set(base.max_attempts, from.max_attempts);
  set(base.window, from.window);
}

void merge_deploy(Deploy& base, const Deploy& from) {
  set(base.mode, from.mode);
  set(base.replicas, from.replicas);
  set(base.endpoint_mode, from.endpoint_mode);
  override_keys(base.labels, from.labels);
  set_block(base.update_config, from.update_config, merge_update);
  set_block(base.rollback_config, from.rollback_config, merge_update);
  set_block(base.restart_policy, from.restart_policy, merge_restart);
  set_block(base.limits, from.limits, [](ResourceLimit& a, const ResourceLimit& b) {
    set(a.cpus, b.cpus);
    set(a.memory_bytes, b.memory_bytes);
    set(a.pids, b.pids);
  });
  set_block(base.reservations, from.reservations,
            [](ResourceReservation& a, const ResourceReservation& b) {
              set(a.cpus, b.cpus);
              set(a.memory_bytes, b.memory_bytes);
              a.generic_resources.insert(a.generic_resources.end(), b.generic_resources.begin(),
                                         b.generic_resources.end());
            });
  append(base.placement.constraints, from.placement.constraints);
  append(base.placement.spread, from.placement.spread);
  set(base.placement.no_spread, from.placement.no_spread);
  set(base.placement.max_replicas_per_node, from.placement.max_replicas_per_node);
}

void merge_networks(Service& base, const Service& from) {
  for (const auto& [name, network] : from.networks) {
    auto& target = base.networks[name];
    if (!network) continue;
    if (!target) {
      target = network;
      continue;
    }
    target->aliases = network->aliases;
    set(target->ipv4_address, network->ipv4_address);
    set(target->ipv6_address, network->ipv6_address);
  }
}

void merge_runtime(Service& base, const Service& from) {
  append(base.dns, from.dns);
  append(base.dns_search, from.dns_search);
  append(base.extra_hosts, from.extra_hosts);
  append(base.cap_add, from.cap_add);
  append(base.cap_drop, from.cap_drop);
  append(base.tmpfs, from.tmpfs);
  override_keys(base.sysctls, from.sysctls);
  for (const auto& [name, limit] : from.ulimits) base.ulimits[name] = limit;
  set_block(base.credential_spec, from.credential_spec,
            [](CredentialSpec& a, const CredentialSpec& b) {
              set(a.config, b.config);
              set(a.file, b.file);
              set(a.registry, b.registry);
            });
  set(base.hostname, from.hostname);
  set(base.user, from.user);
  set(base.working_dir, from.working_dir);
  set(base.isolation, from.isolation);
  set(base.restart, from.restart);
  set(base.stop_signal, from.stop_signal);
  set(base.stop_grace_period, from.stop_grace_period);
  set(base.init, from.init);
  set(base.read_only, from.read_only);
  set(base.stdin_open, from.stdin_open);
  set(base.tty, from.tty);
}

void merge_service(Service& base, const Service& from, Position where, Findings& findings) {
  set(base.image, from.image);
  append(base.command, from.command);
  append(base.entrypoint, from.entrypoint);
  merge_environment(base.environment, from.environment);
  override_keys(base.labels, from.labels);
  if (merge_keyed(base.ports, from.ports, [](const ServicePort& port) { return port.published; }))
    findings.warn(where,
                  fmt::format("services.{}: of several ports published on one number (0 included) "
                              "only the last is kept when files are merged, as docker does",
                              base.name));
  base.volumes.insert(base.volumes.end(), from.volumes.begin(), from.volumes.end());
  const auto source = [](const FileReference& reference) { return reference.source; };
  merge_keyed(base.configs, from.configs, source);
  merge_keyed(base.secrets, from.secrets, source);
  merge_networks(base, from);
  merge_deploy(base.deploy, from.deploy);
  set_block(base.healthcheck, from.healthcheck, merge_health);
  set_block(base.logging, from.logging, [&](Logging& a, const Logging& b) {
    if (merge_logging(a, b))
      findings.warn(where,
                    fmt::format("services.{}.logging.options of this file are lost, since the "
                                "files before it have none, as docker does",
                                base.name),
                    "give the first file at least one option");
  });
  merge_runtime(base, from);
}

template <typename T>
void replace_keys(std::map<std::string, T>& base, std::map<std::string, T>& from) {
  for (auto& [name, value] : from) base.insert_or_assign(name, std::move(value));
}

}  // namespace

void merge_trees(Node& base, const Node& override_with) {
  if (!base.is_map() || !override_with.is_map()) {
    base = override_with;
    return;
  }
  for (const auto& entry : override_with.entries) {
    if (Node* existing = base.find(entry.key))
      merge_trees(*existing, entry.value);
    else
      base.entries.push_back(entry);
  }
}

void merge(FileModel& base, FileModel override_with, Findings& findings) {
  Spec& from = override_with.spec;
  for (auto& [name, service] : from.services) {
    const auto existing = base.spec.services.find(name);
    if (existing == base.spec.services.end())
      base.spec.services.emplace(name, std::move(service));
    else
      merge_service(existing->second, service, from.positions["services." + name], findings);
  }
  replace_keys(base.spec.networks, from.networks);
  replace_keys(base.spec.volumes, from.volumes);
  replace_keys(base.spec.secrets, from.secrets);
  replace_keys(base.spec.configs, from.configs);
  for (const auto& [path, position] : from.positions) base.spec.positions[path] = position;
  if (override_with.hive) {
    if (base.hive)
      merge_trees(*base.hive, *override_with.hive);
    else
      base.hive = std::move(override_with.hive);
  }
  for (auto& [name, node] : override_with.service_hive) {
    const auto existing = base.service_hive.find(name);
    if (existing == base.service_hive.end())
      base.service_hive.emplace(name, std::move(node));
    else
      merge_trees(existing->second, node);
  }
}

}  // namespace hive::config
