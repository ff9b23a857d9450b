// hive doctor: everything that preflight checks, and what can be wrong with a living cluster.
#include <algorithm>
#include <map>
#include <memory>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/compose_input.h"
#include "cli/context.h"
#include "cli/controller_api.h"
#include "cli/preflight.h"
#include "cli/reach.h"
#include "cli/stray_canaries.h"
#include "cloud/local/local.h"
#include "engine/engine.h"

namespace hive::cli {
namespace {

void check_nodes(const std::vector<model::Node>& nodes, PreflightFindings& found) {
  int managers = 0;
  int reachable = 0;
  for (const auto& node : nodes) {
    if (node.role == model::Role::kManager) {
      ++managers;
      reachable += node.manager_reachability == "reachable" ? 1 : 0;
    }
    if (node.state != model::NodeState::kReady)
      found.push_back({true,
                       "node " + node.hostname + " is " +
                           std::string(model::to_string(node.state)) +
                           (node.state_message.empty() ? "" : " (" + node.state_message + ")"),
                       "'hive instance console " + node.hostname +
                           "' shows why; 'hive instance start', or 'hive node rm " + node.hostname +
                           "' when it shall not come back"});
    if (engine_version_known_bad(node.engine_version))
      found.push_back({true,
                       "node " + node.hostname + " runs engine " + node.engine_version +
                           ", which cuts connections (moby#51651)",
                       "upgrade it to 29.1.5 or later"});
  }
  // One more failure must leave a majority.
  if (managers > 1 && reachable - 1 <= managers / 2)
    found.push_back({reachable <= managers / 2,
                     std::to_string(reachable) + " of " + std::to_string(managers) +
                         " managers are reachable: one more failure loses the quorum",
                     "bring the others back, or add a manager with 'hive node promote NODE'"});
}

void check_tasks(engine::Engine& engine, PreflightFindings& found) {
  const auto services = engine.list_services();
  const auto tasks = engine.list_tasks({{"desired-state", {"running"}}});
  if (!services || !tasks) return;
  for (const auto& service : *services) {
    std::uint64_t running = 0;
    std::string trouble;
    for (const auto& task : *tasks) {
      if (task.service_id != service.id) continue;
      running += task.state == model::TaskState::kRunning ? 1 : 0;
      if (task.state != model::TaskState::kRunning)
        trouble = task.error.empty() ? task.message : task.error;
    }
    if (service.global || running >= service.replicas) continue;
    found.push_back({true,
                     "service " + service.name + " runs " + std::to_string(running) + " of " +
                         std::to_string(service.replicas) + " tasks" +
                         (trouble.empty() ? "" : " (" + trouble + ")"),
                     "'hive service ps " + service.name + " --no-trunc' shows why"});
  }
}

void check_balancer(const std::string& cluster, PreflightFindings& found) {
  const auto status = cloud::local::connect(cluster)->balancer();
  if (!status) {
    found.push_back({true, "the local cloud does not answer: " + status.error().message,
                     "'hive up' starts it again"});
    return;
  }
  for (const auto& target : status->targets) {
    if (target.health == cloud::TargetHealth::kInService) continue;
    found.push_back({true,
                     "instance " + target.instance_id + " is " +
                         std::string(cloud::to_string(target.health)) + " at the balancer" +
                         (target.reason.empty() ? "" : " (" + target.reason + ")"),
                     "its edge does not answer on port 7080: 'hive instance console " +
                         target.instance_id + "'"});
  }
}

// By the reports that agents send to the controller that acts.
void check_inits(const Json& status, const std::vector<model::Node>& nodes,
                 PreflightFindings& found) {
  const Json* agents = json_member(status, "agents");
  if (agents == nullptr) return;
  for (const auto& node : nodes) {
    const Json* agent = json_member(*agents, node.id);
    const std::string init = agent == nullptr ? "" : json_string(*agent, "engine_init");
    if (init.empty() || init == "hive-init") continue;
    found.push_back(
        {true,
         "the engine of node " + node.hostname + " gives containers " + init +
             " as their init: their stops are not held, and requests and log lines can "
             "be lost",
         "start its dockerd with --init-path=/usr/local/bin/hive-init (\"init-path\" in "
         "daemon.json), then move its tasks away and back"});
  }
}

// What agents say of their edges, and what the controller could not route: one finding for all
// nodes that say the same.
void check_edges(const Json& status, const std::vector<model::Node>& nodes,
                 PreflightFindings& found) {
  std::map<std::string, std::vector<std::string>> by_fault;
  const Json* agents = json_member(status, "agents");
  for (const auto& node : nodes) {
    if (node.state != model::NodeState::kReady) continue;
    const Json* agent = agents == nullptr ? nullptr : json_member(*agents, node.id);
    const std::string edge =
        agent == nullptr ? "its agent does not report" : json_string(*agent, "edge");
    if (!edge.empty() && edge != "ok") by_fault[edge].push_back(node.hostname);
  }
  for (const auto& [fault, names] : by_fault)
    found.push_back({true, "the edge of " + join(names, ", ") + ": " + fault,
                     "'hive events' shows since when"});
  if (const Json* problems = json_member(status, "problems");
      problems != nullptr && problems->is_array())
    for (const Json& problem : *problems)
      if (problem.is_string()) found.push_back({true, problem.get<std::string>(), ""});
}

void check_controllers(engine::Engine& engine, const std::vector<model::Node>& nodes,
                       PreflightFindings& found) {
  const auto addresses = manager_addresses(engine);
  if (!addresses) return;
  for (const auto& address : *addresses) {
    const auto answer = ask_controller({address}, "/v1/status");
    if (!answer)
      found.push_back(
          {true,
           "the controller of manager " + address + " does not answer: " + answer.error().message,
           "its instance's console says why; the others go on"});
    if (!answer || !json_bool(*answer, "active")) continue;
    check_inits(*answer, nodes, found);
    check_edges(*answer, nodes, found);
  }
}

void check_canaries(engine::Engine& engine, PreflightFindings& found) {
  const auto services = engine.list_services();
  if (!services || stray_canaries(*services, nullptr).empty()) return;
  const auto addresses = manager_addresses(engine);
  if (!addresses) return;
  const auto operations = ask_controller(*addresses, "/v1/operations");
  const auto strays = stray_canaries(*services, operations ? *operations : Json());
  found.insert(found.end(), strays.begin(), strays.end());
}

int run_doctor(Context& context, const std::vector<std::string>& files) {
  PreflightFindings found;
  if (!compose_files(files).empty()) {
    const auto spec = load_compose(context, files, false);
    if (!spec) return kExitRefused;
    if (!spec->cluster.name.empty()) found = check_preflight(probe_preflight(*spec), *spec);
  }
  if (auto engine = context.engine(); !engine) {
    if (engine.error().code != Errc::kNotFound) found.push_back({true, engine.error().message, ""});
  } else if (const auto nodes = (*engine)->list_nodes(); !nodes) {
    found.push_back({true, nodes.error().message, "'hive up' repairs a local cluster"});
  } else {
    check_nodes(*nodes, found);
    check_tasks(**engine, found);
    check_controllers(**engine, *nodes, found);
    check_canaries(**engine, found);
    if (const auto cluster = pick_cluster(context.globals); cluster && context.globals.host.empty())
      check_balancer(*cluster, found);
  }
  int faults = 0;
  for (const auto& finding : found) {
    faults += finding.fault ? 1 : 0;
    context.line(std::string(finding.fault ? "fault:   " : "note:    ") + finding.what);
    if (!finding.hint.empty()) context.line("         " + finding.hint);
  }
  context.line(faults == 0
                   ? "no fault found"
                   : std::to_string(faults) + (faults == 1 ? " fault found" : " faults found"));
  return faults == 0 ? kExitOk : kExitFailed;
}

}  // namespace

Command doctor_command() {
  return {.name = "doctor",
          .summary = "Look for what is wrong, and say what to do",
          .declare = [](Declare& declare) -> Action {
            auto files = std::make_shared<std::vector<std::string>>();
            declare.list("-f,--file", "FILE", files.get(), "Compose file to check too",
                         ValueKind::kFile);
            return [files](Context& context) { return run_doctor(context, *files); };
          }};
}

}  // namespace hive::cli
