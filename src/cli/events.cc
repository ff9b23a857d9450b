// hive events: what the controllers saw and did, and why.
#include <ctime>
#include <memory>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/controller_api.h"
#include "cli/converge.h"
#include "net/http_client.h"

namespace hive::cli {
namespace {

struct Args {
  bool follow = false;
  std::optional<std::string> since;
  std::optional<std::string> format;
};

void print_event(Context& context, const Args& args, const Json& event) {
  if (args.format == "json") {
    context.line(event.dump());
    return;
  }
  const auto at = json_int(event, "unix_ms");
  const std::time_t seconds = at / 1000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &parts);
  std::string text = std::string(stamp) + "  " + json_string(event, "kind");
  const std::string subject = json_string(event, "subject");
  if (!subject.empty()) text += " " + subject;
  text += ": " + json_string(event, "reason");
  context.line(text);
}

int run(Context& context, const Args& args) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  const auto addresses = manager_addresses(**engine);
  if (!addresses) return context.fail(addresses.error());
  std::string path = "/v1/events";
  if (args.since) path += "?since=" + net::percent_encode(*args.since);
  const auto answer = ask_controller(*addresses, path);
  if (!answer) return context.fail(answer.error());
  const Json* list = answer->is_array() ? &*answer : json_member(*answer, "events");
  if (list != nullptr) {
    for (const auto& event : *list) print_event(context, args, event);
  }
  if (!args.follow) return kExitOk;
  catch_interrupts();
  const auto done = follow_controller(*addresses, "/v1/stream",
                                      [&](std::string_view kind, const std::string& data) {
                                        if (interrupted()) return false;
                                        if (kind != "event") return true;
                                        if (const auto event = parse_json(data, "event"))
                                          print_event(context, args, *event);
                                        return true;
                                      });
  if (interrupted()) return kExitInterrupted;
  return done ? kExitOk : context.fail(done.error());
}

}  // namespace

Command events_command() {
  return {.name = "events",
          .summary = "What hive saw and did, and why",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<Args>();
            declare.flag("-f,--follow", &args->follow, "Go on as things happen");
            declare.text("--since", "TIME", &args->since, "From this time on");
            declare.text(OptionInfo{.names = "--format",
                                    .value_name = "FORMAT",
                                    .help = "table, or json: one object a line",
                                    .choices = {"table", "json"}},
                         &args->format);
            return [args](Context& context) { return run(context, *args); };
          }};
}

}  // namespace hive::cli
