#include "controller/rollout_spec.h"

#include <fmt/core.h>

#include <algorithm>

#include "controller/routing.h"
#include "engine/engine.h"
#include "model/autoscale.h"
#include "release/history.h"

namespace hive::controller {
namespace {

using std::chrono::duration_cast;

std::int64_t ms_of(std::chrono::nanoseconds time) {
  return duration_cast<Milliseconds>(time).count();
}

bool has_fixed_host_port(const Json& spec) {
  const Json* ports = json_path(spec, "EndpointSpec.Ports");
  if (ports == nullptr || !ports->is_array()) return false;
  return std::any_of(ports->begin(), ports->end(), [](const Json& port) {
    return json_string(port, "PublishMode") == "host" && json_int(port, "PublishedPort") != 0;
  });
}

double number_at(const Json& json, const char* name, double fallback) {
  const Json* value = json_member(json, name);
  return value != nullptr && value->is_number() ? value->get<double>() : fallback;
}

void set_mark(Json& spec, const std::string& mark) {
  if (!spec["Labels"].is_object()) spec["Labels"] = Json::object();
  spec["Labels"][kRolloutLabel] = mark;
}

Json& object_at(Json& parent, const char* name) {
  Json& child = parent[name];
  if (!child.is_object()) child = Json::object();
  return child;
}

// Whether its autoscaling is paused is no part of a version.
void keep_pause(const Json& spec_now, Json& out) {
  const Json* now = json_member(spec_now, "Labels");
  const Json* paused = now == nullptr ? nullptr : json_member(*now, model::kAutoscalePausedLabel);
  if (paused != nullptr)
    object_at(out, "Labels")[model::kAutoscalePausedLabel] = *paused;
  else if (out.contains("Labels") && out["Labels"].is_object())
    out["Labels"].erase(model::kAutoscalePausedLabel);
}

// The number that an update sets is its person's.
void pause_for_number(Json& out) {
  Json& labels = object_at(out, "Labels");
  const Json* hive = json_member(labels, kHiveLabel);
  if (hive == nullptr || !hive->is_string()) return;
  const auto policy = parse_json(hive->get<std::string>(), kHiveLabel);
  if (!policy || json_member(*policy, "autoscale") == nullptr ||
      json_bool(*policy, "autoscale.dry_run") || labels.contains(model::kAutoscalePausedLabel))
    return;
  labels[model::kAutoscalePausedLabel] = "its replicas were set by an update of the service";
}

void copy_member(const Json& from, const char* name, Json& to) {
  if (const Json* value = json_member(from, name))
    to[name] = *value;
  else
    to.erase(name);
}

std::string update_order(const Json& spec) {
  std::string said = json_string(spec, "UpdateConfig.Order");
  if (!said.empty()) return said;
  return global(spec) || has_fixed_host_port(spec) ? "stop-first" : "start-first";
}

// The label without what is not for a canary.
std::string without_autoscale(const std::string& label) {
  auto json = parse_json(label, kHiveLabel);
  if (!json || !json->is_object()) return label;
  json->erase("autoscale");
  return json->dump();
}

}  // namespace

std::string rollout_mark(const std::string& operation, Way way, std::int64_t write) {
  const char* letter = way == Way::kForward ? "f" : way == Way::kBack ? "b" : "d";
  return operation + "." + letter + std::to_string(write);
}

RolloutRequest rollout_request(const Json& json) {
  RolloutRequest out;
  out.service_id = json_string(json, "service");
  out.service_name = json_string(json, "name");
  if (const Json* spec = json_member(json, "spec")) out.spec = *spec;
  out.base = json_string(json, "base");
  out.replicas = json_bool(json, "replicas");
  out.resolve = json_bool(json, "resolve");
  out.why = json_string(json, "why");
  out.auth_key = json_string(json, "auth_key");
  out.canary_ms = json_int(json, "canary_ms");
  out.canary_weight =
      static_cast<std::uint32_t>(json_int(json, "canary_weight", out.canary_weight));
  out.canary_replicas = static_cast<std::uint64_t>(json_int(json, "canary_replicas", 1));
  out.start_timeout_ms = json_int(json, "start_timeout_ms", out.start_timeout_ms);
  out.max_error_rate = number_at(json, "max_error_rate", out.max_error_rate);
  out.max_latency_factor = number_at(json, "max_latency_factor", out.max_latency_factor);
  return out;
}

Json rollout_json(const RolloutRequest& request) {
  return {{"service", request.service_id},
          {"name", request.service_name},
          {"spec", request.spec},
          {"base", request.base},
          {"replicas", request.replicas},
          {"resolve", request.resolve},
          {"why", request.why},
          {"auth_key", request.auth_key},
          {"canary_ms", request.canary_ms},
          {"canary_weight", request.canary_weight},
          {"canary_replicas", request.canary_replicas},
          {"start_timeout_ms", request.start_timeout_ms},
          {"max_error_rate", request.max_error_rate},
          {"max_latency_factor", request.max_latency_factor}};
}

void apply_defaults(const config::Rollout& rollout, const Json& asked, RolloutRequest& request) {
  const auto silent = [&](const char* name) { return json_member(asked, name) == nullptr; };
  // A canary is a second instance: a stop-first service has never two, a global one no place for
  // it.
  if (silent("canary_ms") && rollout.canary && !stop_first(request.spec) && !global(request.spec))
    request.canary_ms = ms_of(*rollout.canary);
  if (silent("canary_weight")) request.canary_weight = rollout.canary_weight;
  if (silent("canary_replicas")) request.canary_replicas = rollout.canary_replicas;
  if (silent("start_timeout_ms") && rollout.start_timeout)
    request.start_timeout_ms = ms_of(*rollout.start_timeout);
  if (silent("max_error_rate") && rollout.max_error_rate)
    request.max_error_rate = *rollout.max_error_rate;
  if (silent("max_latency_factor") && rollout.max_latency_factor)
    request.max_latency_factor = *rollout.max_latency_factor;
}

decide::rollout::Policy rollout_policy(const RolloutRequest& request) {
  constexpr std::int64_t kNanoseconds = 1'000'000;
  decide::rollout::Policy out;
  out.tolerance.max_error_rate = request.max_error_rate;
  out.tolerance.max_latency_factor = request.max_latency_factor;
  out.canary_ms = request.canary_ms;
  const auto monitor = json_int(request.spec, "UpdateConfig.Monitor") / kNanoseconds;
  if (monitor > 0) out.monitor_ms = monitor;
  // Between two tasks the updater waits, and stop-first waits for the old one's end.
  out.start_deadline_ms =
      request.start_timeout_ms + json_int(request.spec, "UpdateConfig.Delay") / kNanoseconds;
  if (update_order(request.spec) == "stop-first")
    out.start_deadline_ms +=
        json_int(request.spec, "TaskTemplate.ContainerSpec.StopGracePeriod") / kNanoseconds;
  return out;
}

std::string base_digest(const Json& spec) {
  return fmt::format("{:016x}", engine::digest(release::essence(spec)));
}

bool stop_first(const Json& spec) {
  return json_string(spec, "UpdateConfig.Order") == "stop-first";
}

bool global(const Json& spec) { return json_path(spec, "Mode.Global") != nullptr; }

Json forward_spec(const RolloutRequest& request, const Json& spec_now, const std::string& mark) {
  Json out = request.spec;
  if (!request.replicas) copy_member(spec_now, "Mode", out);
  keep_pause(spec_now, out);
  if (request.replicas) pause_for_number(out);
  const std::string order = update_order(out);
  Json& update = object_at(out, "UpdateConfig");
  // Without a number the engine takes all tasks at once; docker's own default is one.
  if (!update.contains("Parallelism")) update["Parallelism"] = 1;
  update["Order"] = order;
  update["FailureAction"] = "pause";
  set_mark(out, mark);
  return out;
}

Json back_spec(const RolloutRequest& request, const Json& good, const Json& spec_now,
               const std::string& mark) {
  Json out = good;
  const bool scaled = !request.replicas || json_member(spec_now, "Mode") == nullptr ||
                      json_member(request.spec, "Mode") == nullptr ||
                      *json_member(spec_now, "Mode") != *json_member(request.spec, "Mode");
  if (scaled) copy_member(spec_now, "Mode", out);
  keep_pause(spec_now, out);
  const std::string order = update_order(request.spec);
  const Json* rollback = json_member(good, "RollbackConfig");
  Json update =
      rollback != nullptr && rollback->is_object() ? *rollback : object_at(out, "UpdateConfig");
  if (!update.contains("Parallelism")) update["Parallelism"] = 1;
  if (json_string(update, "Order").empty() || rollback == nullptr) update["Order"] = order;
  update["FailureAction"] = "continue";
  out["UpdateConfig"] = std::move(update);
  set_mark(out, mark);
  return out;
}

Json settled_spec(const Json& wanted, const Json& spec_now, const std::string& mark) {
  Json out = spec_now;
  copy_member(wanted, "UpdateConfig", out);
  set_mark(out, mark);
  return out;
}

bool needs_settling(const Json& wanted, const Json& written) {
  const auto said = [](const Json& spec, const char* path, const char* fallback) {
    return json_string(spec, path, fallback);
  };
  return said(wanted, "UpdateConfig.Order", "stop-first") !=
             said(written, "UpdateConfig.Order", "stop-first") ||
         said(wanted, "UpdateConfig.FailureAction", "pause") !=
             said(written, "UpdateConfig.FailureAction", "pause") ||
         json_int(wanted, "UpdateConfig.Parallelism", 1) !=
             json_int(written, "UpdateConfig.Parallelism", 1) ||
         json_int(wanted, "UpdateConfig.Delay") != json_int(written, "UpdateConfig.Delay");
}

std::string canary_name(const std::string& service_name) {
  constexpr std::size_t kLongest = 63;  // of a service's name in Swarm
  constexpr const char* kCanarySuffix = "-canary";
  std::string base = service_name.substr(0, kLongest - std::string_view(kCanarySuffix).size());
  while (!base.empty() && (base.back() == '-' || base.back() == '_')) base.pop_back();
  return base + kCanarySuffix;
}

Json canary_spec(const RolloutRequest& request, const std::string& operation) {
  Json out = request.spec;
  out["Name"] = canary_name(request.service_name);
  out["Mode"] = {{"Replicated", {{"Replicas", request.canary_replicas}}}};
  Json& labels = object_at(out, "Labels");
  labels.erase("com.docker.stack.namespace");
  labels.erase("com.docker.stack.image");
  if (labels.contains(kHiveLabel) && labels[kHiveLabel].is_string())
    labels[kHiveLabel] = without_autoscale(labels[kHiveLabel].get<std::string>());
  labels[kCanaryOfLabel] = request.service_id;
  labels[kCanaryPercentLabel] = std::to_string(request.canary_weight);
  labels[kRolloutLabel] = rollout_mark(operation, Way::kForward, 1);
  if (json_path(out, "EndpointSpec.Ports") != nullptr) {
    Json kept = Json::array();
    for (const Json& port : out["EndpointSpec"]["Ports"])
      if (json_string(port, "PublishMode") == "host") kept.push_back(port);
    out["EndpointSpec"]["Ports"] = std::move(kept);
  }
  return out;
}

}  // namespace hive::controller
