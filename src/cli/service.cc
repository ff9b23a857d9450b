#include "cli/service.h"

#include <algorithm>
#include <map>
#include <memory>

#include "cli/context.h"
#include "cli/each.h"
#include "cli/look.h"
#include "cli/service_table.h"
#include "cli/stopped.h"

namespace hive::cli {
namespace {

int list_services(Context& context, const ListOptions& options) {
  const auto filters = parse_filters(options.filters, {"id", "name", "label", "mode"});
  if (!filters) return context.fail(filters.error());
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  const auto services = (*engine)->list_services(*filters);
  if (!services) return context.fail(services.error());
  return print_services(context, options, **engine, *services);
}

int tasks_of_services(Context& context, const ListOptions& options,
                      const std::vector<std::string>& words) {
  auto filters = parse_filters(options.filters, {"id", "name", "node", "desired-state"});
  if (!filters) return context.fail(filters.error());
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  int code = kExitOk;
  for (const auto& word : words) {
    const auto service = find_service(**engine, word);
    if (service) {
      (*filters)["service"].push_back(service->id);
    } else {
      code = context.fail(service.error());
    }
  }
  if ((*filters)["service"].empty()) return code;
  auto look = look_at(**engine, *filters);
  if (!look) return context.fail(look.error());
  learn_stops(**engine, *look);
  ListOptions as_docker = options;
  as_docker.no_trunc = options.no_trunc || options.quiet;  // of all commands this one alone
  print_tasks(context, as_docker, *look);
  return code;
}

int remove_services(Context& context, const std::vector<std::string>& words) {
  return for_each(context, words, [](engine::Engine& engine, const std::string& word) -> Status {
    HIVE_ASSIGN(const auto service, find_service(engine, word));
    return engine.remove_service(service.id);
  });
}

Command service_list_command() {
  return {.name = "ls",
          .summary = "List the services",
          .declare = [](Declare& declare) -> Action {
            auto options = std::make_shared<ListOptions>();
            declare_list(declare, *options);
            return [options](Context& context) { return list_services(context, *options); };
          },
          .aliases = {"list"}};
}

Command service_ps_command() {
  return {.name = "ps",
          .summary = "List the tasks of services",
          .declare = [](Declare& declare) -> Action {
            auto options = std::make_shared<ListOptions>();
            auto words = std::make_shared<std::vector<std::string>>();
            declare_task_list(declare, *options);
            declare.some("SERVICE", words.get(), "Services", ValueKind::kService);
            return [options, words](Context& context) {
              return tasks_of_services(context, *options, *words);
            };
          }};
}

Command service_inspect_command() {
  return {.name = "inspect",
          .summary = "The engine's own record of services, as JSON",
          .declare = [](Declare& declare) -> Action {
            auto words = std::make_shared<std::vector<std::string>>();
            declare.some("SERVICE", words.get(), "Services", ValueKind::kService);
            return [words](Context& context) {
              return inspect_each(
                  context, *words, [](engine::Engine& engine, const std::string& word) {
                    return find_service(engine, word).and_then([&](const model::Service& service) {
                      return engine.inspect_service_with_defaults(service.id);
                    });
                  });
            };
          }};
}

Command service_remove_command() {
  return {.name = "rm",
          .summary = "Remove services",
          .declare = [](Declare& declare) -> Action {
            auto words = std::make_shared<std::vector<std::string>>();
            declare.some("SERVICE", words.get(), "Services", ValueKind::kService);
            return [words](Context& context) { return remove_services(context, *words); };
          },
          .aliases = {"remove"}};
}

}  // namespace

Command service_command() {
  return {.name = "service",
          .summary = "The services of the Swarm",
          .children = {service_list_command(), service_ps_command(), service_inspect_command(),
                       service_create_command(), service_scale_command(), service_update_command(),
                       service_rollback_command(), service_history_command(),
                       service_remove_command(), logs_command()}};
}

}  // namespace hive::cli
