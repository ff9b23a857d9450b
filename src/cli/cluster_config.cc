#include "cli/cluster_config.h"

#include "base/base64.h"

namespace hive::cli {
namespace {

std::int64_t ms(config::Nanoseconds time) {
  return std::chrono::duration_cast<Milliseconds>(time).count();
}

}  // namespace

Json cluster_config_of(const config::Spec& spec) {
  const auto& cluster = spec.cluster;
  Json listeners = Json::array();
  for (const auto& listener : cluster.listeners)
    listeners.push_back({{"listen", listener.listen},
                         {"instance", listener.instance},
                         {"mode", listener.mode},
                         {"certificate", listener.certificate},
                         {"proxy", listener.proxy}});
  const auto whole = parse_json(cluster.json.empty() ? "{}" : cluster.json, "x-hive");
  return {{"name", cluster.name},
          {"cloud", cluster.cloud},
          {"managers", cluster.managers},
          {"workers",
           {{"min", cluster.workers.min},
            {"max", cluster.workers.max},
            {"scale_in_after_ms", ms(cluster.workers.scale_in_after)},
            {"join_timeout_ms", ms(cluster.workers.join_timeout)}}},
          {"dashboard_port", cluster.dashboard_port},
          {"listeners", listeners},
          {"x_hive", whole ? *whole : Json::object()}};
}

Result<bool> write_cluster_config(engine::Engine& engine, const config::Spec& spec) {
  const std::string data = base64_encode(cluster_config_of(spec).dump());
  HIVE_ASSIGN(const auto all, engine.list_configs({{"name", {kClusterConfig}}}));
  for (const auto& config : all) {
    if (json_string(config, "Spec.Name") != kClusterConfig) continue;
    if (json_string(config, "Spec.Data") == data) return false;
    // A config's data cannot be changed in place.
    HIVE_TRY(engine.remove_config(json_string(config, "ID")));
  }
  HIVE_TRY(engine.create_config({{"Name", kClusterConfig},
                                 {"Labels", {{"hive.cluster", spec.cluster.name}}},
                                 {"Data", data}}));
  return true;
}

}  // namespace hive::cli
