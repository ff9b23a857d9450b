#include "cli/service_flags.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "base/text.h"
#include "model/stop_policy.h"
#include "os/file.h"

namespace hive::cli {
namespace {

enum class Kind { kText, kDuration, kBytes, kCpus, kCount, kRatio };
enum class For { kBoth, kCreate, kUpdate };

// A flag that sets one field of the spec.
struct Field {
  const char* names;
  const char* value;
  const char* path;
  Kind kind;
  const char* help;
  For use = For::kBoth;
};

#define HIVE_CONTAINER "TaskTemplate.ContainerSpec."
constexpr Field kFields[] = {
    {"--name", "NAME", "Name", Kind::kText, "Name of the service", For::kCreate},
    {"--image", "IMAGE", HIVE_CONTAINER "Image", Kind::kText, "Image and tag", For::kUpdate},
    {"--hostname", "NAME", HIVE_CONTAINER "Hostname", Kind::kText, "Host name of containers"},
    {"-u,--user", "USER", HIVE_CONTAINER "User", Kind::kText, "User or uid, [:group]"},
    {"-w,--workdir", "DIRECTORY", HIVE_CONTAINER "Dir", Kind::kText, "Working directory"},
    {"--stop-signal", "SIGNAL", HIVE_CONTAINER "StopSignal", Kind::kText, "Signal that stops"},
    {"--stop-grace-period", "DURATION", HIVE_CONTAINER "StopGracePeriod", Kind::kDuration,
     "Time from the stop signal to the kill"},
    {"--health-interval", "DURATION", HIVE_CONTAINER "Healthcheck.Interval", Kind::kDuration,
     "Time between checks"},
    {"--health-timeout", "DURATION", HIVE_CONTAINER "Healthcheck.Timeout", Kind::kDuration,
     "Longest time of one check"},
    {"--health-start-period", "DURATION", HIVE_CONTAINER "Healthcheck.StartPeriod", Kind::kDuration,
     "Time in which failures do not count"},
    {"--health-retries", "N", HIVE_CONTAINER "Healthcheck.Retries", Kind::kCount,
     "Failures in a row that make it unhealthy"},
    {"--replicas", "N", "Mode.Replicated.Replicas", Kind::kCount, "Number of tasks"},
    {"--replicas-max-per-node", "N", "TaskTemplate.Placement.MaxReplicas", Kind::kCount,
     "Tasks a node at most (0: no bound)"},
    {"--limit-cpu", "DECIMAL", "TaskTemplate.Resources.Limits.NanoCPUs", Kind::kCpus,
     "CPUs at most"},
    {"--limit-memory", "BYTES", "TaskTemplate.Resources.Limits.MemoryBytes", Kind::kBytes,
     "Memory at most"},
    {"--limit-pids", "N", "TaskTemplate.Resources.Limits.Pids", Kind::kCount, "Processes at most"},
    {"--reserve-cpu", "DECIMAL", "TaskTemplate.Resources.Reservations.NanoCPUs", Kind::kCpus,
     "CPUs reserved"},
    {"--reserve-memory", "BYTES", "TaskTemplate.Resources.Reservations.MemoryBytes", Kind::kBytes,
     "Memory reserved"},
    {"--restart-condition", "CONDITION", "TaskTemplate.RestartPolicy.Condition", Kind::kText,
     "none, on-failure or any"},
    {"--restart-delay", "DURATION", "TaskTemplate.RestartPolicy.Delay", Kind::kDuration,
     "Time before a restart"},
    {"--restart-max-attempts", "N", "TaskTemplate.RestartPolicy.MaxAttempts", Kind::kCount,
     "Restarts before giving up"},
    {"--restart-window", "DURATION", "TaskTemplate.RestartPolicy.Window", Kind::kDuration,
     "Time in which restarts are counted"},
    {"--update-parallelism", "N", "UpdateConfig.Parallelism", Kind::kCount,
     "Tasks updated at once (0: all)"},
    {"--update-delay", "DURATION", "UpdateConfig.Delay", Kind::kDuration, "Time between updates"},
    {"--update-monitor", "DURATION", "UpdateConfig.Monitor", Kind::kDuration,
     "Time a new task is watched for failure"},
    {"--update-failure-action", "ACTION", "UpdateConfig.FailureAction", Kind::kText,
     "pause, continue or rollback"},
    {"--update-max-failure-ratio", "RATIO", "UpdateConfig.MaxFailureRatio", Kind::kRatio,
     "Share of tasks that may fail"},
    {"--update-order", "ORDER", "UpdateConfig.Order", Kind::kText, "start-first or stop-first"},
    {"--rollback-parallelism", "N", "RollbackConfig.Parallelism", Kind::kCount,
     "Tasks rolled back at once (0: all)"},
    {"--rollback-delay", "DURATION", "RollbackConfig.Delay", Kind::kDuration,
     "Time between rollbacks"},
    {"--rollback-monitor", "DURATION", "RollbackConfig.Monitor", Kind::kDuration,
     "Time a task rolled back is watched"},
    {"--rollback-failure-action", "ACTION", "RollbackConfig.FailureAction", Kind::kText,
     "pause or continue"},
    {"--rollback-max-failure-ratio", "RATIO", "RollbackConfig.MaxFailureRatio", Kind::kRatio,
     "Share of tasks that may fail"},
    {"--rollback-order", "ORDER", "RollbackConfig.Order", Kind::kText, "start-first or stop-first"},
    {"--endpoint-mode", "MODE", "EndpointSpec.Mode", Kind::kText, "vip or dnsrr"},
    {"--log-driver", "NAME", "TaskTemplate.LogDriver.Name", Kind::kText, "Logging driver"},
};

// Values that only some words may take, with the field's name for the message.
struct Words {
  const char* name;
  std::vector<std::string> words;
};
const std::vector<Words>& word_lists() {
  static const std::vector<Words> lists = {
      {"--restart-condition", {"none", "on-failure", "any"}},
      {"--update-failure-action", {"pause", "continue", "rollback"}},
      {"--rollback-failure-action", {"pause", "continue"}},
      {"--update-order", {"start-first", "stop-first"}},
      {"--rollback-order", {"start-first", "stop-first"}},
      {"--endpoint-mode", {"vip", "dnsrr"}}};
  return lists;
}

struct ListFlag {
  const char* names;
  const char* value;
  const char* help;
  For use = For::kBoth;
};
constexpr ListFlag kLists[] = {
    {"-e,--env", "KEY=VALUE", "Set an environment variable", For::kCreate},
    {"--env-file", "FILE", "Set the variables that a file has, one a line", For::kCreate},
    {"--env-add", "KEY=VALUE", "Set an environment variable", For::kUpdate},
    {"--env-rm", "KEY", "Remove an environment variable", For::kUpdate},
    {"-l,--label", "KEY=VALUE", "Set a label of the service", For::kCreate},
    {"--label-add", "KEY=VALUE", "Set a label of the service", For::kUpdate},
    {"--label-rm", "KEY", "Remove a label of the service", For::kUpdate},
    {"--container-label", "KEY=VALUE", "Set a label of containers", For::kCreate},
    {"--container-label-add", "KEY=VALUE", "Set a label of containers", For::kUpdate},
    {"--container-label-rm", "KEY", "Remove a label of containers", For::kUpdate},
    {"-p,--publish", "PORT", "Publish [LISTENER:]TARGET at the edges", For::kCreate},
    {"--publish-add", "PORT", "Publish [LISTENER:]TARGET at the edges", For::kUpdate},
    {"--publish-rm", "TARGET", "Publish a target port no more", For::kUpdate},
    {"--mount", "MOUNT", "Attach a file system: type=,source=,target=", For::kCreate},
    {"--mount-add", "MOUNT", "Attach a file system: type=,source=,target=", For::kUpdate},
    {"--mount-rm", "TARGET", "Remove a mount by its target", For::kUpdate},
    {"--constraint", "CONSTRAINT", "Only nodes where it holds", For::kCreate},
    {"--constraint-add", "CONSTRAINT", "Only nodes where it holds", For::kUpdate},
    {"--constraint-rm", "CONSTRAINT", "Remove a constraint", For::kUpdate},
    {"--placement-pref", "PREFERENCE", "spread=node.labels.KEY", For::kCreate},
    {"--placement-pref-add", "PREFERENCE", "spread=node.labels.KEY", For::kUpdate},
    {"--placement-pref-rm", "PREFERENCE", "Remove a preference", For::kUpdate},
    {"--network", "NETWORK", "Attach to a network", For::kCreate},
    {"--network-add", "NETWORK", "Attach to a network", For::kUpdate},
    {"--network-rm", "NETWORK", "Detach from a network", For::kUpdate},
    {"--secret", "SECRET", "Give a secret: NAME or source=,target=", For::kCreate},
    {"--secret-add", "SECRET", "Give a secret: NAME or source=,target=", For::kUpdate},
    {"--secret-rm", "SECRET", "Take a secret away", For::kUpdate},
    {"--config", "CONFIG", "Give a config: NAME or source=,target=", For::kCreate},
    {"--config-add", "CONFIG", "Give a config: NAME or source=,target=", For::kUpdate},
    {"--config-rm", "CONFIG", "Take a config away", For::kUpdate},
    {"--host", "NAME:ADDRESS", "Add a line to /etc/hosts", For::kCreate},
    {"--host-add", "NAME:ADDRESS", "Add a line to /etc/hosts", For::kUpdate},
    {"--host-rm", "NAME:ADDRESS", "Remove a line from /etc/hosts", For::kUpdate},
    {"--dns", "ADDRESS", "Name server", For::kCreate},
    {"--dns-add", "ADDRESS", "Name server", For::kUpdate},
    {"--dns-rm", "ADDRESS", "Remove a name server", For::kUpdate},
    {"--dns-option", "OPTION", "Option of the resolver", For::kCreate},
    {"--dns-option-add", "OPTION", "Option of the resolver", For::kUpdate},
    {"--dns-option-rm", "OPTION", "Remove an option of the resolver", For::kUpdate},
    {"--dns-search", "DOMAIN", "Search domain", For::kCreate},
    {"--dns-search-add", "DOMAIN", "Search domain", For::kUpdate},
    {"--dns-search-rm", "DOMAIN", "Remove a search domain", For::kUpdate},
    {"--group", "GROUP", "Additional group of the user", For::kCreate},
    {"--group-add", "GROUP", "Additional group of the user", For::kUpdate},
    {"--group-rm", "GROUP", "Remove an additional group", For::kUpdate},
    {"--sysctl", "KEY=VALUE", "Kernel parameter of containers", For::kCreate},
    {"--sysctl-add", "KEY=VALUE", "Kernel parameter of containers", For::kUpdate},
    {"--sysctl-rm", "KEY", "Remove a kernel parameter", For::kUpdate},
    {"--ulimit", "NAME=SOFT[:HARD]", "Limit of containers", For::kCreate},
    {"--ulimit-add", "NAME=SOFT[:HARD]", "Limit of containers", For::kUpdate},
    {"--ulimit-rm", "NAME", "Remove a limit", For::kUpdate},
    {"--cap-add", "CAPABILITY", "Add a capability"},
    {"--cap-drop", "CAPABILITY", "Drop a capability"},
    {"--log-opt", "KEY=VALUE", "Option of the logging driver"},
};

struct Flag {
  const char* names;
  const char* help;
  For use = For::kBoth;
};
constexpr Flag kFlags[] = {
    {"--read-only", "The container's root is read only"},
    {"-t,--tty", "Give a terminal"},
    {"--init", "Run hive-init as process 1, which holds stops; the default"},
    {"--no-init", "Run no init as process 1: stops are not held"},
    {"--no-healthcheck", "Ignore the image's health check"},
    {"--with-registry-auth", "Always on; taken for docker's sake"},
    {"--no-resolve-image", "Do not pin the image to its digest"},
    {"--force", "Restart the tasks even if nothing changes", For::kUpdate},
    {"--rollback", "Go back to the previous version", For::kUpdate},
};

std::string long_name(const std::string& names) { return split(names, ',').back(); }
bool used(For use, bool create) { return use == For::kBoth || (use == For::kCreate) == create; }

Json::json_pointer pointer(const std::string& path) {
  std::string text = "/" + path;
  std::replace(text.begin(), text.end(), '.', '/');
  return Json::json_pointer(text);
}

// Null parents (absent, or null from the engine) become objects on the way.
Json& at(Json& spec, const std::string& path) { return spec[pointer(path)]; }

Result<double> parse_decimal(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || value < 0 || value > 1e6)
    return fail(Errc::kInvalidArgument, "'" + text + "' is no number from 0 on");
  return value;
}

Result<Json> convert(Kind kind, const std::string& text) {
  switch (kind) {
    case Kind::kText:
      return Json(text);
    case Kind::kDuration: {
      HIVE_ASSIGN(const auto duration, parse_duration(text));
      return Json(duration.count());
    }
    case Kind::kBytes: {
      HIVE_ASSIGN(const auto bytes, parse_bytes(text));
      return Json(bytes);
    }
    case Kind::kCpus: {
      HIVE_ASSIGN(const auto cpus, parse_decimal(text));
      return Json(std::llround(cpus * 1e9));
    }
    case Kind::kRatio: {
      HIVE_ASSIGN(const auto ratio, parse_decimal(text));
      if (ratio > 1) return fail(Errc::kInvalidArgument, "'" + text + "' is not from 0 to 1");
      return Json(ratio);
    }
    case Kind::kCount:
      break;
  }
  const bool digits =
      !text.empty() && text.size() < 10 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return fail(Errc::kInvalidArgument, "'" + text + "' is no whole number from 0 on");
  return Json(std::stoll(text));
}

Status check_words(const std::string& name, const std::string& value) {
  for (const auto& list : word_lists()) {
    if (name != list.name) continue;
    if (std::find(list.words.begin(), list.words.end(), value) != list.words.end()) return {};
    const auto near = did_you_mean(value, list.words);
    return fail(Errc::kInvalidArgument, name + ": '" + value + "' is not one of " +
                                            join(list.words, ", ") +
                                            (near ? ": did you mean " + *near + "?" : ""));
  }
  return {};
}

Status apply_fields(const ServiceFlags& flags, Json& spec) {
  for (const Field& field : kFields) {
    const std::string name = long_name(field.names);
    const auto value = flags.value(name);
    if (!value) continue;
    if (name == "--replicas" && spec["Mode"].contains("Global"))
      return fail(Errc::kInvalidArgument,
                  "--replicas cannot be given: the service is global, one task on every node");
    HIVE_TRY(check_words(name, *value));
    auto converted = convert(field.kind, *value);
    if (!converted) return annotate(converted.error(), name);
    at(spec, field.path) = std::move(*converted);
  }
  return {};
}

std::string key_of(const std::string& word) { return word.substr(0, word.find('=')); }

Json& array_at(Json& spec, const std::string& path) {
  Json& array = at(spec, path);
  if (!array.is_array()) array = Json::array();
  return array;
}

void erase_if_empty(Json& spec, const std::string& path) {
  const auto dot = path.rfind('.');
  Json& parent = at(spec, path.substr(0, dot));
  const std::string name = path.substr(dot + 1);
  if (parent.is_object() && parent.contains(name) && parent[name].empty()) parent.erase(name);
}

template <typename Predicate>
void erase_where(Json& array, Predicate predicate) {
  for (auto it = array.begin(); it != array.end();) it = predicate(*it) ? array.erase(it) : it + 1;
}

// docker's form: KEY=VALUE or KEY a line, '#' begins a comment, nothing is quoted or expanded.
Result<std::vector<std::string>> variables_of(const std::string& file) {
  HIVE_ASSIGN(const std::string text, os::read_file(file, 1U << 20));
  std::vector<std::string> words;
  int number = 0;
  for (const std::string& raw : split(text, '\n')) {
    ++number;
    std::string line = raw.ends_with('\r') ? raw.substr(0, raw.size() - 1) : raw;
    line.erase(0, line.find_first_not_of(" \t"));
    if (line.empty() || line.starts_with('#')) continue;
    if (key_of(line).empty() || key_of(line).find_first_of(" \t") != std::string::npos)
      return fail(Errc::kInvalidArgument, "--env-file " + file + ":" + std::to_string(number) +
                                              ": '" + key_of(line) + "' is no variable's name");
    words.push_back(line);
  }
  return words;
}

Status apply_environment(const ServiceFlags& flags, Json& spec) {
  std::vector<std::string> add;  // what the command line says wins over what files say
  for (const auto& file : flags.list("--env-file")) {
    HIVE_ASSIGN(const auto words, variables_of(file));
    add.insert(add.end(), words.begin(), words.end());
  }
  for (const char* name : {"--env", "--env-add"})
    add.insert(add.end(), flags.list(name).begin(), flags.list(name).end());
  const auto& gone = flags.list("--env-rm");
  if (add.empty() && gone.empty()) return {};
  Json& environment = array_at(spec, HIVE_CONTAINER "Env");
  const auto drop = [&](const std::string& key) {
    erase_where(environment, [&](const Json& entry) {
      return entry.is_string() && key_of(entry.get<std::string>()) == key;
    });
  };
  for (const auto& key : gone) drop(key);
  for (const auto& word : add) {
    drop(key_of(word));
    const char* own = std::getenv(word.c_str());
    if (word.find('=') != std::string::npos) {
      environment.push_back(word);
    } else if (own != nullptr) {
      environment.push_back(word + "=" + own);  // a bare name takes this process's value
    }
  }
  erase_if_empty(spec, HIVE_CONTAINER "Env");
  return {};
}

void apply_labels(const std::vector<std::string>& add, const std::vector<std::string>& gone,
                  Json& labels) {
  if (add.empty() && gone.empty()) return;
  if (!labels.is_object()) labels = Json::object();
  for (const auto& key : gone) labels.erase(key);
  for (const auto& word : add) {
    const auto equals = word.find('=');
    labels[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
  }
}

// Adds and removes whole words of an array of strings.
void apply_words(const ServiceFlags& flags, const std::string& base, const std::string& path,
                 Json& spec) {
  const auto& fresh = flags.list(base);
  const auto& add = fresh.empty() ? flags.list(base + "-add") : fresh;
  const auto& gone = flags.list(base + "-rm");
  if (add.empty() && gone.empty()) return;
  Json& words = array_at(spec, path);
  for (const auto& word : gone)
    erase_where(words, [&](const Json& entry) { return entry == word; });
  for (const auto& word : add) {
    if (std::find(words.begin(), words.end(), Json(word)) == words.end()) words.push_back(word);
  }
  erase_if_empty(spec, path);
}

Status apply_preferences(const ServiceFlags& flags, Json& spec) {
  const auto parse = [](const std::string& word) -> Result<std::string> {
    if (!word.starts_with("spread="))
      return fail(Errc::kInvalidArgument,
                  "--placement-pref " + word + ": only spread=DESCRIPTOR is supported");
    return word.substr(7);
  };
  const auto& fresh = flags.list("--placement-pref");
  const auto& add = fresh.empty() ? flags.list("--placement-pref-add") : fresh;
  for (const auto& word : flags.list("--placement-pref-rm")) {
    HIVE_ASSIGN(const auto descriptor, parse(word));
    erase_where(array_at(spec, "TaskTemplate.Placement.Preferences"), [&](const Json& entry) {
      return json_string(entry, "Spread.SpreadDescriptor") == descriptor;
    });
  }
  for (const auto& word : add) {
    HIVE_ASSIGN(const auto descriptor, parse(word));
    array_at(spec, "TaskTemplate.Placement.Preferences")
        .push_back({{"Spread", {{"SpreadDescriptor", descriptor}}}});
  }
  return {};
}

Status apply_mounts(const ServiceFlags& flags, Json& spec) {
  const auto& fresh = flags.list("--mount");
  const auto& add = fresh.empty() ? flags.list("--mount-add") : fresh;
  const auto& gone = flags.list("--mount-rm");
  if (add.empty() && gone.empty()) return {};
  Json& mounts = array_at(spec, HIVE_CONTAINER "Mounts");
  for (const auto& target : gone)
    erase_where(mounts, [&](const Json& m) { return json_string(m, "Target") == target; });
  for (const auto& word : add) {
    HIVE_ASSIGN(auto mount, parse_mount(word));
    const std::string target = json_string(mount, "Target");
    erase_where(mounts, [&](const Json& m) { return json_string(m, "Target") == target; });
    mounts.push_back(std::move(mount));
  }
  erase_if_empty(spec, HIVE_CONTAINER "Mounts");
  return {};
}

Status apply_ports(const ServiceFlags& flags, Json& spec) {
  const auto& fresh = flags.list("--publish");
  for (const auto& word : flags.list("--publish-rm")) HIVE_TRY(remove_publish(word, spec));
  for (const auto& word : fresh.empty() ? flags.list("--publish-add") : fresh) {
    HIVE_ASSIGN(const auto all, parse_publish(word));
    for (const auto& publish : all) HIVE_TRY(add_publish(publish, spec));
  }
  return {};
}

// "NAME" or "source=NAME,target=PATH,uid=,gid=,mode=0440"; the id is filled in later.
Result<Json> file_reference(const std::string& flag, const std::string& id_field,
                            const std::string& name_field, const std::string& word) {
  Json reference = {{id_field, ""}, {name_field, word}};
  Json file = {{"Name", word}, {"UID", "0"}, {"GID", "0"}, {"Mode", 0444}};
  if (word.find('=') != std::string::npos) {
    reference[name_field] = "";
    file["Name"] = "";
    for (const auto& field : split(word, ',')) {
      const auto equals = field.find('=');
      const std::string key = field.substr(0, equals);
      const std::string value = equals == std::string::npos ? "" : field.substr(equals + 1);
      if (key == "source" || key == "src")
        reference[name_field] = value;
      else if (key == "target")
        file["Name"] = value;
      else if (key == "uid")
        file["UID"] = value;
      else if (key == "gid")
        file["GID"] = value;
      else if (key == "mode")
        file["Mode"] = std::strtol(value.c_str(), nullptr, 8);
      else
        return fail(Errc::kInvalidArgument, flag + " " + word + ": '" + key +
                                                "' is not one of source, target, uid, gid, mode");
    }
    if (json_string(reference, name_field).empty())
      return fail(Errc::kInvalidArgument, flag + " " + word + ": source= is missing");
    if (json_string(file, "Name").empty()) file["Name"] = reference[name_field];
  }
  if (id_field == "ConfigID" && !json_string(file, "Name").starts_with("/"))
    file["Name"] = "/" + json_string(file, "Name");
  reference["File"] = std::move(file);
  return reference;
}

Status apply_files(const ServiceFlags& flags, const std::string& base, const std::string& path,
                   const std::string& id_field, const std::string& name_field, Json& spec) {
  const auto& fresh = flags.list(base);
  const auto& add = fresh.empty() ? flags.list(base + "-add") : fresh;
  const auto& gone = flags.list(base + "-rm");
  if (add.empty() && gone.empty()) return {};
  Json& all = array_at(spec, path);
  for (const auto& name : gone)
    erase_where(all, [&](const Json& entry) { return json_string(entry, name_field) == name; });
  for (const auto& word : add) {
    HIVE_ASSIGN(auto reference, file_reference(base, id_field, name_field, word));
    all.push_back(std::move(reference));
  }
  erase_if_empty(spec, path);
  return {};
}

void apply_networks(const ServiceFlags& flags, Json& spec) {
  const auto& fresh = flags.list("--network");
  const auto& add = fresh.empty() ? flags.list("--network-add") : fresh;
  const auto& gone = flags.list("--network-rm");
  if (add.empty() && gone.empty()) return;
  Json& networks = array_at(spec, "TaskTemplate.Networks");
  for (const auto& name : gone)
    erase_where(networks, [&](const Json& entry) { return json_string(entry, "Target") == name; });
  for (const auto& name : add) networks.push_back({{"Target", name}});
  erase_if_empty(spec, "TaskTemplate.Networks");
}

// "nofile=1024:2048" as the API has it.
Status apply_limits(const ServiceFlags& flags, Json& spec) {
  const auto& fresh = flags.list("--ulimit");
  const auto& add = fresh.empty() ? flags.list("--ulimit-add") : fresh;
  const auto& gone = flags.list("--ulimit-rm");
  if (add.empty() && gone.empty()) return {};
  Json& limits = array_at(spec, HIVE_CONTAINER "Ulimits");
  const auto drop = [&](const std::string& name) {
    erase_where(limits, [&](const Json& limit) { return json_string(limit, "Name") == name; });
  };
  for (const auto& name : gone) drop(name);
  for (const auto& word : add) {
    const auto equals = word.find('=');
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    const auto colon = value.find(':');
    const auto soft = convert(Kind::kCount, value.substr(0, colon));
    const auto hard =
        colon == std::string::npos ? soft : convert(Kind::kCount, value.substr(colon + 1));
    if (equals == 0 || !soft || !hard || *soft > *hard)
      return fail(
          Errc::kInvalidArgument,
          "--ulimit " + word + " is not NAME=SOFT[:HARD], with whole numbers, SOFT at most HARD");
    drop(key_of(word));
    limits.push_back({{"Name", key_of(word)}, {"Soft", *soft}, {"Hard", *hard}});
  }
  erase_if_empty(spec, HIVE_CONTAINER "Ulimits");
  return {};
}

// "name:address" as the API has it: "address name".
void apply_hosts(const ServiceFlags& flags, Json& spec) {
  ServiceFlags turned;
  for (const char* name : {"--host", "--host-add", "--host-rm"}) {
    for (const auto& word : flags.list(name)) {
      const auto colon = word.find(':');
      turned.lists[name].push_back(
          colon == std::string::npos ? word : word.substr(colon + 1) + " " + word.substr(0, colon));
    }
  }
  apply_words(turned, "--host", HIVE_CONTAINER "Hosts", spec);
}

void apply_booleans(const ServiceFlags& flags, Json& spec) {
  if (flags.flag("--read-only")) at(spec, HIVE_CONTAINER "ReadOnly") = true;
  if (flags.flag("--tty")) at(spec, HIVE_CONTAINER "TTY") = true;
  if (flags.flag("--init")) at(spec, HIVE_CONTAINER "Init") = true;
  if (flags.flag("--no-init")) at(spec, HIVE_CONTAINER "Init") = false;
  if (flags.flag("--no-healthcheck"))
    at(spec, HIVE_CONTAINER "Healthcheck") = {{"Test", Json::array({"NONE"})}};
  if (const auto command = flags.value("--health-cmd"))
    at(spec, HIVE_CONTAINER "Healthcheck")["Test"] = Json::array({"CMD-SHELL", *command});
}

Status apply_all(const ServiceFlags& flags, Json& spec) {
  HIVE_TRY(apply_fields(flags, spec));
  HIVE_TRY(apply_environment(flags, spec));
  const auto both = [&](const char* fresh, const char* add) -> const std::vector<std::string>& {
    return flags.list(fresh).empty() ? flags.list(add) : flags.list(fresh);
  };
  apply_labels(both("--label", "--label-add"), flags.list("--label-rm"), spec["Labels"]);
  Json& container_labels = at(spec, HIVE_CONTAINER "Labels");
  apply_labels(both("--container-label", "--container-label-add"),
               flags.list("--container-label-rm"), container_labels);
  if (container_labels.is_null()) at(spec, "TaskTemplate.ContainerSpec").erase("Labels");
  apply_words(flags, "--constraint", "TaskTemplate.Placement.Constraints", spec);
  HIVE_TRY(apply_preferences(flags, spec));
  HIVE_TRY(apply_mounts(flags, spec));
  HIVE_TRY(apply_ports(flags, spec));
  HIVE_TRY(
      apply_files(flags, "--secret", HIVE_CONTAINER "Secrets", "SecretID", "SecretName", spec));
  HIVE_TRY(
      apply_files(flags, "--config", HIVE_CONTAINER "Configs", "ConfigID", "ConfigName", spec));
  apply_networks(flags, spec);
  apply_hosts(flags, spec);
  apply_words(flags, "--dns", HIVE_CONTAINER "DNSConfig.Nameservers", spec);
  apply_words(flags, "--dns-option", HIVE_CONTAINER "DNSConfig.Options", spec);
  apply_words(flags, "--dns-search", HIVE_CONTAINER "DNSConfig.Search", spec);
  apply_words(flags, "--group", HIVE_CONTAINER "Groups", spec);
  if (const auto& set = both("--sysctl", "--sysctl-add");
      !set.empty() || !flags.list("--sysctl-rm").empty())
    apply_labels(set, flags.list("--sysctl-rm"), at(spec, HIVE_CONTAINER "Sysctls"));
  HIVE_TRY(apply_limits(flags, spec));
  for (const auto& word : flags.list("--cap-add"))
    array_at(spec, HIVE_CONTAINER "CapabilityAdd").push_back(word);
  for (const auto& word : flags.list("--cap-drop"))
    array_at(spec, HIVE_CONTAINER "CapabilityDrop").push_back(word);
  if (!flags.list("--log-opt").empty())
    apply_labels(flags.list("--log-opt"), {}, at(spec, "TaskTemplate.LogDriver.Options"));
  apply_booleans(flags, spec);
  return {};
}

// As a stack's services are deployed (docs/differences.md, init and stop-grace-period).
void hold_stops(Json& spec) {
  Json& container = at(spec, "TaskTemplate.ContainerSpec");
  if (!container.contains("Init")) container["Init"] = true;
  if (!json_bool(container, "Init")) return;
  const std::chrono::nanoseconds needed = model::grace_period(model::StopPolicy{});
  container["StopGracePeriod"] =
      std::max<std::int64_t>(json_int(container, "StopGracePeriod"), needed.count());
}

// Words of a shell-like string: quotes and backslashes, no expansion.
std::vector<std::string> shell_words(const std::string& text) {
  std::vector<std::string> words;
  bool open = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && (c == ' ' || c == '\t')) {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      words.back() += text[++i];
    } else {
      words.back() += c;
    }
  }
  return words;
}

}  // namespace

const std::vector<std::string>& ServiceFlags::list(const std::string& name) const {
  static const std::vector<std::string> none;
  const auto found = lists.find(name);
  return found == lists.end() ? none : found->second;
}
std::optional<std::string> ServiceFlags::value(const std::string& name) const {
  const auto found = text.find(name);
  return found == text.end() ? std::nullopt : found->second;
}
bool ServiceFlags::flag(const std::string& name) const {
  const auto found = flags.find(name);
  return found != flags.end() && found->second;
}

void declare_service_flags(Declare& declare, ServiceFlags& flags, bool create) {
  for (const Field& field : kFields) {
    if (used(field.use, create))
      declare.text(field.names, field.value, &flags.text[long_name(field.names)], field.help);
  }
  declare.text("--health-cmd", "COMMAND", &flags.text["--health-cmd"], "Command that checks");
  declare.text("--entrypoint", "COMMAND", &flags.text["--entrypoint"],
               "Command in place of the image's entry point");
  if (create) {
    declare.text(OptionInfo{.names = "--mode",
                            .value_name = "MODE",
                            .help = "replicated or global",
                            .choices = {"replicated", "global"}},
                 &flags.text["--mode"]);
  } else {
    declare.text("--args", "COMMAND", &flags.text["--args"], "Arguments of the command");
  }
  for (const ListFlag& list : kLists) {
    if (used(list.use, create))
      declare.list(list.names, list.value, &flags.lists[long_name(list.names)], list.help);
  }
  for (const Flag& flag : kFlags) {
    if (used(flag.use, create))
      declare.flag(flag.names, &flags.flags[long_name(flag.names)], flag.help);
  }
}

Result<Json> new_service_spec(const ServiceFlags& flags,
                              const std::vector<std::string>& image_args) {
  Json spec = {{"Name", ""}, {"Labels", Json::object()}};
  const bool global = flags.value("--mode") == "global";
  spec["Mode"] =
      global ? Json{{"Global", Json::object()}} : Json{{"Replicated", {{"Replicas", 1}}}};
  Json& container = at(spec, "TaskTemplate.ContainerSpec");
  container["Image"] = image_args.front();
  if (image_args.size() > 1)
    container["Args"] = std::vector<std::string>(image_args.begin() + 1, image_args.end());
  if (const auto entry = flags.value("--entrypoint")) container["Command"] = shell_words(*entry);
  HIVE_TRY(apply_all(flags, spec));
  if (spec["Labels"].is_null()) spec["Labels"] = Json::object();
  hold_stops(spec);
  return spec;
}

Result<bool> edit_service_spec(const ServiceFlags& flags, Json& spec) {
  const Json before = spec;
  Json edited = spec;
  HIVE_TRY(apply_all(flags, edited));
  if (edited["Labels"].is_null() && !before.contains("Labels")) edited.erase("Labels");
  if (const auto args = flags.value("--args"))
    at(edited, HIVE_CONTAINER "Args") = shell_words(*args);
  if (const auto entry = flags.value("--entrypoint"))
    at(edited, HIVE_CONTAINER "Command") = shell_words(*entry);
  if (flags.flag("--force"))
    at(edited, "TaskTemplate.ForceUpdate") = json_int(before, "TaskTemplate.ForceUpdate") + 1;
  const bool changed = edited != before;
  spec = std::move(edited);
  return changed;
}

}  // namespace hive::cli
