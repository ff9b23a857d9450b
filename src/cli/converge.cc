#include "cli/converge.h"

#include <algorithm>
#include <csignal>
#include <map>
#include <thread>

#include "cli/bars.h"
#include "cli/context.h"

namespace hive::cli {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;

bool ended(model::TaskState state) { return state >= model::TaskState::kComplete; }

struct Watched {
  std::string id;
  std::string name;
  std::string first_update_state;
  bool rolling_back = false;
};

// What Swarm's updater says about this write; an error ends the wait.
Status check_update(Watched& watched, const model::Service& service, bool first) {
  const std::string& state = service.update_state;
  if (first) watched.first_update_state = state;
  if (state == "rollback_started") watched.rolling_back = true;
  if (state == "paused")
    return fail(Errc::kFailedPrecondition,
                "service " + service.name + ": its update is paused: " + service.update_message +
                    ". 'hive service ps " + service.name + "' shows why");
  if (state == "rollback_paused")
    return fail(Errc::kFailedPrecondition,
                "service " + service.name + ": its rollback is paused: " + service.update_message);
  if (state == "rollback_completed" && watched.rolling_back)
    return fail(Errc::kFailedPrecondition,
                "service " + service.name + " was rolled back: " + service.update_message);
  return {};
}

bool updating(const model::Service& service) {
  return service.update_state == "updating" || service.update_state == "rollback_started";
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, [](int) { g_interrupted = 1; });
}
bool interrupted() { return g_interrupted != 0; }

Milliseconds verify_period(const Json& spec) {
  const auto monitor = json_int(spec, "UpdateConfig.Monitor");
  return monitor > 0 ? std::chrono::duration_cast<Milliseconds>(std::chrono::nanoseconds(monitor))
                     : Milliseconds(5'000);
}

Result<Progress> progress_of(engine::Engine& engine, const model::Service& service) {
  // The engine's own filter for tasks of the newest spec; docker's client uses it too.
  HIVE_ASSIGN(const auto tasks,
              engine.list_tasks({{"service", {service.id}}, {"_up-to-date", {"true"}}}));
  Progress progress{.service = service.name, .wanted = service.replicas};
  std::map<std::string, bool> slots;  // slot or node -> runs
  std::int64_t newest = 0;
  for (const auto& task : tasks) {
    const std::string slot = service.global ? task.node_id : std::to_string(task.slot);
    if (!ended(task.desired)) {
      const bool runs = task.state == model::TaskState::kRunning;
      slots[slot] = slots[slot] || runs;
    }
    if (!task.error.empty() && task.state_since_unix_ms >= newest) {
      newest = task.state_since_unix_ms;
      progress.trouble = task.error;
    }
    if (task.state == model::TaskState::kPending && progress.trouble.empty())
      progress.trouble = task.message;
  }
  for (const auto& [slot, runs] : slots) progress.running += runs ? 1 : 0;
  if (service.global) progress.wanted = slots.size();
  return progress;
}

Status wait_converged(Context& context, engine::Engine& engine,
                      const std::vector<std::string>& service_ids, const ConvergeOptions& options) {
  std::map<std::string, Watched> watched;
  for (const auto& id : service_ids) watched[id] = Watched{.id = id};
  Bars bars(context, options.quiet);
  const auto begin = context.clock.now();
  std::optional<MonotonicTime> converged_at;
  for (bool first = true;; first = false) {
    HIVE_ASSIGN(const auto services, engine.list_services({{"id", service_ids}}));
    std::vector<Progress> all;
    bool done = true;
    for (const auto& service : services) {
      HIVE_TRY(check_update(watched[service.id], service, first));
      HIVE_ASSIGN(auto progress, progress_of(engine, service));
      done = done && progress.running == progress.wanted && !updating(service);
      all.push_back(std::move(progress));
    }
    for (const auto& id : service_ids) {
      const bool there = std::any_of(services.begin(), services.end(),
                                     [&](const model::Service& s) { return s.id == id; });
      if (!there) return fail(Errc::kNotFound, "the service was removed meanwhile");
    }
    if (!done) converged_at.reset();
    if (done && !converged_at) converged_at = context.clock.now();
    const auto stable = converged_at ? context.clock.now() - *converged_at : Milliseconds(0);
    bars.show(all, converged_at.has_value(), options.verify);
    if (converged_at && stable >= options.verify) {
      bars.finish("converged");
      return {};
    }
    if (interrupted()) {
      bars.finish("interrupted");
      return fail(Errc::kCancelled, "interrupted; what was asked for goes on in the background");
    }
    if (options.deadline.count() > 0 && context.clock.now() - begin > options.deadline) {
      bars.finish("gave up");
      std::string why;
      for (const auto& progress : all) {
        if (progress.running != progress.wanted)
          why += (why.empty() ? "" : "; ") + progress.service + " runs " +
                 std::to_string(progress.running) + " of " + std::to_string(progress.wanted) +
                 (progress.trouble.empty() ? "" : " (" + progress.trouble + ")");
      }
      return fail(Errc::kDeadlineExceeded, "services did not converge in time: " + why);
    }
    std::this_thread::sleep_for(Milliseconds(200));
  }
}

}  // namespace hive::cli
