// hive task: the Swarm's tasks.
#include <memory>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/each.h"
#include "cli/look.h"
#include "cli/operation_client.h"
#include "cli/stopped.h"

namespace hive::cli {
namespace {

int list_tasks(Context& context, const ListOptions& options, bool all) {
  auto filters =
      parse_filters(options.filters, {"id", "name", "label", "node", "service", "desired-state"});
  if (!filters) return context.fail(filters.error());
  if (!all && filters->count("desired-state") == 0)
    (*filters)["desired-state"] = {"running", "accepted"};
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  auto look = look_at(**engine, *filters);
  if (!look) return context.fail(look.error());
  learn_stops(**engine, *look);
  return print_tasks(context, options, *look);
}

Result<Json> inspect_task(engine::Engine& engine, const std::string& word) {
  HIVE_ASSIGN(const auto look, look_at(engine));
  for (const auto& task : look.tasks) {
    if (task.id == word || task_name(look, task) == word ||
        (word.size() >= 6 && task.id.starts_with(word)))
      return engine.inspect_task(task.id);
  }
  return fail(Errc::kNotFound, "there is no task '" + word + "'");
}

struct StopArgs {
  std::vector<std::string> tasks;
  bool force = false;
  OperationWaitFlags wait;
};

int stop(Context& context, const StopArgs& args) {
  auto client = OperationClient::reach(context);
  if (!client) return context.fail(client.error());
  // One after the other: two tasks of a service must not be missing together.
  return client->each(context, args.tasks, args.wait, [&](const std::string& word) {
    return client->begin(context, "task_stop", {{"task", word}, {"force", args.force}}, word);
  });
}

Command stop_command() {
  return {.name = "stop",
          .summary = "Let tasks end without losing a request; others take their place",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<StopArgs>();
            declare.flag("-f,--force", &args->force,
                         "Wait for nothing: what they have in flight is cut off");
            declare_operation_wait(declare, args->wait);
            declare.some("TASK", &args->tasks, "Tasks: id, its beginning, or name",
                         ValueKind::kTask);
            return [args](Context& context) { return stop(context, *args); };
          }};
}

}  // namespace

Command task_command() {
  Command ls{.name = "ls",
             .summary = "List the tasks that run or shall run",
             .declare = [](Declare& declare) -> Action {
               auto options = std::make_shared<ListOptions>();
               auto all = std::make_shared<bool>(false);
               declare_task_list(declare, *options);
               declare.flag("-a,--all", all.get(), "Also those that ended");
               return
                   [options, all](Context& context) { return list_tasks(context, *options, *all); };
             },
             .aliases = {"list"}};
  Command inspect_one{.name = "inspect",
                      .summary = "The engine's own record of tasks, as JSON",
                      .declare = [](Declare& declare) -> Action {
                        auto words = std::make_shared<std::vector<std::string>>();
                        declare.some("TASK", words.get(), "Tasks: id or name", ValueKind::kTask);
                        return [words](Context& context) {
                          return inspect_each(context, *words, inspect_task);
                        };
                      }};
  return {.name = "task",
          .summary = "The tasks of services",
          .children = {std::move(ls), std::move(inspect_one), stop_command()}};
}

}  // namespace hive::cli
