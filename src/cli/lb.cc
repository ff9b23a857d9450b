// hive lb: the cloud's balancer.
#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/controller_api.h"
#include "cli/listing.h"
#include "cli/look.h"
#include "cli/reach.h"
#include "cloud/local/local.h"

namespace hive::cli {
namespace {

Json listener_json(const cloud::ListenerSpec& listener) {
  return {{"port", listener.port},
          {"instance_port", listener.instance_port},
          {"mode", listener.mode},
          {"certificate", listener.certificate_pem}};
}

// What the edges of all nodes sent to each task, as the leader's controller sums it up; empty, with
// a note, when none answers.
std::vector<Row> task_figures(Context& context) {
  std::vector<Row> rows;
  auto engine = context.engine();
  const auto addresses = engine ? manager_addresses(**engine)
                                : Result<std::vector<std::string>>(tl::unexpected(engine.error()));
  const auto look = engine ? look_at(**engine) : Result<Look>(tl::unexpected(engine.error()));
  const auto view = addresses ? ask_controller(*addresses, "/v1/snapshot")
                              : Result<Json>(tl::unexpected(addresses.error()));
  if (!view || !look) {
    context.note("hive: no figures of tasks: " +
                 (view ? look.error().message : view.error().message));
    return rows;
  }
  const Json* stats = json_member(*view, "stats");
  if (stats == nullptr || !stats->is_object()) return rows;
  for (const auto& task : look->tasks) {
    const Json* figures = json_member(*stats, task.id);
    if (figures == nullptr) continue;
    const auto node = look->nodes.find(task.node_id);
    const std::string hostname = node == look->nodes.end() ? "" : node->second.hostname;
    const std::string name = task_name(*look, task);
    const auto number = [figures](const char* key) { return json_int(*figures, key); };
    const auto errors = number("errors_5xx_total") + number("connection_errors_total");
    rows.push_back(
        {task.id,
         {name, hostname, std::to_string(number("requests_total")), std::to_string(number("rate")),
          std::to_string(number("in_flight")), std::to_string(number("queued")),
          std::to_string(errors), std::to_string(number("response_time_ms")) + "ms"},
         {{"id", task.id},
          {"name", name},
          {"node", hostname},
          {"requests", number("requests_total")},
          {"rate", number("rate")},
          {"in_flight", number("in_flight")},
          {"queued", number("queued")},
          {"errors_5xx", number("errors_5xx_total")},
          {"connection_errors", number("connection_errors_total")},
          {"response_time_ms", number("response_time_ms")}}});
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.cells.front() < b.cells.front(); });
  return rows;
}

Result<Json> look_at_local(const std::string& cluster) {
  const auto cloud = cloud::local::connect(cluster);
  HIVE_ASSIGN(const auto status, cloud->balancer());
  HIVE_ASSIGN(const auto instances, cloud->list_instances());
  Json out = {
      {"address", status.address}, {"listeners", Json::array()}, {"targets", Json::array()}};
  for (const auto& listener : status.spec.listeners)
    out["listeners"].push_back(listener_json(listener));
  for (const auto& target : status.targets) {
    std::string hostname = target.instance_id;
    for (const auto& instance : instances)
      if (instance.id == target.instance_id) hostname = instance.hostname;
    out["targets"].push_back({{"instance", target.instance_id},
                              {"hostname", hostname},
                              {"health", std::string(cloud::to_string(target.health))},
                              {"open_connections", target.open_connections},
                              {"reason", target.reason}});
  }
  return out;
}

// As the controllers know it, which ask their cloud: so it is on AWS.
Result<Json> ask_controllers(Context& context) {
  HIVE_ASSIGN(const auto engine, context.engine());
  HIVE_ASSIGN(const auto addresses, manager_addresses(*engine));
  HIVE_ASSIGN(auto balancer, ask_controller(addresses, "/v1/balancer"));
  if (!json_bool(balancer, "known"))
    return fail(Errc::kUnavailable,
                "the cloud does not tell the controllers of a balancer: it does not answer, or the "
                "cluster has none");
  balancer.erase("known");
  return balancer;
}

Result<Json> look_at_balancer(Context& context) {
  const auto cluster = pick_cluster(context.globals);
  if (cluster && context.globals.host.empty()) return look_at_local(*cluster);
  if (!context.globals.cluster.empty() && !cluster) return tl::unexpected(cluster.error());
  return ask_controllers(context);
}

const Json& array_in(const Json& json, const char* name) {
  static const Json kNone = Json::array();
  const Json* found = json_member(json, name);
  return found != nullptr && found->is_array() ? *found : kNone;
}

int list_balancer(Context& context, const ListOptions& options) {
  auto balancer = look_at_balancer(context);
  if (!balancer) return context.fail(balancer.error());
  std::vector<Row> targets;
  for (const auto& target : array_in(*balancer, "targets"))
    targets.push_back(
        {json_string(target, "instance"),
         {json_string(target, "instance"), json_string(target, "hostname"),
          json_string(target, "health"), std::to_string(json_int(target, "open_connections")),
          json_string(target, "reason")},
         target});
  if (options.quiet) return print_listing(context, options, {}, targets);
  const auto tasks = task_figures(context);
  if (options.format == "json") {
    (*balancer)["tasks"] = Json::array();
    for (const auto& task : tasks) (*balancer)["tasks"].push_back(task.json);
    context.line(balancer->dump(2));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> listeners;
  for (const auto& listener : array_in(*balancer, "listeners"))
    listeners.push_back({std::to_string(json_int(listener, "port")),
                         std::to_string(json_int(listener, "instance_port")),
                         json_string(listener, "mode")});
  context.print(format_table({"LISTENER", "INSTANCE PORT", "MODE"}, listeners));
  context.line("");
  print_rows(context, {"INSTANCE", "HOSTNAME", "HEALTH", "CONNECTIONS", "REASON"}, targets);
  context.line("");
  print_rows(
      context,
      {"TASK", "NODE", "REQUESTS", "PER SECOND", "IN FLIGHT", "QUEUED", "ERRORS", "RESPONSE TIME"},
      tasks);
  return kExitOk;
}

}  // namespace

Command lb_command() {
  Command ls{
      .name = "ls",
      .summary = "Listeners, the health of the instances behind them, the figures of each task",
      .declare = [](Declare& declare) -> Action {
        auto options = std::make_shared<ListOptions>();
        declare_list(declare, *options, false);
        return [options](Context& context) { return list_balancer(context, *options); };
      },
      .aliases = {"list"}};
  return {.name = "lb", .summary = "The load balancer", .children = {std::move(ls)}};
}

}  // namespace hive::cli
