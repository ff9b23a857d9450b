// hive logs, hive service logs: what a service's or a task's containers wrote.
#include <memory>

#include "cli/context.h"
#include "cli/converge.h"
#include "cli/look.h"
#include "cli/moment.h"
#include "cli/service.h"

namespace hive::cli {
namespace {

struct LogsArgs {
  bool follow = false;
  bool timestamps = false;
  bool raw = false;
  bool details = false;
  bool no_resolve = false;
  bool no_task_ids = false;
  bool no_trunc = false;
  std::optional<std::string> since;
  std::optional<std::string> until;
  std::optional<std::string> tail;
  std::vector<std::string> target;
};

constexpr std::string_view kSwarmDetail = "com.docker.swarm.";

// "web.1.ab12cd34ef56@host    | "
std::string prefix_of(const Look& look, const engine::LogLine& line, const LogsArgs& args) {
  const auto detail = [&](const char* key) {
    const auto found = line.details.find(key);
    return found == line.details.end() ? std::string() : found->second;
  };
  const std::string task_id = detail("com.docker.swarm.task.id");
  const std::string node_id = detail("com.docker.swarm.node.id");
  std::string name = task_id;
  for (const auto& task : look.tasks) {
    if (task.id == task_id) name = task_name(look, task);
  }
  if (!args.no_task_ids) name += "." + short_id(task_id, args.no_trunc);
  const auto node = look.nodes.find(node_id);
  return name + "@" + (node == look.nodes.end() ? node_id : node->second.hostname) + "    | ";
}

// "env=prod,tier=web ": what the logging driver's options put beside a line. Swarm's own ids are in
// the prefix already.
std::string details_of(const engine::LogLine& line) {
  std::string text;
  for (const auto& [key, value] : line.details) {
    if (key.starts_with(kSwarmDetail)) continue;
    text += (text.empty() ? "" : ",") + key + "=" + value;
  }
  return text + " ";  // docker's space is there without any, too
}

// The Engine API knows no end for the logs of services and tasks: each line's own time, which the
// engine puts in front, decides here. Nothing for a line that is too late.
std::optional<std::string> within(std::string text, std::optional<WallTime> until, WallTime now,
                                  bool timestamps) {
  if (!until) return text;
  const auto space = text.find(' ');
  const auto at = parse_moment(std::string_view(text).substr(0, space), now);
  if (at && *at > *until) return std::nullopt;
  if (!timestamps && space != std::string::npos) text.erase(0, space + 1);
  return text;
}

Status set_moments(Context& context, const LogsArgs& args, engine::LogOptions& options,
                   std::optional<WallTime>& last) {
  const auto now = context.clock.wall_now();
  if (args.since) {
    HIVE_ASSIGN(const auto since, parse_moment(*args.since, now));
    options.since = engine_moment(since);
  }
  if (args.until) {
    HIVE_ASSIGN(const auto until, parse_moment(*args.until, now));
    options.timestamps = true;
    last = until;
  }
  return {};
}

int run_logs(Context& context, const LogsArgs& args) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  const std::string& word = args.target.front();
  auto look = look_at(**engine);
  if (!look) return context.fail(look.error());
  const model::Task* task = nullptr;
  for (const auto& candidate : look->tasks) {
    if (candidate.id == word || (word.size() >= 6 && candidate.id.starts_with(word)) ||
        task_name(*look, candidate) == word)
      task = &candidate;
  }
  const auto service = find_service(**engine, word);
  if (!service && task == nullptr) return context.fail(service.error());
  if (args.no_resolve)
    *look = {.tasks = std::move(look->tasks)};  // what has no name goes by its id
  engine::LogOptions options{.follow = args.follow,
                             .timestamps = args.timestamps,
                             .details = true,
                             .tail = args.tail.value_or("all")};
  std::optional<WallTime> until;
  if (const auto moments = set_moments(context, args, options, until); !moments)
    return context.fail(moments.error());
  std::stop_source stop;
  catch_interrupts();
  const auto print = [&](const engine::LogLine& line) {
    if (interrupted()) return false;
    const auto kept = within(line.text, until, context.clock.wall_now(), args.timestamps);
    if (!kept) return true;
    const std::string text = (args.raw ? "" : prefix_of(*look, line, args)) +
                             (args.details ? details_of(line) : "") + *kept + "\n";
    std::FILE* file = line.stream == 2 ? context.err : context.out;
    std::fwrite(text.data(), 1, text.size(), file);
    std::fflush(file);
    return true;
  };
  const auto done = service ? (*engine)->service_logs(service->id, options, print, stop.get_token())
                            : (*engine)->task_logs(task->id, options, print, stop.get_token());
  if (interrupted()) return kExitInterrupted;
  return done ? kExitOk : context.fail(done.error());
}

}  // namespace

Command logs_command() {
  return {.name = "logs",
          .summary = "What a service's or a task's containers wrote",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<LogsArgs>();
            declare.flag("-f,--follow", &args->follow, "Go on as they write");
            declare.flag("-t,--timestamps", &args->timestamps, "With the time of each line");
            declare.flag("--raw", &args->raw, "The lines alone");
            declare.flag("--details", &args->details, "With what the logging driver adds");
            declare.flag("--no-resolve", &args->no_resolve, "Ids of services and nodes");
            declare.flag("--no-task-ids", &args->no_task_ids, "Without ids of tasks");
            declare.flag("--no-trunc", &args->no_trunc, "Do not shorten");
            declare.text("--since", "TIME", &args->since, "From this time on");
            declare.text("--until", "TIME", &args->until, "Up to this time");
            declare.text("-n,--tail", "N", &args->tail, "The last N lines of each task");
            declare.one("SERVICE|TASK", &args->target, "Service or task", ValueKind::kService);
            return [args](Context& context) { return run_logs(context, *args); };
          }};
}

}  // namespace hive::cli
