// hive status: the cluster in one screen.
#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/listing.h"
#include "cli/look.h"
#include "cli/reach.h"
#include "cli/record.h"
#include "cli/service_table.h"
#include "cloud/local/local.h"

namespace hive::cli {
namespace {

struct Counts {
  int managers = 0;
  int managers_ready = 0;
  int workers = 0;
  int workers_ready = 0;
  std::string leader;
};

Counts count_nodes(const std::vector<model::Node>& nodes) {
  Counts counts;
  for (const auto& node : nodes) {
    const bool ready = node.state == model::NodeState::kReady;
    const bool manager = node.role == model::Role::kManager;
    (manager ? counts.managers : counts.workers) += 1;
    (manager ? counts.managers_ready : counts.workers_ready) += ready ? 1 : 0;
    if (node.leader) counts.leader = node.hostname;
  }
  return counts;
}

Json balancer_json(const std::string& cluster) {
  const auto status = cloud::local::connect(cluster)->balancer();
  if (!status) return {{"error", status.error().message}};
  Json ports = Json::array();
  for (const auto& listener : status->spec.listeners) ports.push_back(listener.port);
  const auto healthy =
      std::count_if(status->targets.begin(), status->targets.end(),
                    [](const auto& t) { return t.health == cloud::TargetHealth::kInService; });
  return {{"address", status->address},
          {"listeners", ports},
          {"targets", status->targets.size()},
          {"in_service", healthy}};
}

void print_balancer(Context& context, const Json& balancer) {
  if (const auto fault = json_string(balancer, "error"); !fault.empty()) {
    context.line("balancer:  does not answer: " + fault);
    return;
  }
  std::string ports;
  for (const auto& port : balancer["listeners"]) ports += (ports.empty() ? "" : ", ") + port.dump();
  context.line("balancer:  " + json_string(balancer, "address") + ", ports " + ports + "; " +
               std::to_string(json_int(balancer, "in_service")) + " of " +
               std::to_string(json_int(balancer, "targets")) + " nodes in service");
}

int print_status(Context& context, const std::optional<std::string>& format) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  const auto nodes = (*engine)->list_nodes();
  if (!nodes) return context.fail(nodes.error());
  const auto services = (*engine)->list_services();
  if (!services) return context.fail(services.error());
  const auto counts = count_nodes(*nodes);
  const auto cluster = context.globals.host.empty() ? pick_cluster(context.globals)
                                                    : Result<std::string>(std::string());
  const std::string name = cluster ? *cluster : "";
  const Json balancer = name.empty() ? Json() : balancer_json(name);
  if (format == "json") {
    Json names = Json::array();
    for (const auto& service : *services) names.push_back(service.name);
    context.line(Json{
        {"cluster", name},
        {"managers", counts.managers},
        {"managers_ready", counts.managers_ready},
        {"workers", counts.workers},
        {"workers_ready", counts.workers_ready},
        {"leader", counts.leader},
        {"balancer", balancer},
        {"services",
         names}}.dump(2));
    return kExitOk;
  }
  if (!name.empty()) context.line("cluster:   " + name);
  context.line("managers:  " + std::to_string(counts.managers_ready) + " of " +
               std::to_string(counts.managers) + " ready" +
               (counts.leader.empty() ? "" : ", leader " + counts.leader));
  context.line("workers:   " + std::to_string(counts.workers_ready) + " of " +
               std::to_string(counts.workers) + " ready");
  for (const auto& node : *nodes) {
    if (node.state != model::NodeState::kReady)
      context.line("           " + node.hostname + " is " +
                   std::string(model::to_string(node.state)) +
                   (node.state_message.empty() ? "" : ": " + node.state_message));
  }
  if (!balancer.is_null()) print_balancer(context, balancer);
  context.line("");
  return print_services(context, {}, **engine, *services);
}

}  // namespace

Command status_command() {
  return {.name = "status",
          .summary = "The cluster in one screen",
          .declare = [](Declare& declare) -> Action {
            auto format = std::make_shared<std::optional<std::string>>();
            declare_format(declare, format.get());
            return [format](Context& context) { return print_status(context, *format); };
          }};
}

}  // namespace hive::cli
