#include "controller/task_stop_kind.h"

#include "controller/kind_base.h"
#include "controller/move_part.h"
#include "controller/world_facts.h"
#include "decide/placement/rebalance.h"

namespace hive::controller {
namespace {

namespace placement = decide::placement;
using model::Task;
using model::TaskState;

constexpr std::size_t kShortestPrefix = 6;
// Between two moves of a rebalancing, and after any other operation.
constexpr std::int64_t kBetweenMovesMs = 15'000;
constexpr std::string_view kRebalancing = "rebalancing: ";
// Swarm may have no place for another; the task itself is gone then all the same.
constexpr std::int64_t kReplacedMs = 120'000;

bool ends(const Task& task) {
  return task.state > TaskState::kRunning || task.desired > TaskState::kRunning;
}

Result<const Task*> task_named(const World& world, const std::string& word) {
  const Task* found = nullptr;
  for (const auto& [id, task] : world.snapshot.tasks) {
    if (id == word) return &task;
    const std::string name = task_name(world.snapshot, task);
    const bool named = name == word || name.ends_with("_" + word);
    const bool prefix = word.size() >= kShortestPrefix && id.starts_with(word);
    if ((!named && !prefix) || ends(task)) continue;
    if (found != nullptr)
      return fail(Errc::kInvalidArgument,
                  "'" + word + "' may be task " + found->id + " or " + id + "; name it by its id");
    found = &task;
  }
  if (found == nullptr || word.empty())
    return fail(Errc::kNotFound, "there is no running task '" + word + "'");
  return found;
}

class TaskStopKind final : public OperationKind {
 public:
  std::string_view name() const override { return "task_stop"; }

  Result<Json> check(const Json& request, const World& world) const override {
    HIVE_ASSIGN(const Task* task, task_named(world, json_string(request, "task")));
    if (ends(*task))
      return fail(Errc::kFailedPrecondition,
                  "task " + task_name(world.snapshot, *task) + " has ended or is ending already");
    if (!world.snapshot.services.contains(task->service_id))
      return fail(Errc::kFailedPrecondition, "the service of task " + task->id + " is removed");
    return Json{{"task", task->id},
                {"name", task_name(world.snapshot, *task)},
                {"service", task->service_id},
                {"slot", task->slot},
                {"node", task->node_id},
                {"force", json_bool(request, "force")},
                {"reason", json_string(request, "reason", "it was asked for")}};
  }

  std::string subject(const Json& request, const World&) const override {
    return json_string(request, "name");
  }

  std::vector<std::string> claims(const OperationRecord& record) const override {
    return {service_claim(json_string(record.request, "service"))};
  }

  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state =
        record.state.is_null() ? Json{{"since_unix_ms", input.world.now_unix_ms}} : record.state;
    const World& world = input.world;
    const auto service = world.snapshot.services.find(json_string(record.request, "service"));
    if (service == world.snapshot.services.end())
      return end(out, OperationOutcome::kSucceeded, "its service was removed meanwhile");
    const auto task = world.snapshot.tasks.find(json_string(record.request, "task"));
    const bool gone = task == world.snapshot.tasks.end() || ends(task->second);
    if (json_bool(record.request, "force")) return force(record, gone, out);
    if (service->second.global) return global(record, world, gone, out);
    Json part = part_of(out.state, "move");
    MoveAsk ask{service->second,
                {},
                record.by == "hive" ? "rebalancing" : "task stop",
                json_string(record.request, "reason"),
                true};
    if (!gone) ask.leaving = {json_int(record.request, "slot")};
    if (record.cancelled) {
      if (part.is_null() || unmove_part(world, ask, part, out))
        return end(out, OperationOutcome::kCancelled, "asked to end");
      out.state["move"] = std::move(part);
      return out;
    }
    const auto progress = move_part(world, ask, part, out);
    out.state["move"] = std::move(part);
    out.progress = {gone ? 1U : 0U, 1, progress.doing};
    if (progress.with_node) return alone(record, world, gone, out);
    const bool late = world.now_unix_ms - json_int(out.state, "since_unix_ms") >
                      service->second.stop_grace_ms + kReplacedMs;
    if (progress.moved || (gone && late)) end(out, OperationOutcome::kSucceeded, result(progress));
    return out;
  }

  // Rebalancing: one task at a time, when nothing else goes on and has not for a while.
  std::vector<OperationRequest> propose(const World& world,
                                        const std::vector<OperationRecord>& known) const override {
    if (!world.settings.rebalance) return {};
    for (const OperationRecord& record : known)
      if (record.outcome == OperationOutcome::kRunning ||
          world.now_unix_ms - record.finished_unix_ms < kBetweenMovesMs)
        return {};
    const auto move = placement::next_move(world.snapshot, facts_of(world), world.now_unix_ms,
                                           moved_lately(known));
    if (!move) return {};
    return {{"move-" + move->task_id.substr(0, 40), "task_stop", "hive",
             Json{{"task", move->task_id}, {"reason", std::string(kRebalancing) + move->why}}}};
  }

 private:
  // Ten minutes back: as long as records are kept (operations.h, keep_finished).
  static std::vector<placement::RebalanceMove> moved_lately(
      const std::vector<OperationRecord>& known) {
    std::vector<placement::RebalanceMove> out;
    for (const OperationRecord& record : known) {
      const std::string reason = json_string(record.request, "reason");
      if (record.by == "hive" && record.outcome == OperationOutcome::kSucceeded &&
          reason.starts_with(kRebalancing))
        out.push_back(
            {json_string(record.request, "service"), "", reason.substr(kRebalancing.size())});
    }
    return out;
  }

  static OperationStep end(OperationStep& out, OperationOutcome outcome, std::string result) {
    out.outcome = outcome;
    out.result = std::move(result);
    return out;
  }

  static std::string result(const MoveProgress& progress) {
    return progress.moved ? "stopped, and replaced"
                          : "stopped; Swarm has not replaced it yet: " + progress.doing;
  }

  static void order(const OperationRecord& record, bool forced, OperationStep& out) {
    out.stops = {{json_string(record.request, "task"), "task stop",
                  json_string(record.request, "reason"), forced}};
    out.look_again = kTasksLookAgain;
  }

  static OperationStep force(const OperationRecord& record, bool gone, OperationStep& out) {
    out.progress = {gone ? 1U : 0U, 1, "waits until it has ended"};
    if (gone) return end(out, OperationOutcome::kSucceeded, "stopped at once");
    if (record.cancelled) return end(out, OperationOutcome::kCancelled, "asked to end");
    order(record, true, out);
    return out;
  }

  // Stopped where it is, and started again by Swarm: of a global service, and of one whose stops
  // are not held.
  static OperationStep alone(const OperationRecord& record, const World&, bool gone,
                             OperationStep& out) {
    out.progress = {gone ? 1U : 0U, 1, "waits until it has ended"};
    if (gone) return end(out, OperationOutcome::kSucceeded, "stopped; Swarm starts another");
    if (record.cancelled) return end(out, OperationOutcome::kCancelled, "asked to end");
    order(record, false, out);
    return out;
  }

  static OperationStep global(const OperationRecord& record, const World& world, bool gone,
                              OperationStep& out) {
    return alone(record, world, gone, out);
  }
};

}  // namespace

std::unique_ptr<OperationKind> make_task_stop_kind() { return std::make_unique<TaskStopKind>(); }

}  // namespace hive::controller
