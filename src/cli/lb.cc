// hive lb: the cloud's balancer.
#include <memory>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/listing.h"
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

int list(Context& context, const ListOptions& options) {
  const auto name = pick_cluster(context.globals);
  if (!name) return context.fail(name.error());
  const auto cloud = cloud::local::connect(*name);
  const auto status = cloud->balancer();
  if (!status) return context.fail(status.error());
  const auto instances = cloud->list_instances();
  if (!instances) return context.fail(instances.error());
  std::vector<Row> targets;
  for (const auto& target : status->targets) {
    std::string hostname = target.instance_id;
    for (const auto& instance : *instances) {
      if (instance.id == target.instance_id) hostname = instance.hostname;
    }
    const std::string health(cloud::to_string(target.health));
    targets.push_back({target.instance_id,
                       {target.instance_id, hostname, health,
                        std::to_string(target.open_connections), target.reason},
                       {{"instance", target.instance_id},
                        {"hostname", hostname},
                        {"health", health},
                        {"open_connections", target.open_connections},
                        {"reason", target.reason}}});
  }
  if (options.format == "json") {
    Json all = {
        {"address", status->address}, {"listeners", Json::array()}, {"targets", Json::array()}};
    for (const auto& listener : status->spec.listeners)
      all["listeners"].push_back(listener_json(listener));
    for (const auto& target : targets) all["targets"].push_back(target.json);
    context.line(all.dump(2));
    return kExitOk;
  }
  if (!options.quiet) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& listener : status->spec.listeners)
      rows.push_back(
          {std::to_string(listener.port), std::to_string(listener.instance_port), listener.mode});
    context.print(format_table({"LISTENER", "INSTANCE PORT", "MODE"}, rows));
    context.line("");
  }
  return print_listing(context, options,
                       {"INSTANCE", "HOSTNAME", "HEALTH", "CONNECTIONS", "REASON"}, targets);
}

}  // namespace

Command lb_command() {
  Command ls{.name = "ls",
             .summary = "Listeners, and the health of the instances behind them",
             .declare = [](Declare& declare) -> Action {
               auto options = std::make_shared<ListOptions>();
               declare_list(declare, *options, false);
               return [options](Context& context) { return list(context, *options); };
             },
             .aliases = {"list"}};
  return {.name = "lb", .summary = "The load balancer", .children = {std::move(ls)}};
}

}  // namespace hive::cli
