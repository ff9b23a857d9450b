// hive task: the Swarm's tasks.
#include <memory>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/each.h"
#include "cli/look.h"

namespace hive::cli {
namespace {

int list(Context& context, const ListOptions& options, bool all) {
  auto filters =
      parse_filters(options.filters, {"id", "name", "label", "node", "service", "desired-state"});
  if (!filters) return context.fail(filters.error());
  if (!all && filters->count("desired-state") == 0)
    (*filters)["desired-state"] = {"running", "accepted"};
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  const auto look = look_at(**engine, *filters);
  if (!look) return context.fail(look.error());
  return print_tasks(context, options, *look);
}

Result<Json> inspect(engine::Engine& engine, const std::string& word) {
  HIVE_ASSIGN(const auto look, look_at(engine));
  for (const auto& task : look.tasks) {
    if (task.id == word || task_name(look, task) == word ||
        (word.size() >= 6 && task.id.starts_with(word)))
      return engine.inspect_task(task.id);
  }
  return fail(Errc::kNotFound, "there is no task '" + word + "'");
}

}  // namespace

Command task_command() {
  Command ls{.name = "ls",
             .summary = "List the tasks that run or shall run",
             .declare = [](Declare& declare) -> Action {
               auto options = std::make_shared<ListOptions>();
               auto all = std::make_shared<bool>(false);
               declare_list(declare, *options);
               declare.flag("-a,--all", all.get(), "Also those that ended");
               return [options, all](Context& context) { return list(context, *options, *all); };
             },
             .aliases = {"list"}};
  Command inspect_one{.name = "inspect",
                      .summary = "The engine's own record of tasks, as JSON",
                      .declare = [](Declare& declare) -> Action {
                        auto words = std::make_shared<std::vector<std::string>>();
                        declare.some("TASK", words.get(), "Tasks: id or name", ValueKind::kTask);
                        return [words](Context& context) {
                          return inspect_each(context, *words, inspect);
                        };
                      }};
  return {.name = "task",
          .summary = "The tasks of services",
          .children = {std::move(ls), std::move(inspect_one)}};
}

}  // namespace hive::cli
