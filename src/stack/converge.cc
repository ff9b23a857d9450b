#include <algorithm>
#include <set>
#include <thread>

#include "base/text.h"
#include "stack/deploy.h"
#include "stack/present.h"

namespace hive::stack {

namespace {

constexpr std::size_t kMaxErrorsShown = 5;

bool wanted(const model::Task& task) {
  return task.desired == model::TaskState::kRunning || task.desired == model::TaskState::kReady;
}

ServiceProgress progress_of(const model::Service& service, const std::vector<model::Task>& tasks) {
  ServiceProgress progress;
  progress.name = service.name;
  progress.update_state = service.update_state;
  std::uint64_t planned = 0;
  for (const auto& task : tasks) {
    if (task.service_id != service.id || !wanted(task)) continue;
    ++planned;
    if (task.state == model::TaskState::kRunning && task.image == service.image) ++progress.running;
  }
  progress.desired = service.global ? planned : service.replicas;
  return progress;
}

std::string errors_of(const std::vector<model::Service>& services,
                      const std::vector<model::Task>& tasks) {
  std::set<std::string> lines;
  for (const auto& service : services) {
    for (const auto& task : tasks) {
      if (task.service_id != service.id || task.error.empty()) continue;
      if (lines.size() < kMaxErrorsShown) lines.insert(service.name + ": " + task.error);
    }
  }
  return join({lines.begin(), lines.end()}, "; ");
}

struct Look {
  std::vector<ServiceProgress> progress;
  std::string errors;
};

Result<Look> look_once(engine::Engine& engine, const std::string& stack) {
  HIVE_ASSIGN(const auto services, engine.list_services(stack_filter(stack)));
  HIVE_ASSIGN(const auto tasks, engine.list_tasks(stack_filter(stack)));
  Look look;
  for (const auto& service : services) look.progress.push_back(progress_of(service, tasks));
  look.errors = errors_of(services, tasks);
  return look;
}

std::string summary(const Look& look) {
  std::vector<std::string> parts;
  for (const auto& service : look.progress) {
    if (service.converged()) continue;
    parts.push_back(service.name + " " + std::to_string(service.running) + " of " +
                    std::to_string(service.desired) + " running");
  }
  std::string text = join(parts, ", ");
  if (!look.errors.empty()) text += " (" + look.errors + ")";
  return text;
}

Status check_updates(const Look& look) {
  for (const auto& service : look.progress) {
    const auto& state = service.update_state;
    if (state == "paused" || state.starts_with("rollback")) {
      return fail(Errc::kFailedPrecondition,
                  "the update of " + service.name + " is " + state + ": " + summary(look));
    }
  }
  return {};
}

}  // namespace

bool ServiceProgress::converged() const { return running >= desired && update_state != "updating"; }

Status wait_converged(engine::Engine& engine, const std::string& stack, const Clock& clock,
                      const WaitOptions& options) {
  const MonotonicTime end = clock.now() + options.deadline;
  std::string last = "no answer yet";
  while (true) {
    auto look = look_once(engine, stack);
    if (look) {
      if (options.on_progress) options.on_progress(look->progress);
      HIVE_TRY(check_updates(*look));
      if (std::all_of(look->progress.begin(), look->progress.end(),
                      [](const ServiceProgress& service) { return service.converged(); })) {
        return {};
      }
      last = summary(*look);
    } else if (!retryable(look.error().code)) {
      return tl::unexpected(look.error());
    } else {
      last = look.error().message;
    }
    if (clock.now() + options.interval > end) {
      return fail(Errc::kDeadlineExceeded, "stack " + stack + " is not running after " +
                                               format_duration(options.deadline) + ": " + last);
    }
    if (options.pause) {
      options.pause(options.interval);
    } else {
      std::this_thread::sleep_for(options.interval);
    }
  }
}

}  // namespace hive::stack
