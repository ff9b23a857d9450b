#include "cli/version.h"

#include "base/json.h"
#include "cli/context.h"
#include "cli/listing.h"
#include "engine/engine.h"

namespace hive::cli {
namespace {

struct VersionArgs {
  bool only_short = false;
  std::optional<std::string> format;
};

int print_version(Context& context, const VersionArgs& args) {
  if (args.only_short) {
    context.line(version_text());
    return kExitOk;
  }
  Json engine;
  if (auto reached = context.engine(); reached) {
    if (auto answer = (*reached)->version(); answer) engine = std::move(*answer);
  }
  if (args.format == "json") {
    context.line(Json{{"version", version_text()},
                      {"engine_version", json_string(engine, "Version")},
                      {"engine_api_version", json_string(engine, "ApiVersion")}}
                     .dump(2));
    return kExitOk;
  }
  context.line("hive:    " + version_text());
  context.line(engine.is_null() ? "engine:  none answers"
                                : "engine:  " + json_string(engine, "Version") + " (API " +
                                      json_string(engine, "ApiVersion") + ")");
  return kExitOk;
}

}  // namespace

std::string version_text() { return HIVE_VERSION; }

Command version_command() {
  return {.name = "version",
          .summary = "Versions of hive and of the engine that it talks to",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<VersionArgs>();
            declare.flag("--short", &args->only_short, "This program's version alone");
            declare_format(declare, &args->format);
            return [args](Context& context) { return print_version(context, *args); };
          }};
}

}  // namespace hive::cli
