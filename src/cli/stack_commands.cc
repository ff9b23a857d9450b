// hive stack, hive config: Compose files and what they become.
#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/compose_input.h"
#include "cli/context.h"
#include "cli/converge.h"
#include "cli/deploy.h"
#include "cli/listing.h"
#include "cli/look.h"
#include "cli/natural.h"
#include "cli/preflight.h"
#include "cli/service_table.h"
#include "cli/stopped.h"

namespace hive::cli {
namespace {

struct DeployArgs {
  std::vector<std::string> files;
  std::vector<std::string> name;
  bool prune = false;
  bool auth = false;
  bool detach = false;
  bool quiet = false;
  bool dry_run = false;
  std::optional<std::string> resolve;
};

int deploy(Context& context, const DeployArgs& args) {
  const auto spec = load_compose(context, args.files, false);
  if (!spec) return kExitRefused;
  const std::string name = args.name.empty() ? spec->cluster.name : args.name.front();
  if (name.empty())
    return context.fail(kExitUsage, "the stack has no name: give one, or x-hive.name in the file");
  if (!print_findings(context, check_preflight(probe_deploy(context, *spec), *spec)))
    return kExitRefused;
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  DeployRequest request{.stack = name, .globals = context.globals, .prune = args.prune};
  if (args.resolve == "changed") request.resolve_image = stack::ResolveImage::kChanged;
  if (args.resolve == "never") request.resolve_image = stack::ResolveImage::kNever;
  request.note = [&](const std::string& text) { context.note("hive: " + text); };
  request.did = [&](const std::string& text) { context.line(text); };
  if (args.dry_run) {
    const auto plan = stack::make_plan(**engine, *spec, deploy_options(request));
    if (!plan) return context.fail(plan.error());
    context.print(stack::render(*plan));
    return kExitOk;
  }
  const auto ids = deploy_spec(**engine, *spec, request);
  if (!ids) return context.fail(ids.error());
  if (args.detach || ids->empty()) return kExitOk;
  catch_interrupts();
  const auto done = wait_converged(context, **engine, *ids, {.quiet = args.quiet});
  return done ? kExitOk : context.fail_wait(done.error());
}

int list_stacks(Context& context, const ListOptions& options) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  const auto stacks = stack::list_stacks(**engine);
  if (!stacks) return context.fail(stacks.error());
  std::vector<Row> rows;
  for (const auto& [name, services] : *stacks)
    rows.push_back(
        {name, {name, std::to_string(services)}, {{"name", name}, {"services", services}}});
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return natural_less(a.id, b.id); });
  return print_listing(context, options, {"NAME", "SERVICES"}, rows);
}

std::string stack_filter(const std::string& name) {
  return std::string(stack::kNamespaceLabel) + "=" + name;
}

int tasks_of_stack(Context& context, const ListOptions& options, const std::string& name) {
  auto filters = parse_filters(options.filters, {"id", "name", "node", "desired-state"});
  if (!filters) return context.fail(filters.error());
  (*filters)["label"] = {stack_filter(name)};
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  auto look = look_at(**engine, *filters);
  if (!look) return context.fail(look.error());
  learn_stops(**engine, *look);
  if (look->tasks.empty())
    return context.fail(kExitNotFound, "there is nothing in stack '" + name + "'");
  return print_tasks(context, options, *look);
}

int services_of(Context& context, const ListOptions& options, const std::string& name) {
  auto filters = parse_filters(options.filters, {"id", "name", "label", "mode"});
  if (!filters) return context.fail(filters.error());
  (*filters)["label"].push_back(stack_filter(name));
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  const auto services = (*engine)->list_services(*filters);
  if (!services) return context.fail(services.error());
  if (services->empty())
    return context.fail(kExitNotFound, "there is nothing in stack '" + name + "'");
  return print_services(context, options, **engine, *services);
}

int remove_stacks(Context& context, const std::vector<std::string>& names) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  int code = kExitOk;
  for (const auto& name : names) {
    const auto removed = stack::remove_stack(
        **engine, name, [&](const std::string& what) { context.line("removing " + what); });
    if (!removed) code = context.fail(removed.error());
  }
  return code;
}

int print_config(Context& context, const std::vector<std::string>& files, bool quiet) {
  const auto spec = load_compose(context, files, false);
  if (!spec) return kExitRefused;
  if (!quiet) context.print(config::render_yaml(*spec));
  return kExitOk;
}

Command print_config_command(const char* summary) {
  return {.name = "config", .summary = summary, .declare = [](Declare& declare) -> Action {
            auto files = std::make_shared<std::vector<std::string>>();
            auto quiet = std::make_shared<bool>(false);
            declare.list("-f,--file,-c,--compose-file", "FILE", files.get(),
                         "Compose file; several are merged", ValueKind::kFile);
            declare.flag("-q,--quiet", quiet.get(), "Only check");
            return
                [files, quiet](Context& context) { return print_config(context, *files, *quiet); };
          }};
}

Command stack_deploy_command() {
  return {
      .name = "deploy",
      .summary = "Deploy a Compose file as a stack, or update it",
      .declare = [](Declare& declare) -> Action {
        auto args = std::make_shared<DeployArgs>();
        declare.list("-c,--compose-file,-f,--file", "FILE", &args->files,
                     "Compose file; several are merged", ValueKind::kFile);
        declare.flag("--prune", &args->prune, "Remove services that the file has no more");
        declare.flag("--with-registry-auth", &args->auth, "Always on; taken for docker's sake");
        declare.text(OptionInfo{.names = "--resolve-image",
                                .value_name = "WHEN",
                                .help = "always, changed or never",
                                .choices = {"always", "changed", "never"}},
                     &args->resolve);
        declare.flag("-d,--detach", &args->detach, "Do not wait until the tasks run");
        declare.flag("-q,--quiet", &args->quiet, "No progress");
        declare.flag("--dry-run", &args->dry_run, "Only print what would be done");
        declare.argument(
            {.names = "STACK", .help = "Name (default: x-hive.name)", .kind = ValueKind::kStack},
            &args->name);
        return [args](Context& context) { return deploy(context, *args); };
      },
      .aliases = {"up"}};
}

Command stack_list_command() {
  return {.name = "ls",
          .summary = "List the stacks",
          .declare = [](Declare& declare) -> Action {
            auto options = std::make_shared<ListOptions>();
            declare_list(declare, *options, false);
            return [options](Context& context) { return list_stacks(context, *options); };
          },
          .aliases = {"list"}};
}

Command of_one_stack(const char* name, const char* summary,
                     int (*act)(Context&, const ListOptions&, const std::string&),
                     void (*declare_options)(Declare&, ListOptions&)) {
  return {.name = name,
          .summary = summary,
          .declare = [act, declare_options](Declare& declare) -> Action {
            auto options = std::make_shared<ListOptions>();
            auto words = std::make_shared<std::vector<std::string>>();
            declare_options(declare, *options);
            declare.one("STACK", words.get(), "Stack", ValueKind::kStack);
            return [options, words, act](Context& context) {
              return act(context, *options, words->front());
            };
          }};
}

Command stack_remove_command() {
  return {.name = "rm",
          .summary = "Remove stacks",
          .declare = [](Declare& declare) -> Action {
            auto words = std::make_shared<std::vector<std::string>>();
            declare.some("STACK", words.get(), "Stacks", ValueKind::kStack);
            return [words](Context& context) { return remove_stacks(context, *words); };
          },
          .aliases = {"remove", "down"}};
}

}  // namespace

Command config_command() {
  return print_config_command("Check the Compose file and print it resolved");
}

Command stack_command() {
  return {.name = "stack",
          .summary = "Compose files deployed as stacks",
          .children = {
              stack_deploy_command(), stack_list_command(),
              of_one_stack("ps", "List the tasks of a stack", tasks_of_stack, declare_task_list),
              of_one_stack(
                  "services", "List the services of a stack", services_of,
                  [](Declare& declare, ListOptions& options) { declare_list(declare, options); }),
              stack_remove_command(),
              print_config_command("Check a Compose file and print it resolved")}};
}

}  // namespace hive::cli
