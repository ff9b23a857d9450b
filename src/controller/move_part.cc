#include "controller/move_part.h"

#include <algorithm>

#include "controller/kind_base.h"
#include "controller/shrink_part.h"
#include "controller/swarm_actions.h"
#include "controller/world_facts.h"
#include "decide/placement/move_rule.h"

namespace hive::controller {
namespace {

namespace placement = decide::placement;
using placement::MoveWay;
using placement::Slot;
using placement::SlotState;

constexpr std::int64_t kSettledMs = 500;  // new tasks serve so long before old ones go
// A new task that has no node or no image after this time is not waited for.
constexpr std::int64_t kNoRoomMs = 20'000;

using Numbers = std::vector<std::int64_t>;

Numbers numbers_in(const Json& state, const char* key) {
  Numbers out;
  if (const Json* list = json_member(state, key); list != nullptr && list->is_array())
    for (const Json& one : *list) out.push_back(one.get<std::int64_t>());
  return out;
}

bool has_number(const Numbers& numbers, std::int64_t number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

Numbers numbers_of(const std::vector<Slot>& slots) {
  Numbers out;
  for (const Slot& slot : slots) out.push_back(slot.number);
  return out;
}

std::vector<Slot> outside_of(const std::vector<Slot>& slots, const Numbers& numbers) {
  std::vector<Slot> out;
  for (const Slot& slot : slots)
    if (!has_number(numbers, slot.number)) out.push_back(slot);
  return out;
}

std::vector<Slot> among(const std::vector<Slot>& slots, const Numbers& numbers) {
  std::vector<Slot> out;
  for (const Slot& slot : slots)
    if (has_number(numbers, slot.number)) out.push_back(slot);
  return out;
}

// hive-init is the first process of all that are seen there.
bool holds(const World& world, const model::Service& service, const std::vector<Slot>& slots,
           const Numbers& leaving) {
  if (!service.own_init) return false;
  for (const Slot& slot : slots) {
    if (!has_number(leaving, slot.number) || slot.state != SlotState::kRunning) continue;
    const auto report = world.reports.find(slot.node_id);
    if (report == world.reports.end()) continue;
    for (const auto& container : report->second.containers)
      if (container.task_id == slot.task_id && !container.init.empty() && !slot.facts.held)
        return false;
  }
  return true;
}

const char* word_of(MoveWay way) {
  if (way == MoveWay::kSurge) return "surge";
  return way == MoveWay::kOneByOne ? "one by one" : "with node";
}

struct Mover {
  const World& world;
  const MoveAsk& ask;
  Json& state;
  OperationStep& step;
  std::vector<Slot> slots;
  MoveProgress out;

  void begin() {
    const auto rule = placement::move_rule(world.snapshot, ask.service, slots, ask.leaving,
                                           holds(world, ask.service, slots, ask.leaving));
    state = Json{{"way", word_of(rule.way)},
                 {"from", ask.service.replicas},
                 {"slots", ask.leaving},
                 {"others", numbers_of(outside_of(slots, ask.leaving))},
                 {"since_unix_ms", world.now_unix_ms}};
    if (!rule.why.empty())
      step.notes.push_back(ask.service.name + ": " +
                           (rule.way == MoveWay::kOneByOne ? "its tasks move one by one, since "
                                                           : "left to Swarm, since ") +
                           rule.why);
  }

  // How many shall serve before an old task goes: no more than did, since what did not run anyway
  // is not waited for. One look alone does not know it: a new edge finds no task ready yet.
  std::uint64_t need() {
    const auto served = placement::serving(among(slots, numbers_in(state, "others"))) +
                        numbers_in(state, "slots").size();
    const auto from = static_cast<std::uint64_t>(json_int(state, "from"));
    const auto before = static_cast<std::uint64_t>(json_int(state, "need"));
    const std::uint64_t now = std::max(before, std::min<std::uint64_t>(from, served));
    state["need"] = now;
    return now;
  }

  void surge() {
    const auto from = static_cast<std::uint64_t>(json_int(state, "from"));
    const Numbers leaving = numbers_in(state, "slots");
    if (json_bool(state, "shrinking")) return take_back(leaving, from);
    if (ask.leaving.empty()) {
      // They went by themselves.
      state["shrinking"] = true;
      return take_back({}, from);
    }
    const auto others = outside_of(slots, leaving);
    const auto needed = need();
    if (ask.service.replicas <= from) {
      step.actions.push_back(scale_action(ask.service, from + leaving.size(), ask.reason));
      out.doing = "starts " + std::to_string(leaving.size()) + " more of " + ask.service.name;
      return;
    }
    if (placement::serving(others) < needed) return wait_for(others, from, needed);
    out.ready = settled();
    out.doing = "verifies that the new tasks of " + ask.service.name + " stay";
    if (!out.ready) return;
    out.doing = "may let the old tasks of " + ask.service.name + " go";
    if (!ask.may_stop) return;
    state["shrinking"] = true;
    take_back(leaving, from);
  }

  bool settled() {
    if (!state.contains("serving_unix_ms")) state["serving_unix_ms"] = world.now_unix_ms;
    const auto left = kSettledMs - (world.now_unix_ms - json_int(state, "serving_unix_ms"));
    if (left > 0) step.look_again = std::min(kTasksLookAgain, Milliseconds(left));
    return left <= 0;
  }

  void wait_for(const std::vector<Slot>& others, std::uint64_t from, std::uint64_t needed) {
    state.erase("serving_unix_ms");
    step.look_again = kTasksLookAgain;
    out.doing = "waits until " + std::to_string(needed) + " other tasks of " + ask.service.name +
                " serve (" + std::to_string(placement::serving(others)) + ")";
    const bool stuck = std::any_of(others.begin(), others.end(), [](const Slot& slot) {
      return slot.state == SlotState::kWaiting && slot.node_id.empty();
    });
    if (!stuck || world.now_unix_ms - json_int(state, "since_unix_ms") < kNoRoomMs) return;
    // Those without a node go first, exactly.
    step.notes.push_back(ask.service.name +
                         ": no node has room for more of its tasks; they move "
                         "one by one");
    state["way"] = word_of(MoveWay::kOneByOne);
    step.actions.push_back(scale_action(ask.service, from, "no node has room for more"));
  }

  void take_back(const Numbers& among, std::uint64_t from) {
    Json part = part_of(state, "shrink");
    const ShrinkAsk shrink{ask.service, from, among, ask.leaving, ask.by, ask.reason, false};
    out.moved = shrink_part(world, shrink, part, step);
    state["shrink"] = std::move(part);
    out.ready = true;
    out.doing = "waits until the old tasks of " + ask.service.name + " let go";
  }

  // One after the other: the next only when all others serve.
  void one_by_one() {
    out.ready = true;
    step.look_again = kTasksLookAgain;
    const auto needed = need();
    const std::string task = json_string(state, "task");
    const auto current = std::find_if(slots.begin(), slots.end(),
                                      [&](const Slot& slot) { return slot.task_id == task; });
    if (!task.empty() && current != slots.end()) {
      out.doing = "waits until " + current->name + " lets go";
      step.stops.push_back({task, ask.by, ask.reason, false});
      return;
    }
    const auto serving = placement::serving(slots);
    if (ask.leaving.empty() && serving >= std::min<std::uint64_t>(needed, slots.size())) {
      out.moved = true;
      return;
    }
    out.doing = "waits until " + ask.service.name + " serves again";
    // No more than one is missing at any time.
    if (ask.leaving.empty() || serving < needed || !ask.may_stop) {
      if (!ask.leaving.empty() && !ask.may_stop) out.doing = "may let its tasks go";
      return;
    }
    for (const Slot& slot : slots)
      if (slot.number == ask.leaving.front()) {
        state["task"] = slot.task_id;
        step.stops.push_back({slot.task_id, ask.by, ask.reason, false});
        out.doing = "stops " + slot.name;
      }
  }
};

}  // namespace

MoveProgress move_part(const World& world, const MoveAsk& ask, Json& state, OperationStep& step) {
  Mover mover{
      world, ask, state, step, placement::live_slots(world.snapshot, ask.service, facts_of(world)),
      {}};
  if (state.is_null()) mover.begin();
  const std::string way = json_string(state, "way");
  if (way == word_of(MoveWay::kWithNode)) {
    mover.out = {ask.leaving.empty(), true, true, "leaves " + ask.service.name + " to Swarm"};
    return mover.out;
  }
  if (updating(ask.service) && !json_bool(state, "shrinking")) {
    mover.out.doing = "waits until the update of " + ask.service.name + " has ended";
    return mover.out;
  }
  if (way == word_of(MoveWay::kSurge))
    mover.surge();
  else
    mover.one_by_one();
  return mover.out;
}

bool unmove_part(const World& world, const MoveAsk& ask, Json& state, OperationStep& step) {
  const auto from = static_cast<std::uint64_t>(json_int(state, "from"));
  if (json_string(state, "way") != word_of(MoveWay::kSurge) || ask.service.replicas <= from)
    return true;
  Json part = part_of(state, "shrink");
  const ShrinkAsk shrink{ask.service, from, {}, {}, ask.by, "the operation was asked to end",
                         false};
  const bool done = shrink_part(world, shrink, part, step);
  state["shrink"] = std::move(part);
  return done;
}

}  // namespace hive::controller
