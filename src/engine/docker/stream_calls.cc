#include <fmt/core.h>

#include <condition_variable>
#include <ctime>
#include <limits>

#include "base/backoff.h"
#include "base/log.h"
#include "engine/docker/docker_engine.h"

namespace hive::engine::docker {
namespace {

Query log_query(const LogOptions& options) {
  return Query()
      .flag("stdout", options.out)
      .flag("stderr", options.err)
      .flag("follow", options.follow)
      .flag("timestamps", options.timestamps)
      .flag("details", options.details)
      .add("tail", options.tail)
      .add("since", options.since)
      .add("until", options.until);
}

Event event_from(const Json& object) {
  Event event;
  event.type = json_string(object, "Type");
  event.action = json_string(object, "Action");
  event.actor_id = json_string(object, "Actor.ID");
  if (const Json* attributes = json_path(object, "Actor.Attributes"))
    for (const auto& [key, value] : attributes->items())
      if (value.is_string()) event.attributes.emplace(key, value.get<std::string>());
  event.time_ns = json_int(object, "timeNano", json_int(object, "time") * 1'000'000'000);
  return event;
}

// False when stopped before the time was over.
bool sleep_for(Milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

// The engine's own clock, a second back, in the API's form. Events are replayed from there, since
// the engine sends its headers before it subscribes: nothing falls between the two.
std::string a_second_before(const net::Response& answer) {
  const auto date = answer.headers.find("date");
  std::tm utc{};
  if (date == answer.headers.end() ||
      ::strptime(date->second.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &utc) == nullptr)
    return {};
  return std::to_string(::timegm(&utc) - 1);
}

}  // namespace

Status DockerEngine::logs(const std::string& path, bool tty, const LogOptions& options,
                          const std::function<bool(LogLine)>& on_line,
                          const std::stop_token& stop) {
  LogDecoder decoder({tty, options.timestamps, options.details}, on_line);
  Status fed;
  bool wanted = true;
  const auto on_bytes = [&](std::string_view bytes) {
    Result<bool> more = decoder.feed(bytes);
    wanted = more.value_or(false);
    if (!more) fed = tl::unexpected(std::move(more).error());
    return wanted;
  };
  // A log that is not followed flows; a followed one may be silent for days.
  const Milliseconds idle =
      options.follow ? Milliseconds(0) : connection_.options().deadline + Milliseconds(20'000);
  HIVE_TRY(connection_.stream(connection_.get(path, log_query(options)), on_bytes, stop, idle));
  HIVE_TRY(std::move(fed));
  if (!wanted || stop.stop_requested()) return {};
  return decoder.finish();
}

Status DockerEngine::service_logs(const std::string& id, const LogOptions& options,
                                  const std::function<bool(LogLine)>& on_line,
                                  std::stop_token stop) {
  HIVE_ASSIGN(const Json service, inspect_service(id));
  return logs("/services/" + path_escape(id) + "/logs",
              json_bool(service, "Spec.TaskTemplate.ContainerSpec.TTY"), options, on_line, stop);
}

Status DockerEngine::task_logs(const std::string& id, const LogOptions& options,
                               const std::function<bool(LogLine)>& on_line, std::stop_token stop) {
  HIVE_ASSIGN(const Json task, inspect_task(id));
  return logs("/tasks/" + path_escape(id) + "/logs", json_bool(task, "Spec.ContainerSpec.TTY"),
              options, on_line, stop);
}

Status DockerEngine::container_logs(const std::string& id, const LogOptions& options,
                                    const std::function<bool(LogLine)>& on_line,
                                    std::stop_token stop) {
  HIVE_ASSIGN(const Json container, inspect_container(id));
  return logs("/containers/" + path_escape(id) + "/logs", json_bool(container, "Config.Tty"),
              options, on_line, stop);
}

Status DockerEngine::events(const Filters& filters,
                            const std::function<bool(const Event&)>& on_event,
                            std::stop_token stop) {
  Random random(
      static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()));
  const BackoffPolicy policy{Milliseconds(100), Milliseconds(2'000),
                             std::numeric_limits<int>::max()};
  Backoff backoff(policy, random);
  bool wanted = true;
  while (wanted && !stop.stop_requested()) {
    std::string since;
    auto first = connection_.get("/_ping");
    first.on_headers = [&](const net::Response& answer) { since = a_second_before(answer); };
    auto alive = connection_.call(std::move(first));
    Status ended;
    if (!alive) {
      ended = tl::unexpected(std::move(alive).error());
    } else {
      auto request = connection_.get("/events", Query().add("since", since).filters(filters));
      request.on_headers = [&](const net::Response& answer) {
        if (answer.status != 200) return;
        backoff.reset();
        Event relist;
        relist.relist = true;
        wanted = on_event(relist);
      };
      ended = connection_.objects(
          std::move(request), JsonSplitter::Shape::kSequence,
          [&](std::string_view text) -> Status {
            if (!wanted) return fail(Errc::kCancelled, "enough");
            HIVE_ASSIGN(const Json object, parse_json(text, "an event of the engine"));
            wanted = on_event(event_from(object));
            return wanted ? Status() : fail(Errc::kCancelled, "enough");
          },
          stop, Milliseconds(0));
    }
    if (!wanted || stop.stop_requested()) break;
    if (!ended && ended.error().code == Errc::kInvalidArgument) return ended;
    log::debug("engine", "event stream of {} ended ({}), connecting anew",
               connection_.options().host, ended ? "closed" : describe(ended.error()));
    const auto wait = backoff.next();
    if (!sleep_for(wait.value_or(policy.max), stop)) break;
  }
  return {};
}

}  // namespace hive::engine::docker
