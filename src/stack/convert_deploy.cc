#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <set>

#include "base/text.h"
#include "stack/convert_parts.h"

namespace hive::stack::parts {

namespace {

// "0.50" as billionths, exactly. The loader has checked the form; a rest is refused here too.
Result<std::int64_t> nano_cpus(const std::string& text) {
  if (text.empty()) return 0;
  const auto dot = text.find('.');
  std::string whole = text.substr(0, dot);
  std::string fraction = dot == std::string::npos ? "" : text.substr(dot + 1);
  const auto digits = [](const std::string& part) {
    return std::all_of(part.begin(), part.end(),
                       [](unsigned char c) { return std::isdigit(c) != 0; });
  };
  if (whole.empty()) whole = "0";
  if (!digits(whole) || !digits(fraction) || fraction.size() > 9 || whole.size() > 9) {
    return fail(Errc::kInvalidArgument,
                "cpus \"" + text + "\" is not a number with at most 9 decimals, as \"0.5\"");
  }
  fraction.resize(9, '0');
  return std::strtoll(whole.c_str(), nullptr, 10) * 1'000'000'000 +
         std::strtoll(fraction.c_str(), nullptr, 10);
}

// The shortest decimal that is this float, as Go writes it.
double widen(float value) { return std::strtod(fmt::format("{}", value).c_str(), nullptr); }

std::string normalize_capability(std::string_view text) {
  std::string name(trim(text));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (name == "ALL" || name == "RESET" || name.starts_with("CAP_")) return name;
  return "CAP_" + name;
}

std::set<std::string> capability_set(const std::vector<std::string>& names) {
  std::set<std::string> result;
  for (const auto& name : names) result.insert(normalize_capability(name));
  if (result.contains("ALL")) return {"ALL"};
  result.erase("RESET");
  return result;
}

}  // namespace

std::pair<Json, Json> capabilities(const config::Service& service) {
  const auto add = capability_set(service.cap_add);
  auto drop = capability_set(service.cap_drop);
  for (const auto& name : add) drop.erase(name);
  return {Json(add), Json(drop)};
}

Result<Json> resources(const config::Deploy& deploy) {
  Json result = Json::object();
  if (deploy.limits) {
    HIVE_ASSIGN(const std::int64_t cpus, nano_cpus(deploy.limits->cpus));
    result["Limits"] = {{"NanoCPUs", cpus},
                        {"MemoryBytes", deploy.limits->memory_bytes},
                        {"Pids", deploy.limits->pids}};
  }
  if (deploy.reservations) {
    HIVE_ASSIGN(const std::int64_t cpus, nano_cpus(deploy.reservations->cpus));
    Json reservations = {{"NanoCPUs", cpus}, {"MemoryBytes", deploy.reservations->memory_bytes}};
    for (const auto& generic : deploy.reservations->generic_resources) {
      reservations["GenericResources"].push_back(
          {{"DiscreteResourceSpec", {{"Kind", generic.kind}, {"Value", generic.value}}}});
    }
    result["Reservations"] = std::move(reservations);
  }
  return result;
}

Json restart_policy(const config::RestartPolicy& policy) {
  Json result = Json::object();
  if (!policy.condition.empty()) result["Condition"] = policy.condition;
  if (policy.delay) result["Delay"] = policy.delay->count();
  if (policy.max_attempts) result["MaxAttempts"] = *policy.max_attempts;
  if (policy.window) result["Window"] = policy.window->count();
  return result;
}

Result<Json> restart_policy(const std::string& restart) {
  const auto colon = restart.find(':');
  const std::string word = restart.substr(0, colon);
  std::uint64_t attempts = 0;
  if (colon != std::string::npos) {
    const std::string count = restart.substr(colon + 1);
    if (count.empty() || count.size() > 9 ||
        !std::all_of(count.begin(), count.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; })) {
      return fail(Errc::kInvalidArgument,
                  "restart \"" + restart + "\": the number of attempts is not a number");
    }
    attempts = std::strtoull(count.c_str(), nullptr, 10);
  }
  if (word.empty() || word == "no") return Json(nullptr);
  if (word == "always" || word == "unless-stopped") return Json{{"Condition", "any"}};
  if (word == "on-failure") return Json{{"Condition", word}, {"MaxAttempts", attempts}};
  return fail(Errc::kInvalidArgument,
              "restart \"" + restart + "\" is not one of no, always, on-failure, unless-stopped");
}

Json update_config(const config::UpdateConfig& update) {
  Json result = {{"Parallelism", update.parallelism.value_or(1)},
                 {"Delay", update.delay.count()},
                 {"Monitor", update.monitor.count()},
                 {"MaxFailureRatio", widen(update.max_failure_ratio)}};
  if (!update.failure_action.empty()) result["FailureAction"] = update.failure_action;
  if (!update.order.empty()) result["Order"] = update.order;
  return result;
}

Result<Json> healthcheck(const config::Healthcheck& check) {
  if (check.disable) {
    if (!check.test.empty()) {
      return fail(Errc::kInvalidArgument,
                  "healthcheck has both test and disable; remove one of them");
    }
    return Json{{"Test", {"NONE"}}};
  }
  Json result = Json::object();
  if (!check.test.empty()) result["Test"] = check.test;
  if (check.timeout) result["Timeout"] = check.timeout->count();
  if (check.interval) result["Interval"] = check.interval->count();
  if (check.start_period) result["StartPeriod"] = check.start_period->count();
  if (check.retries) result["Retries"] = *check.retries;
  return result;
}

Json endpoint(const config::Service& service) {
  auto ports = service.ports;
  std::stable_sort(ports.begin(), ports.end(),
                   [](const auto& a, const auto& b) { return a.published < b.published; });
  Json list = Json::array();
  for (const auto& port : ports) {
    Json entry = {{"TargetPort", port.target}};
    if (!port.protocol.empty()) entry["Protocol"] = port.protocol;
    if (port.published != 0) entry["PublishedPort"] = port.published;
    if (!port.mode.empty()) entry["PublishMode"] = port.mode;
    list.push_back(std::move(entry));
  }
  Json result = Json::object();
  std::string mode = service.deploy.endpoint_mode;
  std::transform(mode.begin(), mode.end(), mode.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!mode.empty()) result["Mode"] = mode;
  if (!list.empty()) result["Ports"] = std::move(list);
  return result;
}

}  // namespace hive::stack::parts
