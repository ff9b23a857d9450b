// hive events: what the controllers saw and did, and why.
#include <algorithm>
#include <ctime>
#include <memory>
#include <thread>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/controller_api.h"
#include "cli/converge.h"
#include "cli/moment.h"
#include "cli/reach.h"
#include "engine/engine.h"

namespace hive::cli {
namespace {

struct EventsArgs {
  bool follow = false;
  std::optional<std::string> since;
  std::optional<std::string> format;
};

void print_event(Context& context, const EventsArgs& args, const Json& event) {
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

// Each controller keeps a history of its own, with its own numbers: on a change of leader they
// begin anew, and the moment of the last event printed is where to go on.
class Reader {
 public:
  Reader(Context& context, const EventsArgs& args, std::int64_t since_unix_ms)
      : context_(context), args_(args), last_unix_ms_(since_unix_ms - 1) {}

  // Prints what is new. The engine says where the controllers are, the leader's first.
  Status print_new(engine::Engine& engine) {
    HIVE_ASSIGN(const auto addresses, manager_addresses(engine));
    Status done = fail(Errc::kUnavailable, "no manager is ready");
    for (const auto& address : addresses) {
      if (done = print_from(address); done) break;
    }
    return done;
  }

 private:
  Status print_from(const std::string& address) {
    const auto known = address == source_ ? last_id_ : 0;
    HIVE_ASSIGN(const Json events,
                ask_controller({address}, "/v1/events?limit=1000&since=" + std::to_string(known)));
    if (!events.is_array()) return fail(Errc::kCorrupt, "the controller's events are no list");
    source_ = address;
    last_id_ = known;
    const auto printed = last_unix_ms_;
    for (const auto& event : events) {
      const auto at = json_int(event, "unix_ms");
      if (known > 0 || at > printed) print_event(context_, args_, event);
      last_unix_ms_ = std::max(last_unix_ms_, at);
      last_id_ = std::max(last_id_, json_int(event, "id"));
    }
    return {};
  }

  Context& context_;
  const EventsArgs& args_;
  std::int64_t last_unix_ms_;
  std::int64_t last_id_ = 0;
  std::string source_;
};

// Goes on over a change of leader: a controller that does not answer is asked again, or another.
int follow(Context& context, Reader& reader) {
  catch_interrupts();
  while (!interrupted()) {
    std::this_thread::sleep_for(Milliseconds(500));
    auto engine = reach_engine(context.globals);
    const auto done =
        engine ? reader.print_new(*engine->engine) : Status(tl::unexpected(engine.error()));
    if (!done && !retryable(done.error().code)) return context.fail(done.error());
  }
  return kExitInterrupted;
}

int run_events(Context& context, const EventsArgs& args) {
  std::int64_t since = 0;
  if (args.since) {
    const auto moment = parse_moment(*args.since, context.clock.wall_now());
    if (!moment) return context.fail(moment.error());
    since = std::chrono::duration_cast<Milliseconds>(moment->time_since_epoch()).count();
  }
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  Reader reader(context, args, since);
  if (const auto done = reader.print_new(**engine); !done) return context.fail(done.error());
  return args.follow ? follow(context, reader) : kExitOk;
}

}  // namespace

Command events_command() {
  return {.name = "events",
          .summary = "What hive saw and did, and why",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<EventsArgs>();
            declare.flag("-f,--follow", &args->follow, "Go on as things happen");
            declare.text("--since", "TIME", &args->since, "From this time on");
            declare.text(OptionInfo{.names = "--format",
                                    .value_name = "FORMAT",
                                    .help = "table, or json: one object a line",
                                    .choices = {"table", "json"}},
                         &args->format);
            return [args](Context& context) { return run_events(context, *args); };
          }};
}

}  // namespace hive::cli
