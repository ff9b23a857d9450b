// Spec -> YAML in one canonical form: keys in a fixed order, names sorted, long syntax, version
// 3.9, which has every key that is kept.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "config/compose.h"
#include "config/document.h"

namespace hive::config {

namespace {

// A string as a YAML scalar: plain where that reads as the same string, else in double quotes.
// `$` is doubled in values, since reading puts variables in; keys are taken as they are.
std::string scalar(std::string_view text, bool is_key = false) {
  std::string body;
  bool plain = !text.empty() && text.size() < 200;
  for (const char c : text) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '.' || c == '/' || c == '-' || c == '$';
    if (!word) plain = false;
    if (c == '$' && !is_key)
      body += "$$";
    else if (c == '"' || c == '\\')
      body += fmt::format("\\{}", c);
    else if (c == '\n')
      body += "\\n";
    else if (c == '\t')
      body += "\\t";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      body += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      body += c;
  }
  if (plain && (text[0] == '-' || text[0] == '.')) plain = false;
  if (plain && !plain_scalar(text, {}).is_string()) plain = false;
  // Dates and the like: plain only when it begins as a word or a path.
  if (plain && text[0] >= '0' && text[0] <= '9') plain = false;
  return plain ? body : "\"" + body + "\"";
}

class Writer {
 public:
  void open(std::string_view key) {
    line(scalar(key, true) + ":");
    indent_ += 2;
  }
  void close() { indent_ -= 2; }
  void raw(std::string_view key, std::string_view value) {
    line(fmt::format("{}: {}", scalar(key, true), value));
  }
  void text(std::string_view key, std::string_view value) {
    if (!value.empty()) raw(key, scalar(value));
  }
  void flag(std::string_view key, bool value) {
    if (value) raw(key, "true");
  }
  template <typename Number>
  void number(std::string_view key, const std::optional<Number>& value) {
    if (value) raw(key, fmt::format("{}", *value));
  }
  void duration(std::string_view key, const std::optional<Nanoseconds>& value) {
    if (value) raw(key, scalar(format_duration(*value)));
  }
  void map(std::string_view key, const StringMap& values) {
    if (values.empty()) return;
    open(key);
    for (const auto& [name, value] : values) raw(name, scalar(value));
    close();
  }
  void list(std::string_view key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    open(key);
    for (const auto& value : values) line("- " + scalar(value));
    close();
  }
  // Lists in which a value may stand only once.
  void unique_list(std::string_view key, const std::vector<std::string>& values) {
    std::vector<std::string> kept;
    std::set<std::string> seen;
    for (const auto& value : values)
      if (seen.insert(value).second) kept.push_back(value);
    list(key, kept);
  }
  // A list of mappings: `write` gives the members of each.
  template <typename T, typename Write>
  void items(std::string_view key, const std::vector<T>& values, Write write) {
    if (values.empty()) return;
    open(key);
    for (const auto& value : values) {
      line("-");
      indent_ += 2;
      write(value);
      indent_ -= 2;
    }
    close();
  }
  void json(std::string_view key, const Json& value);
  void line(std::string_view text) {
    out_.append(static_cast<std::size_t>(indent_), ' ').append(text).append("\n");
  }
  std::string take() { return std::move(out_); }

 private:
  static std::string json_scalar(const Json& value) {
    return value.is_string() ? scalar(value.get_ref<const std::string&>()) : value.dump();
  }
  void json_item(const Json& value);

  std::string out_;
  int indent_ = 0;
};

void Writer::json_item(const Json& value) {
  if (!value.is_structured() || value.empty()) return line("- " + json_scalar(value));
  line("-");
  indent_ += 2;
  if (value.is_object())
    for (const auto& [name, member] : value.items()) json(name, member);
  else
    for (const auto& member : value) json_item(member);
  indent_ -= 2;
}

void Writer::json(std::string_view key, const Json& value) {
  if (!value.is_structured() || value.empty()) return raw(key, json_scalar(value));
  open(key);
  if (value.is_object())
    for (const auto& [name, member] : value.items()) json(name, member);
  else
    for (const auto& member : value) json_item(member);
  close();
}

void write_ports(Writer& out, const Service& service) {
  out.items("ports", service.ports, [&](const ServicePort& port) {
    out.text("mode", port.mode);
    out.raw("target", std::to_string(port.target));
    if (port.published != 0) out.raw("published", std::to_string(port.published));
    out.text("protocol", port.protocol);
  });
}

void write_volumes(Writer& out, const Service& service) {
  out.items("volumes", service.volumes, [&](const ServiceVolume& volume) {
    out.text("type", volume.type);
    out.text("source", volume.source);
    out.text("target", volume.target);
    out.flag("read_only", volume.read_only);
    out.text("consistency", volume.consistency);
    if (volume.bind_propagation) {
      out.open("bind");
      out.raw("propagation", scalar(*volume.bind_propagation));
      out.close();
    }
    if (volume.volume_nocopy) {
      out.open("volume");
      out.raw("nocopy", *volume.volume_nocopy ? "true" : "false");
      out.close();
    }
    if (volume.tmpfs_size) {
      out.open("tmpfs");
      out.raw("size", std::to_string(*volume.tmpfs_size));
      out.close();
    }
  });
}

void write_references(Writer& out, std::string_view key, const std::vector<FileReference>& list) {
  out.items(key, list, [&](const FileReference& one) {
    out.text("source", one.source);
    out.text("target", one.target);
    out.text("uid", one.uid);
    out.text("gid", one.gid);
    if (one.mode) out.raw("mode", fmt::format("0{:o}", *one.mode));
  });
}

void write_update(Writer& out, std::string_view key, const std::optional<UpdateConfig>& part) {
  if (!part) return;
  if (*part == UpdateConfig{}) return out.raw(key, "{}");
  out.open(key);
  out.number("parallelism", part->parallelism);
  if (part->delay != Nanoseconds(0)) out.duration("delay", part->delay);
  out.text("failure_action", part->failure_action);
  if (part->monitor != Nanoseconds(0)) out.duration("monitor", part->monitor);
  if (part->max_failure_ratio > 0)
    out.raw("max_failure_ratio", fmt::format("{}", part->max_failure_ratio));
  out.text("order", part->order);
  out.close();
}

void write_restart(Writer& out, const std::optional<RestartPolicy>& part) {
  if (!part) return;
  if (*part == RestartPolicy{}) return out.raw("restart_policy", "{}");
  out.open("restart_policy");
  out.text("condition", part->condition);
  out.duration("delay", part->delay);
  out.number("max_attempts", part->max_attempts);
  out.duration("window", part->window);
  out.close();
}

void write_amounts(Writer& out, const std::string& cpus, std::int64_t memory) {
  if (!cpus.empty()) out.raw("cpus", "\"" + cpus + "\"");
  if (memory > 0) out.raw("memory", fmt::format("\"{}\"", memory));
}

void write_resources(Writer& out, const Deploy& deploy) {
  if (!deploy.limits && !deploy.reservations) return;
  out.open("resources");
  if (deploy.limits && *deploy.limits == ResourceLimit{}) out.raw("limits", "{}");
  if (deploy.limits && *deploy.limits != ResourceLimit{}) {
    out.open("limits");
    write_amounts(out, deploy.limits->cpus, deploy.limits->memory_bytes);
    if (deploy.limits->pids != 0) out.raw("pids", std::to_string(deploy.limits->pids));
    out.close();
  }
  if (deploy.reservations && *deploy.reservations == ResourceReservation{})
    out.raw("reservations", "{}");
  if (deploy.reservations && *deploy.reservations != ResourceReservation{}) {
    out.open("reservations");
    write_amounts(out, deploy.reservations->cpus, deploy.reservations->memory_bytes);
    out.items("generic_resources", deploy.reservations->generic_resources,
              [&](const GenericResource& one) {
                out.open("discrete_resource_spec");
                out.raw("kind", scalar(one.kind));
                out.raw("value", std::to_string(one.value));
                out.close();
              });
    out.close();
  }
  out.close();
}

void write_deploy(Writer& out, const Deploy& deploy) {
  if (deploy == Deploy{}) return;
  out.open("deploy");
  out.text("mode", deploy.mode);
  out.number("replicas", deploy.replicas);
  out.text("endpoint_mode", deploy.endpoint_mode);
  out.map("labels", deploy.labels);
  write_update(out, "update_config", deploy.update_config);
  write_update(out, "rollback_config", deploy.rollback_config);
  write_restart(out, deploy.restart_policy);
  write_resources(out, deploy);
  if (deploy.placement != Placement{}) {
    out.open("placement");
    out.list("constraints", deploy.placement.constraints);
    out.items("preferences", deploy.placement.spread,
              [&](const std::string& spread) { out.raw("spread", scalar(spread)); });
    if (deploy.placement.spread.empty() && deploy.placement.no_spread) out.raw("preferences", "[]");
    if (deploy.placement.max_replicas_per_node != 0)
      out.raw("max_replicas_per_node", std::to_string(deploy.placement.max_replicas_per_node));
    out.close();
  }
  out.close();
}

void write_health(Writer& out, const std::optional<Healthcheck>& part) {
  if (!part) return;
  if (*part == Healthcheck{}) return out.raw("healthcheck", "{}");
  out.open("healthcheck");
  out.list("test", part->test);
  out.duration("timeout", part->timeout);
  out.duration("interval", part->interval);
  out.number("retries", part->retries);
  out.duration("start_period", part->start_period);
  out.flag("disable", part->disable);
  out.close();
}

void write_networks(Writer& out, const Service& service) {
  if (service.networks.empty()) return;
  out.open("networks");
  for (const auto& [name, network] : service.networks) {
    if (!network) {
      out.raw(name, "null");
    } else if (*network == ServiceNetwork{}) {
      out.raw(name, "{}");
    } else {
      out.open(name);
      out.unique_list("aliases", network->aliases);
      out.text("ipv4_address", network->ipv4_address);
      out.text("ipv6_address", network->ipv6_address);
      out.close();
    }
  }
  out.close();
}

void write_environment(Writer& out, const Service& service) {
  if (service.environment.empty()) return;
  out.open("environment");
  for (const auto& [name, value] : service.environment)
    out.raw(name, value ? scalar(*value) : "null");
  out.close();
}

void write_logging(Writer& out, const std::optional<Logging>& logging) {
  if (!logging) return;
  if (*logging == Logging{}) return out.raw("logging", "{}");
  out.open("logging");
  out.text("driver", logging->driver);
  out.map("options", logging->options);
  out.close();
}

void write_ulimits(Writer& out, const Service& service) {
  if (service.ulimits.empty()) return;
  out.open("ulimits");
  for (const auto& [name, limit] : service.ulimits) {
    if (limit.single != 0 || (limit.soft == 0 && limit.hard == 0)) {
      out.raw(name, std::to_string(limit.single));
      continue;
    }
    out.open(name);
    out.raw("soft", std::to_string(limit.soft));
    out.raw("hard", std::to_string(limit.hard));
    out.close();
  }
  out.close();
}

void write_runtime(Writer& out, const Service& service) {
  write_logging(out, service.logging);
  out.unique_list("dns", service.dns);
  out.unique_list("dns_search", service.dns_search);
  out.unique_list("extra_hosts", service.extra_hosts);
  out.unique_list("cap_add", service.cap_add);
  out.unique_list("cap_drop", service.cap_drop);
  out.map("sysctls", service.sysctls);
  write_ulimits(out, service);
  if (service.credential_spec && *service.credential_spec != CredentialSpec{}) {
    out.open("credential_spec");
    out.text("config", service.credential_spec->config);
    out.text("file", service.credential_spec->file);
    out.text("registry", service.credential_spec->registry);
    out.close();
  }
  out.text("hostname", service.hostname);
  out.text("user", service.user);
  out.text("working_dir", service.working_dir);
  out.text("isolation", service.isolation);
  out.text("restart", service.restart);
  out.text("stop_signal", service.stop_signal);
  out.duration("stop_grace_period", service.stop_grace_period);
  if (service.init) out.raw("init", *service.init ? "true" : "false");
  out.flag("read_only", service.read_only);
  out.flag("stdin_open", service.stdin_open);
  out.flag("tty", service.tty);
}

void write_hive(Writer& out, const std::string& json) {
  if (json.empty()) return;
  if (const auto value = parse_json(json, "x-hive")) out.json("x-hive", *value);
}

void write_service(Writer& out, const Service& service) {
  out.open(service.name);
  out.text("image", service.image);
  out.list("entrypoint", service.entrypoint);
  out.list("command", service.command);
  write_environment(out, service);
  out.map("labels", service.labels);
  write_ports(out, service);
  write_volumes(out, service);
  out.unique_list("tmpfs", service.tmpfs);
  write_references(out, "configs", service.configs);
  write_references(out, "secrets", service.secrets);
  write_networks(out, service);
  write_deploy(out, service.deploy);
  write_health(out, service.healthcheck);
  write_runtime(out, service);
  write_hive(out, service.hive_json);
  out.close();
}

void write_network(Writer& out, const std::string& key, const Network& network) {
  if (network == Network{}) return out.raw(key, "{}");
  out.open(key);
  out.text("name", network.name);
  out.text("driver", network.driver);
  out.map("driver_opts", network.driver_opts);
  if (!network.ipam_driver.empty() || !network.ipam_subnets.empty()) {
    out.open("ipam");
    out.text("driver", network.ipam_driver);
    out.items("config", network.ipam_subnets,
              [&](const std::string& subnet) { out.raw("subnet", scalar(subnet)); });
    out.close();
  }
  out.flag("external", network.external);
  out.flag("internal", network.internal);
  out.flag("attachable", network.attachable);
  out.map("labels", network.labels);
  out.close();
}

void write_volume(Writer& out, const std::string& key, const Volume& volume) {
  if (volume == Volume{}) return out.raw(key, "{}");
  out.open(key);
  out.text("name", volume.name);
  out.text("driver", volume.driver);
  out.map("driver_opts", volume.driver_opts);
  out.flag("external", volume.external);
  out.map("labels", volume.labels);
  out.close();
}

void write_file_object(Writer& out, const std::string& key, const FileObject& object) {
  out.open(key);
  out.text("name", object.name);
  out.text("file", object.file);
  out.flag("external", object.external);
  out.text("driver", object.driver);
  out.map("driver_opts", object.driver_opts);
  out.text("template_driver", object.template_driver);
  out.map("labels", object.labels);
  out.close();
}

template <typename T, typename Write>
void write_section(Writer& out, std::string_view key, const std::map<std::string, T>& section,
                   Write write) {
  if (section.empty()) return;
  out.open(key);
  for (const auto& [name, value] : section) write(out, name, value);
  out.close();
}

}  // namespace

std::string render_yaml(const Spec& spec) {
  Writer out;
  out.raw("version", "\"3.9\"");
  write_hive(out, spec.cluster.json);
  write_section(
      out, "services", spec.services,
      [](Writer& to, const std::string&, const Service& service) { write_service(to, service); });
  write_section(out, "networks", spec.networks, write_network);
  write_section(out, "volumes", spec.volumes, write_volume);
  write_section(out, "configs", spec.configs, write_file_object);
  write_section(out, "secrets", spec.secrets, write_file_object);
  return out.take();
}

}  // namespace hive::config
