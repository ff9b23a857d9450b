#include "config/swarm_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <set>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "config/check.h"
#include "config/values.h"
#include "model/image_reference.h"

namespace hive::config {
namespace {

constexpr std::int64_t kLeastNanoCpus = 1'000'000;
constexpr std::int64_t kLeastMemoryBytes = 4LL << 20;
constexpr Nanoseconds kLeastHealthTime{1'000'000};

bool letter_or_digit(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool only(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return letter_or_digit(c) || more.find(c) != std::string_view::npos;
  });
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Of a field alone, ".Task.Slot", what the field is; other expressions are the engine's to judge.
std::optional<std::string_view> field_of(std::string_view expression) {
  if (expression.starts_with("- ")) expression.remove_prefix(2);
  if (expression.ends_with(" -")) expression.remove_suffix(2);
  expression = trim(expression);
  if (!expression.starts_with('.') || !only(expression, "._")) return std::nullopt;
  return expression;
}

const std::vector<std::string>& template_fields() {
  static const std::vector<std::string> fields = {
      ".Service.ID",       ".Service.Name",  ".Service.Labels",
      ".Node.ID",          ".Node.Hostname", ".Node.Platform.Architecture",
      ".Node.Platform.OS", ".Task.ID",       ".Task.Name",
      ".Task.Slot"};
  return fields;
}

bool is_template_field(std::string_view field) {
  if (field == "." || field.starts_with(".Service.Labels.")) return true;
  return std::any_of(template_fields().begin(), template_fields().end(), [&](const auto& known) {
    return known == field || known.starts_with(std::string(field) + ".");
  });
}

bool is_local_driver(std::string_view driver) {
  constexpr std::array kLocal{"bridge", "host", "null", "none", "macvlan", "ipvlan"};
  return std::find(kLocal.begin(), kLocal.end(), driver) != kLocal.end();
}

class SwarmRules {
 public:
  SwarmRules(const Spec& spec, Findings& findings) : spec_(spec), findings_(findings) {}

  void run() {
    for (const auto& [name, service] : spec_.services) {
      path_ = "services." + name;
      service_name(name);
      image(service);
      resources(service.deploy);
      times(service);
      for (std::size_t i = 0; i < service.deploy.placement.constraints.size(); ++i)
        constraint(service.deploy.placement.constraints[i],
                   fmt::format("{}.deploy.placement.constraints[{}]", path_, i));
      targets(service.configs, "config");
      targets(service.secrets, "secret");
      templates(service);
      networks(service);
    }
  }

 private:
  void fault(const std::string& path, std::string message, std::string hint = "") {
    findings_.fault(position_of(spec_, path), std::move(message), std::move(hint));
  }

  // It becomes a part of a DNS name, behind "STACK_".
  void service_name(const std::string& name) {
    if (name.empty() || (only(name, "-_") && letter_or_digit(name.back()))) return;
    fault(path_, fmt::format("{} is not a name that a service can have", in_quotes(name)),
          "letters, digits, '-' and '_', and a letter or digit at its end");
  }

  void image(const Service& service) {
    if (service.image.empty()) return;
    const auto reference = model::parse_image_reference(service.image);
    if (!reference) fault(path_ + ".image", path_ + ".image: " + reference.error().message);
  }

  void resources(const Deploy& deploy) {
    const auto path = path_ + ".deploy.resources.";
    if (deploy.limits) amount(path + "limits", deploy.limits->cpus, deploy.limits->memory_bytes);
    if (deploy.reservations)
      amount(path + "reservations", deploy.reservations->cpus, deploy.reservations->memory_bytes);
  }

  void amount(const std::string& path, const std::string& cpus, std::int64_t memory_bytes) {
    const auto nano = cpus.empty() ? Result<std::int64_t>(0) : parse_cpus(cpus);
    if (nano && *nano != 0 && *nano < kLeastNanoCpus)
      fault(path + ".cpus",
            fmt::format("{}.cpus is {}: Swarm takes no less than 0.001", path, in_quotes(cpus)));
    if (memory_bytes != 0 && memory_bytes < kLeastMemoryBytes)
      fault(
          path + ".memory",
          fmt::format("{}.memory is {} bytes: Swarm takes no less than 4 MiB", path, memory_bytes),
          "write for example \"64M\"");
  }

  void times(const Service& service) {
    if (service.healthcheck) {
      const auto& check = *service.healthcheck;
      for (const auto& [key, time] :
           {std::pair("interval", check.interval), std::pair("timeout", check.timeout),
            std::pair("start_period", check.start_period)})
        if (time && *time != Nanoseconds(0) && *time < kLeastHealthTime)
          fault(fmt::format("{}.healthcheck.{}", path_, key),
                fmt::format("{}.healthcheck.{}: Swarm takes no less than 1ms", path_, key));
    }
    const auto& deploy = service.deploy;
    for (const auto& [key, config] : {std::pair("update_config", &deploy.update_config),
                                      std::pair("rollback_config", &deploy.rollback_config)}) {
      if (!*config) continue;
      not_negative(fmt::format("{}.deploy.{}.delay", path_, key), (*config)->delay);
      not_negative(fmt::format("{}.deploy.{}.monitor", path_, key), (*config)->monitor);
    }
    if (!deploy.restart_policy) return;
    const auto path = path_ + ".deploy.restart_policy.";
    not_negative(path + "delay", deploy.restart_policy->delay.value_or(Nanoseconds(0)));
    not_negative(path + "window", deploy.restart_policy->window.value_or(Nanoseconds(0)));
  }

  void not_negative(const std::string& path, Nanoseconds time) {
    if (time < Nanoseconds(0)) fault(path, path + " is negative");
  }

  void constraint(const std::string& text, const std::string& path) {
    const bool equal = text.find("==") != std::string::npos;
    const auto at = text.find(equal ? "==" : "!=");
    if (at == std::string::npos)
      return fault(path, fmt::format("{}: {} has neither == nor !=", path, in_quotes(text)),
                   "write for example \"node.role == worker\"");
    const std::string key(trim(std::string_view(text).substr(0, at)));
    const std::string value(trim(std::string_view(text).substr(at + 2)));
    if (key.size() < 2 || !only(key, "-_.") || (key[0] != '_' && std::isalpha(key[0]) == 0))
      return fault(path, fmt::format("{}: the key {} in {} is no attribute of a node", path,
                                     in_quotes(key), in_quotes(text)));
    if (value.empty() || !only(value, ":-_ \t.*()?+[]\\^$|/"))
      return fault(path, fmt::format("{}: the value {} in {} is none that Swarm takes", path,
                                     in_quotes(value), in_quotes(text)));
    known_key(lower_case(key), text, path);
  }

  // Swarm takes any key, and no node has one that it does not know.
  void known_key(const std::string& key, const std::string& text, const std::string& path) {
    static const std::vector<std::string> known = {"node.id",          "node.hostname",
                                                   "node.ip",          "node.role",
                                                   "node.platform.os", "node.platform.arch"};
    if (key.starts_with("node.labels.") || key.starts_with("engine.labels.") ||
        std::find(known.begin(), known.end(), key) != known.end())
      return;
    std::string hint = suggest(key, known);
    if (hint.empty()) hint = "a node's own labels are node.labels.NAME";
    findings_.warn(position_of(spec_, path),
                   fmt::format("{}: no node has {}, so with {} no task would ever be placed", path,
                               in_quotes(key), in_quotes(text)),
                   hint);
  }

  void targets(const std::vector<FileReference>& references, std::string_view kind) {
    std::set<std::string> seen;
    for (const auto& reference : references) {
      const std::string& target = reference.target.empty() ? reference.source : reference.target;
      if (seen.insert(target).second) continue;
      fault(fmt::format("{}.{}s.{}", path_, kind, reference.source),
            fmt::format("{} has two {}s at {}", path_, kind, target), "give one another target");
    }
  }

  void templates(const Service& service) {
    expands(service.hostname, path_ + ".hostname");
    for (const auto& [name, value] : service.environment)
      if (value) expands(*value, fmt::format("{}.environment.{}", path_, name));
    for (const auto& volume : service.volumes) {
      const auto found = spec_.volumes.find(volume.source);
      const bool named = volume.type == "volume" && found != spec_.volumes.end();
      expands(named ? found->second.name : volume.source,
              named ? fmt::format("volumes.{}.name", volume.source)
                    : fmt::format("{}.volumes.{}", path_, volume.source));
      expands(volume.target, fmt::format("{}.volumes.{}", path_, volume.source));
    }
  }

  void expands(const std::string& text, const std::string& path) {
    std::string_view rest = text;
    for (auto at = rest.find("{{"); at != std::string_view::npos; at = rest.find("{{")) {
      rest.remove_prefix(at + 2);
      const auto end = rest.find("}}");
      if (end == std::string_view::npos)
        return fault(path, fmt::format("{}: a {{{{ is not closed in {}", path, in_quotes(text)));
      const auto field = field_of(rest.substr(0, end));
      rest.remove_prefix(end + 2);
      if (!field || is_template_field(*field)) continue;
      std::string hint = suggest(std::string(*field), template_fields());
      if (hint.empty()) hint = "there are " + join(template_fields(), ", ");
      fault(path, fmt::format("{}: Swarm knows no {} in {}", path, *field, in_quotes(text)), hint);
    }
  }

  // Networks of one node alone are none for tasks that Swarm places.
  void networks(const Service& service) {
    for (const auto& [key, unused] : service.networks) {
      const auto found = spec_.networks.find(key);
      if (found == spec_.networks.end()) continue;
      const auto& network = found->second;
      const std::string& name = network.name.empty() ? key : network.name;
      if (network.external && name == "none")
        fault(fmt::format("{}.networks.{}", path_, key),
              fmt::format("{}: network none cannot be used with Swarm", path_),
              "leave the network out");
      if (!network.external && is_local_driver(network.driver) && reported_.insert(key).second)
        fault(fmt::format("networks.{}.driver", key),
              fmt::format("networks.{}: a network with driver {} is one node's alone, and {} is "
                          "placed on any",
                          key, network.driver, path_),
              "leave the driver out: Swarm's is overlay");
    }
  }

  const Spec& spec_;
  Findings& findings_;
  std::string path_;                // of the service
  std::set<std::string> reported_;  // networks
};

}  // namespace

void check_swarm_rules(const Spec& spec, Findings& findings) { SwarmRules(spec, findings).run(); }

}  // namespace hive::config
