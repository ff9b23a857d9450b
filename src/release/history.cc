#include "release/history.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "model/autoscale.h"

namespace hive::release {
namespace {

constexpr std::string_view kNamePrefix = "hive.releases.";
constexpr std::string_view kReleaseLabel = "hive.release.";  // and its number
constexpr const char* kNextLabel = "hive.next";

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Outcome outcome_from(std::string_view word) {
  for (const auto outcome : {Outcome::kSucceeded, Outcome::kUndone, Outcome::kFound})
    if (to_string(outcome) == word) return outcome;
  return Outcome::kRunning;
}

std::uint64_t number_from(std::string_view text) {
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

Json kept_json(const Release& release) {
  return {{"image", release.image},
          {"spec", release.spec},
          {"begun", release.begun_unix_ms},
          {"ended", release.ended_unix_ms},
          {"by", release.by},
          {"why", release.why},
          {"operation", release.operation},
          {"outcome", to_string(release.outcome)},
          {"reason", release.reason}};
}

Release from_kept(const Json& kept, std::uint64_t number) {
  Release out;
  out.number = number;
  out.image = json_string(kept, "image");
  if (const Json* spec = json_member(kept, "spec")) out.spec = *spec;
  out.begun_unix_ms = json_int(kept, "begun");
  out.ended_unix_ms = json_int(kept, "ended");
  out.by = json_string(kept, "by");
  out.why = json_string(kept, "why");
  out.operation = json_string(kept, "operation");
  out.outcome = outcome_from(json_string(kept, "outcome"));
  out.reason = json_string(kept, "reason");
  return out;
}

bool hives_own(const std::string& label) {
  return label == "hive.rollout" || label == model::kAutoscalePausedLabel;
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kRunning:
      return "running";
    case Outcome::kSucceeded:
      return "succeeded";
    case Outcome::kUndone:
      return "undone";
    case Outcome::kFound:
      return "found";
  }
  return "";
}

Json essence(const Json& spec) {
  Json out = spec;
  if (!out.is_object()) return out;
  if (out.contains("Mode") && out["Mode"].is_object() && out["Mode"].contains("Replicated"))
    out["Mode"]["Replicated"] = Json::object();
  // How an update goes is no part of what it leads to.
  out.erase("UpdateConfig");
  out.erase("RollbackConfig");
  if (out.contains("Labels") && out["Labels"].is_object()) {
    Json kept = Json::object();
    for (const auto& [name, value] : out["Labels"].items())
      if (!hives_own(name)) kept[name] = value;
    out["Labels"] = std::move(kept);
  }
  return out;
}

bool good(const Release& release) {
  return release.outcome == Outcome::kSucceeded || release.outcome == Outcome::kFound;
}

const Release* find(const Releases& releases, std::uint64_t number) {
  for (const auto& release : releases.list)
    if (release.number == number) return &release;
  return nullptr;
}

const Release* current(const Releases& releases) {
  for (auto it = releases.list.rbegin(); it != releases.list.rend(); ++it)
    if (good(*it)) return &*it;
  return nullptr;
}

const Release* previous(const Releases& releases) {
  const Release* now = current(releases);
  if (now == nullptr) return nullptr;
  const Json of_now = essence(now->spec);
  for (auto it = releases.list.rbegin(); it != releases.list.rend(); ++it)
    if (it->number < now->number && good(*it) && essence(it->spec) != of_now) return &*it;
  return nullptr;
}

std::uint64_t note_found(Releases& releases, const Json& spec, std::int64_t now_unix_ms) {
  if (const Release* known = current(releases);
      known != nullptr && essence(known->spec) == essence(spec))
    return known->number;
  Release found;
  found.number = releases.next++;
  found.image = json_string(spec, "TaskTemplate.ContainerSpec.Image");
  found.spec = spec;
  found.begun_unix_ms = found.ended_unix_ms = now_unix_ms;
  found.why = "it was there: created or changed by other means than a rollout";
  found.outcome = Outcome::kFound;
  const auto number = found.number;
  releases.list.push_back(std::move(found));
  trim(releases);
  return number;
}

std::uint64_t begin(Releases& releases, Release release) {
  for (const auto& known : releases.list)
    if (!release.operation.empty() && known.operation == release.operation) return known.number;
  release.number = releases.next++;
  release.outcome = Outcome::kRunning;
  if (release.image.empty())
    release.image = json_string(release.spec, "TaskTemplate.ContainerSpec.Image");
  const auto number = release.number;
  releases.list.push_back(std::move(release));
  trim(releases);
  return number;
}

void end(Releases& releases, const std::string& operation, Outcome outcome,
         const std::string& reason, std::int64_t now_unix_ms) {
  for (auto& release : releases.list) {
    if (release.operation != operation || release.outcome != Outcome::kRunning) continue;
    release.outcome = outcome;
    release.reason = reason;
    release.ended_unix_ms = now_unix_ms;
  }
}

void trim(Releases& releases) {
  const auto bytes = [&] {
    std::size_t sum = 0;
    for (const auto& release : releases.list) sum += dump(release.spec).size();
    return sum;
  };
  while (releases.list.size() > 2 && (releases.list.size() > kMaxReleases || bytes() > kMaxBytes)) {
    const Release* keep = current(releases);
    const auto oldest =
        std::find_if(releases.list.begin(), releases.list.end(), [&](const Release& release) {
          return &release != keep && release.outcome != Outcome::kRunning;
        });
    if (oldest == releases.list.end()) return;
    releases.list.erase(oldest);
  }
}

Result<Json> spec_of(const Release& release, const Json& spec_now) {
  Json out = release.spec;
  const bool was_global = json_path(out, "Mode.Global") != nullptr;
  const bool is_global = json_path(spec_now, "Mode.Global") != nullptr;
  if (was_global != is_global)
    return fail(Errc::kUnsupported,
                "release " + std::to_string(release.number) + " is of a " +
                    (was_global ? "global" : "replicated") +
                    " service, and Swarm cannot change a service's mode; create it anew");
  if (const Json* mode = json_member(spec_now, "Mode")) out["Mode"] = *mode;
  return out;
}

std::string config_name(const std::string& service_id) {
  return std::string(kNamePrefix) + service_id;
}

Json config_spec(const Releases& releases) {
  Json labels{{kNextLabel, std::to_string(releases.next)}};
  for (const auto& release : releases.list)
    labels[std::string(kReleaseLabel) + std::to_string(release.number)] = dump(kept_json(release));
  const Json data{{"service_id", releases.service_id}, {"service_name", releases.service_name}};
  return {{"Name", config_name(releases.service_id)},
          {"Labels", std::move(labels)},
          {"Data", base64_encode(dump(data))}};
}

Result<Releases> from_config(const Json& config) {
  const std::string name = json_string(config, "Spec.Name");
  if (!name.starts_with(kNamePrefix))
    return fail(Errc::kCorrupt, "config " + name + " holds no releases");
  Releases out;
  out.service_id = name.substr(kNamePrefix.size());
  HIVE_ASSIGN(const std::string text, base64_decode(json_string(config, "Spec.Data")));
  HIVE_ASSIGN(const Json data, parse_json(text, "config " + name));
  out.service_name = json_string(data, "service_name");
  out.config_id = json_string(config, "ID");
  out.version = static_cast<std::uint64_t>(json_int(config, "Version.Index"));
  const Json* labels = json_path(config, "Spec.Labels");
  if (labels == nullptr || !labels->is_object()) return out;
  for (const auto& [label, value] : labels->items()) {
    if (!value.is_string()) continue;
    if (label == kNextLabel) out.next = number_from(value.get_ref<const std::string&>());
    if (!label.starts_with(kReleaseLabel)) continue;
    const auto number = number_from(std::string_view(label).substr(kReleaseLabel.size()));
    const auto kept = parse_json(value.get_ref<const std::string&>(), label);
    if (kept && number > 0) out.list.push_back(from_kept(*kept, number));
  }
  std::sort(out.list.begin(), out.list.end(),
            [](const Release& a, const Release& b) { return a.number < b.number; });
  if (!out.list.empty()) out.next = std::max(out.next, out.list.back().number + 1);
  return out;
}

Json release_json(const Release& release, bool is_current) {
  return {{"number", release.number},
          {"image", release.image},
          {"begun_unix_ms", release.begun_unix_ms},
          {"ended_unix_ms", release.ended_unix_ms},
          {"by", release.by},
          {"why", release.why},
          {"operation", release.operation},
          {"outcome", to_string(release.outcome)},
          {"reason", release.reason},
          {"current", is_current}};
}

}  // namespace hive::release
