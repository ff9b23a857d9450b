// hive volume: volumes of the engine that answers, as docker's.
#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/each.h"
#include "cli/listing.h"
#include "cli/natural.h"
#include "engine/engine.h"

namespace hive::cli {
namespace {

int list_volumes(Context& context, const ListOptions& options) {
  const auto filters = parse_filters(options.filters, {"name", "label", "driver", "dangling"});
  if (!filters) return context.fail(filters.error());
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  const auto volumes = (*engine)->list_volumes(*filters);
  if (!volumes) return context.fail(volumes.error());
  std::vector<Row> rows;
  for (const auto& volume : *volumes) {
    const std::string name = json_string(volume, "Name");
    const std::string driver = json_string(volume, "Driver");
    const Json* labels = json_member(volume, "Labels");
    const Json* driver_options = json_member(volume, "Options");
    rows.push_back({name,
                    {driver, name},
                    {{"name", name},
                     {"driver", driver},
                     {"mountpoint", json_string(volume, "Mountpoint")},
                     {"options", driver_options == nullptr ? Json::object() : *driver_options},
                     {"labels", labels == nullptr ? Json::object() : *labels}}});
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return natural_less(a.id, b.id); });
  return print_listing(context, options, {"DRIVER", "VOLUME NAME"}, rows);
}

struct CreateArgs {
  std::vector<std::string> name;
  std::optional<std::string> driver;
  std::vector<std::string> options;
  std::vector<std::string> labels;
};

Json pairs(const std::vector<std::string>& words) {
  Json map = Json::object();
  for (const auto& word : words) {
    const auto equals = word.find('=');
    map[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
  }
  return map;
}

int create_volume(Context& context, const CreateArgs& args) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  Json request = {{"Driver", args.driver.value_or("local")},
                  {"DriverOpts", pairs(args.options)},
                  {"Labels", pairs(args.labels)}};
  if (!args.name.empty()) request["Name"] = args.name.front();
  const auto created = (*engine)->create_volume(request);
  if (!created) return context.fail(created.error());
  context.line(json_string(*created, "Name"));
  return kExitOk;
}

Command create_command() {
  return {
      .name = "create", .summary = "Create a volume", .declare = [](Declare& declare) -> Action {
        auto args = std::make_shared<CreateArgs>();
        declare.text("-d,--driver", "DRIVER", &args->driver, "Volume driver (local)");
        declare.list("-o,--opt", "KEY=VALUE", &args->options, "Option of the driver");
        declare.list("--label", "KEY=VALUE", &args->labels, "Label");
        declare.argument({.names = "NAME", .help = "Name (default: a random one)"}, &args->name);
        return [args](Context& context) { return create_volume(context, *args); };
      }};
}

Command volume_list_command() {
  return {.name = "ls",
          .summary = "List the volumes",
          .declare = [](Declare& declare) -> Action {
            auto options = std::make_shared<ListOptions>();
            declare_list(declare, *options);
            return [options](Context& context) { return list_volumes(context, *options); };
          },
          .aliases = {"list"}};
}

Command volume_inspect_command() {
  return {.name = "inspect",
          .summary = "The engine's own record of volumes, as JSON",
          .declare = [](Declare& declare) -> Action {
            auto words = std::make_shared<std::vector<std::string>>();
            declare.some("VOLUME", words.get(), "Volumes", ValueKind::kVolume);
            return [words](Context& context) {
              return inspect_each(context, *words,
                                  [](engine::Engine& engine, const std::string& word) {
                                    return engine.inspect_volume(word);
                                  });
            };
          }};
}

Command volume_remove_command() {
  return {.name = "rm",
          .summary = "Remove volumes",
          .declare = [](Declare& declare) -> Action {
            auto words = std::make_shared<std::vector<std::string>>();
            auto force = std::make_shared<bool>(false);
            declare.flag("-f,--force", force.get(), "No fault when there is none of that name");
            declare.some("VOLUME", words.get(), "Volumes", ValueKind::kVolume);
            return [words, force](Context& context) {
              return for_each(context, *words,
                              [&](engine::Engine& engine, const std::string& word) {
                                return engine.remove_volume(word, *force);
                              });
            };
          },
          .aliases = {"remove"}};
}

}  // namespace

Command volume_command() {
  return {.name = "volume",
          .summary = "Volumes of the engine that answers",
          .children = {volume_list_command(), volume_inspect_command(), create_command(),
                       volume_remove_command()}};
}

}  // namespace hive::cli
