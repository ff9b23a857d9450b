#include "config/convert.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "config/values.h"

namespace hive::config {

std::string text_at(const Node& map, std::string_view key) {
  const Node* node = map.find(key);
  return node != nullptr && node->is_string() ? node->text : "";
}

bool flag_at(const Node& map, std::string_view key) {
  const Node* node = map.find(key);
  return node != nullptr && node->is(Node::Kind::kBool) && node->boolean;
}

std::optional<std::int64_t> integer_at(const Node& map, std::string_view key) {
  const Node* node = map.find(key);
  if (node == nullptr) return std::nullopt;
  if (node->is(Node::Kind::kInt)) return node->integer;
  if (node->is(Node::Kind::kFloat) && node->number > -9e15 && node->number < 9e15)
    return static_cast<std::int64_t>(node->number);
  return std::nullopt;
}

std::optional<double> number_at(const Node& map, std::string_view key) {
  const Node* node = map.find(key);
  if (node == nullptr) return std::nullopt;
  if (node->is(Node::Kind::kInt)) return static_cast<double>(node->integer);
  if (node->is(Node::Kind::kFloat)) return node->number;
  return std::nullopt;
}

std::optional<Nanoseconds> duration_at(const Node& map, std::string_view key) {
  const Node* node = map.find(key);
  if (node == nullptr || !node->is_string()) return std::nullopt;
  const auto parsed = parse_duration(node->text);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

std::vector<std::string> list_at(const Node& map, std::string_view key) {
  const Node* node = map.find(key);
  if (node == nullptr) return {};
  if (node->is_string()) return {node->text};
  std::vector<std::string> out;
  for (const auto& item : node->items)
    if (item.is_string()) out.push_back(item.text);
  return out;
}

const Node* map_at(const Node& map, std::string_view key) {
  const Node* node = map.find(key);
  return node != nullptr && node->is_map() ? node : nullptr;
}

namespace {

std::uint64_t natural(std::optional<std::int64_t> value) {
  return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;
}

StringMap text_map(const Node* node) {
  StringMap out;
  if (node == nullptr) return out;
  for (const auto& entry : node->entries) out[entry.key] = scalar_text(entry.value);
  for (const auto& item : node->items) {
    const auto equals = item.text.find('=');
    out[item.text.substr(0, equals)] =
        equals == std::string::npos ? "" : item.text.substr(equals + 1);
  }
  return out;
}

NullableMap nullable_map(const Node* node) {
  NullableMap out;
  if (node == nullptr) return out;
  for (const auto& entry : node->entries)
    out[entry.key] = entry.value.is_null() ? std::nullopt : std::optional(scalar_text(entry.value));
  for (const auto& item : node->items) {
    const auto equals = item.text.find('=');
    out[item.text.substr(0, equals)] =
        equals == std::string::npos ? std::nullopt : std::optional(item.text.substr(equals + 1));
  }
  return out;
}

class Converter {
 public:
  Converter(const LoadOptions& options, Findings& findings)
      : options_(options), findings_(findings) {}
  FileModel run(const Node& root, std::map<std::string, Position> positions);

 private:
  Service service(const std::string& name, const Node& node);
  void containers(const Node& node, Service& out);
  void runtime(const Node& node, Service& out);
  std::vector<std::string> words(const Node& node, std::string_view key, const std::string& path);
  NullableMap environment(const Node& node, const std::string& path);
  void read_env_file(const Node& item, const std::string& path, NullableMap& into);
  void override_from_caller(NullableMap& into, const NullableMap& values) const;
  std::vector<ServicePort> ports(const Node& list, const std::string& path);
  std::optional<ServicePort> long_port(const Node& node, const std::string& path);
  std::vector<ServiceVolume> volumes(const Node& list, const std::string& path);
  std::optional<ServiceVolume> volume(const Node& node, const std::string& path);
  std::vector<FileReference> references(const Node& list, const std::string& path);
  std::map<std::string, std::optional<ServiceNetwork>> networks(const Node& node,
                                                                const std::string& path);
  Healthcheck healthcheck(const Node& node, const std::string& path);
  std::map<std::string, Ulimit> ulimits(const Node& node);
  Deploy deploy(const Node& node, const std::string& path);
  UpdateConfig update_config(const Node& node, const std::string& path);
  RestartPolicy restart_policy(const Node& node, const std::string& path);
  void resources(const Node& node, const std::string& path, Deploy& out);
  std::string cpus(const Node& node, const std::string& path);
  std::int64_t bytes(const Node& node, std::string_view key) const;
  std::optional<std::uint64_t> count(const Node& node, std::string_view key,
                                     const std::string& path);
  void one_of(const Node& node, std::string_view key, const std::string& path,
              std::initializer_list<std::string_view> allowed);
  bool external(const Node& node, std::string& name, const std::string& path, int deprecated_since);
  Network network(const std::string& key, const Node& node);
  Volume top_volume(const std::string& key, const Node& node);
  FileObject file_object(const std::string& kind, const std::string& key, const Node& node);

  const LoadOptions& options_;
  Findings& findings_;
  std::map<std::string, Position> positions_;
};

std::vector<std::string> Converter::words(const Node& node, std::string_view key,
                                          const std::string& path) {
  const Node* value = node.find(key);
  if (value == nullptr || !value->is_string()) return list_at(node, key);
  auto split = split_words(value->text);
  if (!split) {
    findings_.fault(value->position, fmt::format("{}.{}: {} in {}", path, key,
                                                 split.error().message, in_quotes(value->text)));
    return {};
  }
  return *split;
}

void Converter::override_from_caller(NullableMap& into, const NullableMap& values) const {
  for (const auto& [name, value] : values) {
    const auto found = options_.environment.find(name);
    if ((!value || value->empty()) && found != options_.environment.end())
      into[name] = found->second;
    else
      into[name] = value;
  }
}

void Converter::read_env_file(const Node& item, const std::string& path, NullableMap& into) {
  const std::string file = absolute_path(options_.working_dir, item.text);
  const auto content = options_.read_file(file);
  if (!content) {
    findings_.fault(item.position, fmt::format("{}: the env file {} cannot be read: {}", path,
                                               in_quotes(file), content.error().message));
    return;
  }
  const auto parsed = parse_env_file(*content, options_.environment);
  if (!parsed) {
    findings_.fault(item.position, fmt::format("{}: in the env file {}, {}", path, in_quotes(file),
                                               parsed.error().message));
    return;
  }
  for (const auto& [name, value] : *parsed) into[name] = value;
}

NullableMap Converter::environment(const Node& node, const std::string& path) {
  NullableMap out;
  NullableMap from_files;
  if (const Node* files = node.find("env_file"); files != nullptr) {
    if (files->is_string()) read_env_file(*files, path + ".env_file", from_files);
    for (const auto& item : files->items)
      if (item.is_string()) read_env_file(item, path + ".env_file", from_files);
  }
  override_from_caller(out, from_files);
  override_from_caller(out, nullable_map(node.find("environment")));
  return out;
}

void Converter::one_of(const Node& node, std::string_view key, const std::string& path,
                       std::initializer_list<std::string_view> allowed) {
  const Node* value = node.find(key);
  if (value == nullptr || !value->is_string()) return;
  if (std::find(allowed.begin(), allowed.end(), value->text) != allowed.end()) return;
  std::vector<std::string> names(allowed.begin(), allowed.end());
  names.erase(std::remove(names.begin(), names.end(), ""), names.end());
  std::string hint = suggest(value->text, names);
  findings_.fault(value->position,
                  fmt::format("{}.{} is {}: it must be one of {}", path, key,
                              in_quotes(value->text), join(names, ", ")),
                  hint);
}

std::optional<std::uint64_t> Converter::count(const Node& node, std::string_view key,
                                              const std::string& path) {
  const auto value = integer_at(node, key);
  if (!value) return std::nullopt;
  if (*value < 0) {
    findings_.fault(node.find(key)->position,
                    fmt::format("{}.{} is {}: it cannot be negative", path, key, *value));
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*value);
}

std::optional<ServicePort> Converter::long_port(const Node& node, const std::string& path) {
  ServicePort port{.mode = text_at(node, "mode"), .protocol = text_at(node, "protocol")};
  one_of(node, "mode", path, {"ingress", "host", ""});
  one_of(node, "protocol", path, {"tcp", "udp", "sctp", ""});
  const auto target = integer_at(node, "target");
  const auto published = integer_at(node, "published");
  if (node.find("target") == nullptr)
    findings_.fault(node.position,
                    fmt::format("{} has no target (the port in the container)", path));
  for (const auto& [key, value, least] :
       {std::tuple("target", target, 1), std::tuple("published", published, 0)}) {
    if (value && (*value < least || *value > 65535)) {
      findings_.fault(node.find(key)->position,
                      fmt::format("{}.{} is {}: a port is {} to 65535", path, key, *value, least));
      return std::nullopt;
    }
  }
  if (!target) return std::nullopt;
  port.target = static_cast<std::uint32_t>(*target);
  port.published = static_cast<std::uint32_t>(natural(published));
  return port;
}

std::vector<ServicePort> Converter::ports(const Node& list, const std::string& path) {
  std::vector<ServicePort> out;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const Node& item = list.items[i];
    const std::string here = fmt::format("{}[{}]", path, i);
    const std::size_t before = out.size();
    if (item.is_map()) {
      if (auto port = long_port(item, here)) out.push_back(*port);
    } else if (!item.is_null()) {
      auto parsed = parse_ports(scalar_text(item));
      if (!parsed) {
        findings_.fault(item.position, fmt::format("{}: {}", here, parsed.error().message));
        continue;
      }
      if (!parsed->ignored_ip.empty())
        findings_.warn(item.position,
                       fmt::format("{}: the address {} is ignored, the port is published on "
                                   "every address",
                                   here, parsed->ignored_ip),
                       "Swarm cannot publish on one address");
      out.insert(out.end(), parsed->ports.begin(), parsed->ports.end());
    }
    for (std::size_t p = before; p < out.size(); ++p)
      positions_.insert_or_assign(fmt::format("{}.{}", path, out[p].published), item.position);
    if (out.size() > kMaxPorts) {
      findings_.fault(item.position, fmt::format("{} has more than {} ports", path, kMaxPorts));
      break;
    }
  }
  return out;
}

std::optional<ServiceVolume> Converter::volume(const Node& node, const std::string& path) {
  if (node.is_string()) {
    auto parsed = parse_volume(node.text);
    if (parsed) return *parsed;
    findings_.fault(node.position, fmt::format("{}: {}", path, parsed.error().message));
    return std::nullopt;
  }
  if (!node.is_map()) return std::nullopt;
  if (node.find("type") == nullptr) {
    findings_.fault(node.position, fmt::format("{} has no type (volume, bind or tmpfs)", path));
    return std::nullopt;
  }
  one_of(node, "type", path, {"volume", "bind", "tmpfs", "npipe"});
  ServiceVolume out{.type = text_at(node, "type"),
                    .source = text_at(node, "source"),
                    .target = text_at(node, "target"),
                    .read_only = flag_at(node, "read_only"),
                    .consistency = text_at(node, "consistency")};
  if (const Node* bind = map_at(node, "bind")) out.bind_propagation = text_at(*bind, "propagation");
  if (const Node* block = map_at(node, "volume")) out.volume_nocopy = flag_at(*block, "nocopy");
  if (const Node* block = map_at(node, "tmpfs")) {
    out.tmpfs_size = integer_at(*block, "size").value_or(0);
    if (*out.tmpfs_size < 0) {
      findings_.fault(block->position, fmt::format("{}.tmpfs.size cannot be negative", path));
      return std::nullopt;
    }
  }
  return out;
}

std::vector<ServiceVolume> Converter::volumes(const Node& list, const std::string& path) {
  std::vector<ServiceVolume> out;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const std::string here = fmt::format("{}[{}]", path, i);
    auto one = volume(list.items[i], here);
    if (!one) continue;
    const Position where = list.items[i].position;
    if (one->target.empty())
      findings_.fault(where, fmt::format("{} has no target (the path in the container)", here));
    if (one->type == "bind") {
      if (one->source.empty())
        findings_.fault(where, fmt::format("{}: a bind mount needs a source", here));
      const auto home = options_.environment.find("HOME");
      if (one->source.starts_with('~') && home == options_.environment.end())
        findings_.warn(where, fmt::format("{}: ~ is kept, since HOME is not set", here));
      else if (one->source.starts_with('~'))
        one->source = home->second + one->source.substr(1);
      const bool windows = one->source.size() > 1 && one->source[1] == ':';
      if (!windows && !one->source.starts_with("\\\\"))
        one->source = absolute_path(options_.working_dir, one->source);
    }
    if (one->type == "tmpfs" && !one->source.empty())
      findings_.fault(where, fmt::format("{}: a tmpfs mount has no source", here));
    positions_.insert_or_assign(fmt::format("{}.{}", path, one->source), where);
    out.push_back(std::move(*one));
  }
  return out;
}

std::vector<FileReference> Converter::references(const Node& list, const std::string& path) {
  std::vector<FileReference> out;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const Node& item = list.items[i];
    FileReference one;
    if (item.is_string()) {
      one.source = item.text;
    } else if (item.is_map()) {
      one = FileReference{.source = text_at(item, "source"),
                          .target = text_at(item, "target"),
                          .uid = text_at(item, "uid"),
                          .gid = text_at(item, "gid")};
      if (const auto mode = integer_at(item, "mode")) {
        if (*mode < 0 || *mode > 07777)
          findings_.fault(item.find("mode")->position,
                          fmt::format("{}[{}].mode is {} (octal {:o}): a file mode is 0 to 07777",
                                      path, i, *mode, *mode < 0 ? 0 : *mode),
                          "write it in octal with a leading 0, such as 0440");
        else
          one.mode = static_cast<std::uint32_t>(*mode);
      }
    } else {
      continue;
    }
    if (one.source.empty()) {
      findings_.fault(item.position, fmt::format("{}[{}] has no source", path, i));
      continue;
    }
    positions_.insert_or_assign(fmt::format("{}.{}", path, one.source), item.position);
    out.push_back(std::move(one));
  }
  return out;
}

std::map<std::string, std::optional<ServiceNetwork>> Converter::networks(const Node& node,
                                                                         const std::string& path) {
  std::map<std::string, std::optional<ServiceNetwork>> out;
  for (const auto& item : node.items) {
    if (!item.is_string()) continue;
    if (!out.emplace(item.text, std::nullopt).second)
      findings_.fault(item.position, fmt::format("{} is in {} twice", in_quotes(item.text), path));
    positions_.insert_or_assign(fmt::format("{}.{}", path, item.text), item.position);
  }
  for (const auto& entry : node.entries) {
    auto& value = out[entry.key];
    if (entry.value.is_map())
      value = ServiceNetwork{.aliases = list_at(entry.value, "aliases"),
                             .ipv4_address = text_at(entry.value, "ipv4_address"),
                             .ipv6_address = text_at(entry.value, "ipv6_address")};
  }
  return out;
}

Healthcheck Converter::healthcheck(const Node& node, const std::string& path) {
  Healthcheck out;
  const Node* test = node.find("test");
  if (test != nullptr && test->is_string())
    out.test = {"CMD-SHELL", test->text};
  else
    out.test = list_at(node, "test");
  out.timeout = duration_at(node, "timeout");
  out.interval = duration_at(node, "interval");
  out.start_period = duration_at(node, "start_period");
  out.retries = count(node, "retries", path);
  out.disable = flag_at(node, "disable");
  if (out.disable && !out.test.empty())
    findings_.fault(node.find("disable")->position,
                    fmt::format("{} has a test and disable: true", path), "keep one of them");
  return out;
}

std::map<std::string, Ulimit> Converter::ulimits(const Node& node) {
  std::map<std::string, Ulimit> out;
  for (const auto& entry : node.entries) {
    Ulimit one;
    if (entry.value.is(Node::Kind::kInt)) one.single = entry.value.integer;
    if (entry.value.is_map()) {
      for (const char* key : {"soft", "hard"})
        if (entry.value.find(key) == nullptr)
          findings_.fault(entry.position, fmt::format("the ulimit {} has no {}", entry.key, key));
      one.soft = integer_at(entry.value, "soft").value_or(0);
      one.hard = integer_at(entry.value, "hard").value_or(0);
    }
    out[entry.key] = one;
  }
  return out;
}

UpdateConfig Converter::update_config(const Node& node, const std::string& path) {
  UpdateConfig out;
  out.parallelism = count(node, "parallelism", path);
  out.delay = duration_at(node, "delay").value_or(Nanoseconds(0));
  out.failure_action = text_at(node, "failure_action");
  if (path.ends_with("rollback_config"))
    one_of(node, "failure_action", path, {"pause", "continue", ""});
  else
    one_of(node, "failure_action", path, {"pause", "continue", "rollback", ""});
  out.monitor = duration_at(node, "monitor").value_or(Nanoseconds(0));
  out.max_failure_ratio = static_cast<float>(number_at(node, "max_failure_ratio").value_or(0));
  if (out.max_failure_ratio < 0 || out.max_failure_ratio > 1)
    findings_.fault(node.find("max_failure_ratio")->position,
                    fmt::format("{}.max_failure_ratio must be 0 to 1", path));
  out.order = text_at(node, "order");
  one_of(node, "order", path, {"start-first", "stop-first"});
  return out;
}

RestartPolicy Converter::restart_policy(const Node& node, const std::string& path) {
  RestartPolicy out;
  out.condition = text_at(node, "condition");
  one_of(node, "condition", path, {"none", "on-failure", "any", ""});
  out.delay = duration_at(node, "delay");
  out.max_attempts = count(node, "max_attempts", path);
  out.window = duration_at(node, "window");
  return out;
}

std::string Converter::cpus(const Node& node, const std::string& path) {
  const Node* value = node.find("cpus");
  if (value == nullptr || !value->is_string() || value->text.empty()) return "";
  if (const auto parsed = parse_cpus(value->text); !parsed) {
    findings_.fault(value->position, fmt::format("{}.cpus: {}", path, parsed.error().message));
    return "";
  }
  return value->text;
}

std::int64_t Converter::bytes(const Node& node, std::string_view key) const {
  const auto parsed = parse_bytes(text_at(node, key));
  return parsed ? *parsed : 0;
}

void Converter::resources(const Node& node, const std::string& path, Deploy& out) {
  if (const Node* limits = map_at(node, "limits")) {
    out.limits = ResourceLimit{.cpus = cpus(*limits, path + ".limits"),
                               .memory_bytes = bytes(*limits, "memory"),
                               .pids = integer_at(*limits, "pids").value_or(0)};
  }
  const Node* reserved = map_at(node, "reservations");
  if (reserved == nullptr) return;
  out.reservations = ResourceReservation{.cpus = cpus(*reserved, path + ".reservations"),
                                         .memory_bytes = bytes(*reserved, "memory")};
  if (const Node* list = reserved->find("generic_resources")) {
    for (const auto& item : list->items) {
      const Node* spec = map_at(item, "discrete_resource_spec");
      if (spec == nullptr) continue;
      out.reservations->generic_resources.push_back(
          GenericResource{text_at(*spec, "kind"), integer_at(*spec, "value").value_or(0)});
    }
  }
}

Deploy Converter::deploy(const Node& node, const std::string& path) {
  Deploy out;
  out.mode = text_at(node, "mode");
  one_of(node, "mode", path, {"replicated", "global", ""});
  out.replicas = count(node, "replicas", path);
  if (out.replicas && out.mode.starts_with("global"))
    findings_.fault(node.find("replicas")->position,
                    fmt::format("{}: a global service has no replicas", path),
                    "it runs one task on each node");
  out.endpoint_mode = text_at(node, "endpoint_mode");
  one_of(node, "endpoint_mode", path, {"vip", "dnsrr", ""});
  out.labels = text_map(node.find("labels"));
  if (const Node* part = map_at(node, "update_config"))
    out.update_config = update_config(*part, path + ".update_config");
  if (const Node* part = map_at(node, "rollback_config"))
    out.rollback_config = update_config(*part, path + ".rollback_config");
  if (const Node* part = map_at(node, "restart_policy"))
    out.restart_policy = restart_policy(*part, path + ".restart_policy");
  if (const Node* part = map_at(node, "resources")) resources(*part, path + ".resources", out);
  if (const Node* part = map_at(node, "placement")) {
    out.placement.constraints = list_at(*part, "constraints");
    if (const Node* list = part->find("preferences")) {
      out.placement.no_spread = list->items.empty();
      for (const auto& item : list->items)
        if (item.is_map()) out.placement.spread.push_back(text_at(item, "spread"));
    }
    out.placement.max_replicas_per_node =
        count(*part, "max_replicas_per_node", path + ".placement").value_or(0);
  }
  return out;
}

void Converter::containers(const Node& node, Service& out) {
  const std::string path = "services." + out.name;
  out.image = text_at(node, "image");
  out.command = words(node, "command", path);
  out.entrypoint = words(node, "entrypoint", path);
  out.environment = environment(node, path);
  out.labels = text_map(node.find("labels"));
  if (const Node* list = node.find("ports")) out.ports = ports(*list, path + ".ports");
  if (const Node* list = node.find("volumes")) out.volumes = volumes(*list, path + ".volumes");
  out.tmpfs = list_at(node, "tmpfs");
  if (const Node* list = node.find("configs")) out.configs = references(*list, path + ".configs");
  if (const Node* list = node.find("secrets")) out.secrets = references(*list, path + ".secrets");
  if (const Node* part = node.find("networks")) out.networks = networks(*part, path + ".networks");
  if (const Node* part = map_at(node, "deploy")) out.deploy = deploy(*part, path + ".deploy");
  if (const Node* part = map_at(node, "healthcheck"))
    out.healthcheck = healthcheck(*part, path + ".healthcheck");
}

void Converter::runtime(const Node& node, Service& out) {
  if (const Node* part = map_at(node, "logging"))
    out.logging = Logging{text_at(*part, "driver"), text_map(part->find("options"))};
  out.dns = list_at(node, "dns");
  out.dns_search = list_at(node, "dns_search");
  if (const Node* hosts = node.find("extra_hosts"); hosts != nullptr && hosts->is_map()) {
    for (const auto& entry : hosts->entries)
      if (!entry.value.is_null())
        out.extra_hosts.push_back(entry.key + ":" + scalar_text(entry.value));
    std::sort(out.extra_hosts.begin(), out.extra_hosts.end());
  } else {
    out.extra_hosts = list_at(node, "extra_hosts");
  }
  out.cap_add = list_at(node, "cap_add");
  out.cap_drop = list_at(node, "cap_drop");
  out.sysctls = text_map(node.find("sysctls"));
  if (const Node* part = map_at(node, "ulimits")) out.ulimits = ulimits(*part);
  if (const Node* part = map_at(node, "credential_spec")) {
    out.credential_spec = CredentialSpec{text_at(*part, "config"), text_at(*part, "file"),
                                         text_at(*part, "registry")};
    if (!out.credential_spec->config.empty())
      positions_.insert_or_assign(
          fmt::format("services.{}.configs.{}", out.name, out.credential_spec->config),
          part->position);
  }
  out.hostname = text_at(node, "hostname");
  out.user = text_at(node, "user");
  out.working_dir = text_at(node, "working_dir");
  out.isolation = text_at(node, "isolation");
  out.restart = text_at(node, "restart");
  out.stop_signal = text_at(node, "stop_signal");
  out.stop_grace_period = duration_at(node, "stop_grace_period");
  if (const Node* init = node.find("init"); init != nullptr && init->is(Node::Kind::kBool))
    out.init = init->boolean;
  out.read_only = flag_at(node, "read_only");
  out.stdin_open = flag_at(node, "stdin_open");
  out.tty = flag_at(node, "tty");
}

Service Converter::service(const std::string& name, const Node& node) {
  Service out;
  out.name = name;
  containers(node, out);
  runtime(node, out);
  return out;
}

// True when external; `name` becomes the name written in the old form external.name.
bool Converter::external(const Node& node, std::string& name, const std::string& path,
                         int deprecated_since) {
  const Node* value = node.find("external");
  if (value == nullptr) return false;
  if (value->is(Node::Kind::kBool)) return value->boolean;
  if (!value->is_map()) return false;
  const std::string old = text_at(*value, "name");
  if (!old.empty() && !name.empty())
    findings_.fault(value->position, fmt::format("{} has both name and external.name", path),
                    "keep name");
  else if (!old.empty())
    findings_.warn(
        value->position, fmt::format("{}.external.name is the old form", path),
        fmt::format("since version 3.{}: external: true and name: {}", deprecated_since, old));
  if (!old.empty()) name = old;
  return true;
}

Network Converter::network(const std::string& key, const Node& node) {
  const std::string path = "networks." + key;
  Network out{.name = text_at(node, "name"), .driver = text_at(node, "driver")};
  out.driver_opts = text_map(node.find("driver_opts"));
  if (const Node* ipam = map_at(node, "ipam")) {
    out.ipam_driver = text_at(*ipam, "driver");
    if (const Node* list = ipam->find("config"))
      for (const auto& item : list->items)
        if (item.is_map()) out.ipam_subnets.push_back(text_at(item, "subnet"));
  }
  out.external = external(node, out.name, path, 5);
  if (out.external && out.name.empty()) out.name = key;
  out.internal = flag_at(node, "internal");
  out.attachable = flag_at(node, "attachable");
  out.labels = text_map(node.find("labels"));
  return out;
}

Volume Converter::top_volume(const std::string& key, const Node& node) {
  const std::string path = "volumes." + key;
  Volume out{.name = text_at(node, "name"), .driver = text_at(node, "driver")};
  out.driver_opts = text_map(node.find("driver_opts"));
  out.labels = text_map(node.find("labels"));
  out.external = external(node, out.name, path, 4);
  if (!out.external) return out;
  if (out.name.empty()) out.name = key;
  for (const auto& [name, set] : {std::pair("driver", !out.driver.empty()),
                                  std::pair("driver_opts", !out.driver_opts.empty()),
                                  std::pair("labels", !out.labels.empty())})
    if (set)
      findings_.fault(node.find(name)->position,
                      fmt::format("{} is external and has {}", path, name),
                      "an external volume is used as it is");
  return out;
}

FileObject Converter::file_object(const std::string& kind, const std::string& key,
                                  const Node& node) {
  const std::string path = fmt::format("{}s.{}", kind, key);
  FileObject out{.name = text_at(node, "name"),
                 .file = text_at(node, "file"),
                 .driver = text_at(node, "driver"),
                 .template_driver = text_at(node, "template_driver")};
  out.driver_opts = text_map(node.find("driver_opts"));
  out.labels = text_map(node.find("labels"));
  out.external = external(node, out.name, path, 5);
  if (out.external) {
    if (out.name.empty()) out.name = key;
    return out;
  }
  if (!out.driver.empty()) {
    if (!out.file.empty())
      findings_.fault(node.position, fmt::format("{} has both driver and file", path),
                      "keep driver");
    return out;
  }
  if (out.file.empty())
    findings_.fault(node.position, fmt::format("the {} {} has no file", kind, key),
                    "write file: PATH, or external: true when it is in the cluster already");
  else
    out.file = absolute_path(options_.working_dir, out.file);
  return out;
}

FileModel Converter::run(const Node& root, std::map<std::string, Position> positions) {
  positions_ = std::move(positions);
  FileModel out;
  static const Node kEmpty{.kind = Node::Kind::kMap};
  const auto each = [&](std::string_view section, auto&& use) {
    if (const Node* part = map_at(root, section))
      for (const auto& entry : part->entries)
        if (entry.value.is_map() || entry.value.is_null())
          use(entry.key, entry.value.is_map() ? entry.value : kEmpty);
  };
  each("services", [&](const std::string& name, const Node& node) {
    out.spec.services.emplace(name, service(name, node));
    if (const Node* part = map_at(node, "x-hive")) out.service_hive.emplace(name, *part);
  });
  each("networks", [&](const std::string& name, const Node& node) {
    out.spec.networks.emplace(name, network(name, node));
  });
  each("volumes", [&](const std::string& name, const Node& node) {
    out.spec.volumes.emplace(name, top_volume(name, node));
  });
  each("secrets", [&](const std::string& name, const Node& node) {
    if (!node.entries.empty() || node.position.line > 0)
      out.spec.secrets.emplace(name, file_object("secret", name, node));
  });
  each("configs", [&](const std::string& name, const Node& node) {
    if (!node.entries.empty() || node.position.line > 0)
      out.spec.configs.emplace(name, file_object("config", name, node));
  });
  if (const Node* part = map_at(root, "x-hive")) out.hive = *part;
  out.spec.positions = std::move(positions_);
  return out;
}

}  // namespace

FileModel convert(const Node& root, const LoadOptions& options, Findings& findings,
                  std::map<std::string, Position> positions) {
  return Converter(options, findings).run(root, std::move(positions));
}

}  // namespace hive::config
