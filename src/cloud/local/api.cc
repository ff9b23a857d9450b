#include "cloud/local/api.h"

#include <fmt/core.h>

namespace hive::cloud::local {
namespace {

template <typename Enum, int kLast>
Enum enum_from(const std::string& text) {
  for (int i = 0; i <= kLast; ++i)
    if (to_string(static_cast<Enum>(i)) == text) return static_cast<Enum>(i);
  return Enum{};
}

std::uint32_t number(const Json& json, const char* name, std::uint32_t fallback) {
  return static_cast<std::uint32_t>(json_int(json, name, fallback));
}

}  // namespace

Json to_json(const Instance& i) {
  return Json{{"id", i.id},
              {"hostname", i.hostname},
              {"role", i.role},
              {"address", i.address},
              {"state", std::string(to_string(i.state))},
              {"launched_unix_ms", i.launched_unix_ms},
              {"engine_host", i.engine_host}};
}

Instance instance_from(const Json& json) {
  Instance out;
  out.id = json_string(json, "id");
  out.hostname = json_string(json, "hostname");
  out.role = json_string(json, "role");
  out.address = json_string(json, "address");
  out.state = enum_from<InstanceState, 3>(json_string(json, "state"));
  out.launched_unix_ms = json_int(json, "launched_unix_ms");
  out.engine_host = json_string(json, "engine_host");
  return out;
}

Json to_json(const LaunchRequest& r) {
  return Json{{"role", r.role},
              {"hostname", r.hostname},
              {"user_data", r.user_data},
              {"standard_user_data", r.standard_user_data},
              {"idempotency_token", r.idempotency_token}};
}

LaunchRequest launch_from(const Json& json) {
  return LaunchRequest{.role = json_string(json, "role"),
                       .hostname = json_string(json, "hostname"),
                       .user_data = json_string(json, "user_data"),
                       .standard_user_data = json_bool(json, "standard_user_data"),
                       .idempotency_token = json_string(json, "idempotency_token")};
}

Json to_json(const SwarmPlace& place) {
  return Json{{"token", place.token}, {"managers", place.managers}};
}

SwarmPlace swarm_place_from(const Json& json) {
  SwarmPlace out;
  out.token = json_string(json, "token");
  if (const Json* managers = json_member(json, "managers");
      managers != nullptr && managers->is_array())
    for (const Json& one : *managers)
      if (one.is_string()) out.managers.push_back(one.get<std::string>());
  return out;
}

Json to_json(const BalancerSpec& spec) {
  Json listeners = Json::array();
  for (const auto& l : spec.listeners)
    listeners.push_back({{"port", l.port},
                         {"instance_port", l.instance_port},
                         {"mode", l.mode},
                         {"certificate_pem", l.certificate_pem},
                         {"send_proxy", l.send_proxy}});
  return Json{{"listeners", listeners},
              {"health_port", spec.health_port},
              {"health_path", spec.health_path},
              {"health_interval_ms", spec.health_interval_ms},
              {"healthy_threshold", spec.healthy_threshold},
              {"unhealthy_threshold", spec.unhealthy_threshold},
              {"draining_timeout_ms", spec.draining_timeout_ms},
              {"bind_address", spec.bind_address}};
}

BalancerSpec balancer_spec_from(const Json& json) {
  BalancerSpec out;
  if (const Json* listeners = json_member(json, "listeners"); listeners != nullptr)
    for (const auto& l : *listeners) {
      ListenerSpec one;
      one.port = static_cast<std::uint16_t>(json_int(l, "port"));
      one.instance_port = static_cast<std::uint16_t>(json_int(l, "instance_port"));
      one.mode = json_string(l, "mode", "http");
      one.certificate_pem = json_string(l, "certificate_pem");
      one.send_proxy = json_bool(l, "send_proxy");
      out.listeners.push_back(std::move(one));
    }
  out.health_port = static_cast<std::uint16_t>(json_int(json, "health_port"));
  out.health_path = json_string(json, "health_path", "/");
  out.health_interval_ms = number(json, "health_interval_ms", out.health_interval_ms);
  out.healthy_threshold = number(json, "healthy_threshold", out.healthy_threshold);
  out.unhealthy_threshold = number(json, "unhealthy_threshold", out.unhealthy_threshold);
  out.draining_timeout_ms = number(json, "draining_timeout_ms", out.draining_timeout_ms);
  out.bind_address = json_string(json, "bind_address", out.bind_address);
  return out;
}

Json to_json(const BalancerStatus& status) {
  Json targets = Json::array();
  for (const auto& t : status.targets)
    targets.push_back({{"instance_id", t.instance_id},
                       {"health", std::string(to_string(t.health))},
                       {"open_connections", t.open_connections},
                       {"reason", t.reason}});
  return Json{{"spec", to_json(status.spec)}, {"address", status.address}, {"targets", targets}};
}

BalancerStatus balancer_status_from(const Json& json) {
  BalancerStatus out;
  if (const Json* spec = json_member(json, "spec")) out.spec = balancer_spec_from(*spec);
  out.address = json_string(json, "address");
  if (const Json* targets = json_member(json, "targets"))
    for (const auto& t : *targets)
      out.targets.push_back({json_string(t, "instance_id"),
                             enum_from<TargetHealth, 3>(json_string(t, "health")),
                             number(t, "open_connections", 0), json_string(t, "reason")});
  return out;
}

Json to_json(const Error& error) {
  return Json{{"code", static_cast<int>(error.code)}, {"error", error.message}};
}

Error error_from(const std::string& body, int status) {
  const auto json = parse_json(body, "the cloud's answer");
  Error out;
  out.code = Errc::kUnavailable;
  out.message = fmt::format("the local cloud answered {}", status);
  if (!json) return out;
  const auto code = json_int(*json, "code", static_cast<int>(Errc::kUnavailable));
  if (code >= 0 && code <= static_cast<int>(Errc::kInternal)) out.code = static_cast<Errc>(code);
  out.message = json_string(*json, "error", out.message);
  return out;
}

}  // namespace hive::cloud::local
