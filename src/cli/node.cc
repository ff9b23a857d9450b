#include "cli/node.h"

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/context.h"
#include "cli/each.h"
#include "cli/look.h"
#include "cli/natural.h"
#include "cli/operation_client.h"
#include "cli/stopped.h"

namespace hive::cli {
namespace {

Json node_json(const model::Node& node, bool self) {
  return {{"id", node.id},
          {"hostname", node.hostname},
          {"self", self},
          {"role", model::to_string(node.role)},
          {"status", model::to_string(node.state)},
          {"availability", model::to_string(node.availability)},
          {"leader", node.leader},
          {"reachability", node.manager_reachability},
          {"address", node.address},
          {"engine_version", node.engine_version},
          {"labels", node.labels}};
}

int list_nodes(Context& context, const ListOptions& options) {
  const auto filters =
      parse_filters(options.filters, {"id", "name", "label", "role", "membership", "node.label"});
  if (!filters) return context.fail(filters.error());
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  auto nodes = (*engine)->list_nodes(*filters);
  if (!nodes) return context.fail(nodes.error());
  const auto info = (*engine)->info();
  const std::string self = info ? json_string(*info, "Swarm.NodeID") : "";
  std::sort(nodes->begin(), nodes->end(), [](const model::Node& a, const model::Node& b) {
    return a.hostname == b.hostname ? a.id < b.id : natural_less(a.hostname, b.hostname);
  });
  std::vector<Row> rows;
  for (const auto& node : *nodes) {
    // docker does not shorten node ids, and marks the one that answers.
    const std::string manager = node.leader ? "Leader" : capitalized(node.manager_reachability);
    rows.push_back(
        {node.id,
         {node.id + (node.id == self ? " *" : "  "), node.hostname,
          capitalized(model::to_string(node.state)),
          capitalized(model::to_string(node.availability)), manager, node.engine_version},
         node_json(node, node.id == self)});
  }
  return print_listing(
      context, options,
      {"ID", "HOSTNAME", "STATUS", "AVAILABILITY", "MANAGER STATUS", "ENGINE VERSION"}, rows);
}

int inspect_nodes(Context& context, const std::vector<std::string>& words) {
  return inspect_each(context, words, [&](engine::Engine& engine, const std::string& word) {
    return find_node(engine, word).and_then([&](const model::Node& node) {
      return engine.inspect_node(node.id);
    });
  });
}

int tasks_of_nodes(Context& context, const ListOptions& options, std::vector<std::string> words) {
  auto filters =
      parse_filters(options.filters, {"id", "name", "label", "service", "desired-state"});
  if (!filters) return context.fail(filters.error());
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  if (words.empty()) words.push_back("self");
  for (const auto& word : words) {
    const auto node = find_node(**engine, word);
    if (!node) return context.fail(node.error());
    (*filters)["node"].push_back(node->id);
  }
  auto look = look_at(**engine, *filters);
  if (!look) return context.fail(look.error());
  learn_stops(**engine, *look);
  return print_tasks(context, options, *look);
}

// Lets `change` edit the spec of each node named; prints the names of those changed.
int change_nodes(Context& context, const std::vector<std::string>& words,
                 const std::function<Result<bool>(Json&)>& change) {
  return for_each(context, words, [&](engine::Engine& engine, const std::string& word) -> Status {
    HIVE_ASSIGN(const auto node, find_node(engine, word));
    return engine::modify_node(engine, node.id, change);
  });
}

Result<bool> set_field(Json& spec, const char* field, const std::string& value) {
  if (json_string(spec, field) == value) return false;
  spec[field] = value;
  return true;
}

struct NodeUpdateArgs {
  std::vector<std::string> nodes;
  std::vector<std::string> label_add;
  std::vector<std::string> label_remove;
  std::optional<std::string> availability;
  std::optional<std::string> role;
};

Result<bool> apply_update(const NodeUpdateArgs& args, Json& spec) {
  const Json before = spec;
  if (!spec.contains("Labels") || !spec["Labels"].is_object()) spec["Labels"] = Json::object();
  Json& labels = spec["Labels"];
  for (const auto& label : args.label_add) {
    const auto equals = label.find('=');
    labels[label.substr(0, equals)] =
        equals == std::string::npos ? std::string() : label.substr(equals + 1);
  }
  for (const auto& label : args.label_remove) labels.erase(label);
  if (args.availability) spec["Availability"] = *args.availability;
  if (args.role) spec["Role"] = *args.role;
  return spec != before;
}

// By Swarm alone, where no controller of hive's can be asked.
int remove_plainly(Context& context, const std::vector<std::string>& words, bool force) {
  return for_each(context, words, [&](engine::Engine& engine, const std::string& word) -> Status {
    HIVE_ASSIGN(const auto node, find_node(engine, word));
    return engine.remove_node(node.id, force);
  });
}

// A command that only sets one field of the nodes named.
Command setter(const char* name, const char* summary, const char* field, const char* value) {
  return {.name = name, .summary = summary, .declare = [field, value](Declare& declare) -> Action {
            auto words = std::make_shared<std::vector<std::string>>();
            declare.some("NODE", words.get(), "Nodes", ValueKind::kNode);
            return [words, field, value](Context& context) {
              return change_nodes(context, *words, [field, value](Json& spec) {
                return set_field(spec, field, value);
              });
            };
          }};
}

Command node_list_command() {
  return {.name = "ls",
          .summary = "List the nodes",
          .declare = [](Declare& declare) -> Action {
            auto options = std::make_shared<ListOptions>();
            declare_list(declare, *options);
            return [options](Context& context) { return list_nodes(context, *options); };
          },
          .aliases = {"list"}};
}

Command node_inspect_command() {
  return {.name = "inspect",
          .summary = "The engine's own record of nodes, as JSON",
          .declare = [](Declare& declare) -> Action {
            auto words = std::make_shared<std::vector<std::string>>();
            declare.some("NODE", words.get(), "Nodes", ValueKind::kNode);
            return [words](Context& context) { return inspect_nodes(context, *words); };
          }};
}

Command node_ps_command() {
  return {.name = "ps",
          .summary = "List the tasks on nodes",
          .declare = [](Declare& declare) -> Action {
            auto options = std::make_shared<ListOptions>();
            auto words = std::make_shared<std::vector<std::string>>();
            declare_task_list(declare, *options);
            declare.some("NODE", words.get(), "Nodes (default: the one that answers)",
                         ValueKind::kNode, false);
            return [options, words](Context& context) {
              return tasks_of_nodes(context, *options, *words);
            };
          }};
}

Command update_command() {
  return {.name = "update",
          .summary = "Change labels, availability or role of nodes",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<NodeUpdateArgs>();
            declare.list("--label-add", "KEY=VALUE", &args->label_add, "Set a label");
            declare.list("--label-rm", "KEY", &args->label_remove, "Remove a label");
            declare.text(OptionInfo{.names = "--availability",
                                    .value_name = "AVAILABILITY",
                                    .help = "active, pause or drain",
                                    .choices = {"active", "pause", "drain"}},
                         &args->availability);
            declare.text(OptionInfo{.names = "--role",
                                    .value_name = "ROLE",
                                    .help = "worker or manager",
                                    .choices = {"worker", "manager"}},
                         &args->role);
            declare.some("NODE", &args->nodes, "Nodes", ValueKind::kNode);
            return [args](Context& context) {
              return change_nodes(context, args->nodes,
                                  [args](Json& spec) { return apply_update(*args, spec); });
            };
          }};
}

struct LeaveArgs {
  std::vector<std::string> nodes;
  bool force = false;
  OperationWaitFlags wait;
  std::optional<std::string> within;
};

Result<Json> leave_request(const LeaveArgs& args, const std::string& node_id) {
  Json request{{"node", node_id}};
  if (!args.within) return request;
  const auto within = parse_duration(*args.within);
  if (!within) return annotate(within.error(), "--within");
  request["timeout_ms"] = std::chrono::duration_cast<Milliseconds>(*within).count();
  return request;
}

// One node after the other, each by an operation of the controllers.
int operate(Context& context, OperationClient& client, const std::string& kind,
            const LeaveArgs& args) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  return client.each(context, args.nodes, args.wait, [&](const std::string& word) {
    return find_node(**engine, word).and_then([&](const model::Node& node) {
      return leave_request(args, node.id).and_then([&](Json request) {
        if (args.force) request["force"] = true;
        return client.begin(context, kind, request, node.hostname);
      });
    });
  });
}

// By an operation, or with Swarm's own means where no controller answers.
int leave(Context& context, const char* kind, const LeaveArgs& args,
          const std::function<int()>& plainly, const char* lost) {
  auto client = OperationClient::reach(context);
  if (client) return operate(context, *client, kind, args);
  context.note("hive: " + client.error().message + ": " + lost);
  return plainly();
}

int drain(Context& context, const LeaveArgs& args) {
  return leave(
      context, "node_drain", args,
      [&] {
        return change_nodes(context, args.nodes,
                            [](Json& spec) { return set_field(spec, "Availability", "drain"); });
      },
      "Swarm itself drains, and ends all tasks of the node together");
}

int activate(Context& context, const std::vector<std::string>& nodes) {
  LeaveArgs args;
  args.nodes = nodes;
  args.wait.quiet = true;
  return leave(
      context, "node_activate", args,
      [&] {
        return change_nodes(context, nodes,
                            [](Json& spec) { return set_field(spec, "Availability", "active"); });
      },
      "the cloud's balancer is not told");
}

int remove_nodes(Context& context, const LeaveArgs& args) {
  return leave(
      context, "node_rm", args, [&] { return remove_plainly(context, args.nodes, args.force); },
      "Swarm itself removes it, its tasks are not moved first");
}

Command drain_command() {
  return {.name = "drain",
          .summary =
              "Move the tasks of nodes away without losing a request, and give them no new "
              "ones",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<LeaveArgs>();
            declare.text("--within", "DURATION", &args->within,
                         "Then Swarm ends what is still there (default: 10m)");
            declare_operation_wait(declare, args->wait);
            declare.some("NODE", &args->nodes, "Nodes", ValueKind::kNode);
            return [args](Context& context) { return drain(context, *args); };
          }};
}

Command activate_command() {
  return {.name = "activate",
          .summary = "Let nodes take tasks again, and put them into the cloud's balancer",
          .declare = [](Declare& declare) -> Action {
            auto words = std::make_shared<std::vector<std::string>>();
            declare.some("NODE", words.get(), "Nodes", ValueKind::kNode);
            return [words](Context& context) { return activate(context, *words); };
          }};
}

Command node_remove_command() {
  return {.name = "rm",
          .summary = "Take nodes out of the Swarm: drained, and managers made workers, first",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<LeaveArgs>();
            declare.flag("-f,--force", &args->force, "Do not move its tasks first");
            declare.text("--within", "DURATION", &args->within,
                         "Then Swarm ends what is still there (default: 10m)");
            declare_operation_wait(declare, args->wait);
            declare.some("NODE", &args->nodes, "Nodes", ValueKind::kNode);
            return [args](Context& context) { return remove_nodes(context, *args); };
          },
          .aliases = {"remove"}};
}

}  // namespace

Command node_command() {
  return {.name = "node",
          .summary = "The nodes of the Swarm",
          .children = {node_list_command(), node_inspect_command(), node_ps_command(),
                       update_command(), drain_command(), activate_command(),
                       setter("pause", "Keep the tasks of nodes, give them no new ones",
                              "Availability", "pause"),
                       setter("promote", "Make nodes managers", "Role", "manager"),
                       setter("demote", "Make managers workers", "Role", "worker"),
                       node_remove_command()}};
}

}  // namespace hive::cli
