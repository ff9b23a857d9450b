#include "controller/shrink_part.h"

#include <algorithm>

#include "base/text.h"
#include "controller/swarm_actions.h"
#include "controller/world_facts.h"

namespace hive::controller {
namespace {

namespace placement = decide::placement;
using placement::Slot;
using placement::Victim;

// An agent that is being started anew says in this time what its containers' first processes are.
constexpr std::int64_t kAgentsSpeakMs = 15'000;
// Beyond the grace period after which Docker itself kills.
constexpr std::int64_t kVictimsStopMs = 60'000;

std::vector<Victim> victims_in(const Json& state) {
  std::vector<Victim> out;
  if (const Json* list = json_member(state, "victims"); list != nullptr && list->is_array())
    for (const Json& one : *list) out.push_back({json_int(one, "slot"), json_string(one, "why")});
  return out;
}

Json victims_json(const std::vector<Victim>& victims) {
  Json out = Json::array();
  for (const Victim& victim : victims) out.push_back({{"slot", victim.slot}, {"why", victim.why}});
  return out;
}

// A stop that cannot be held, or nobody there to carry it out: why.
std::string no_hold(const World& world, const std::vector<Slot>& slots,
                    const std::vector<std::string>& stop, std::int64_t waited_ms) {
  for (const Slot& slot : slots) {
    if (std::find(stop.begin(), stop.end(), slot.task_id) == stop.end() || slot.facts.held)
      continue;
    const auto report = world.reports.find(slot.node_id);
    if (report == world.reports.end()) {
      if (waited_ms > kAgentsSpeakMs) return "no agent answers on " + slot.node;
      continue;
    }
    for (const auto& container : report->second.containers)
      if (container.task_id == slot.task_id && !container.init.empty())
        return slot.name + " runs " + container.init + " as its first process, not hive-init";
    if (waited_ms > kAgentsSpeakMs)
      return "the agent on " + slot.node + " does not see " + slot.name;
  }
  return {};
}

void shrink_plainly(const ShrinkAsk& ask, const std::string& why, OperationStep& step) {
  if (ask.service.replicas <= ask.target) return;
  step.notes.push_back("scaled plainly, since " + why +
                       ": Swarm itself chooses which tasks go, and what they have in flight is cut "
                       "off");
  step.actions.push_back(scale_action(ask.service, ask.target, ask.reason));
}

}  // namespace

std::string why_not_exact(const model::Service& service) {
  if (!service.own_init) return "its containers are not to have hive-init (init: false)";
  if (service.restart_condition != "none" &&
      service.restart_delay_ms < placement::kShortestRestartDelayMs)
    return "its restart delay of " +
           format_duration(std::chrono::milliseconds(service.restart_delay_ms)) +
           " is shorter than 5s";
  return {};
}

bool shrink_part(const World& world, const ShrinkAsk& ask, Json& state, OperationStep& step) {
  const auto slots = placement::live_slots(world.snapshot, ask.service, facts_of(world));
  placement::ShrinkLook look;
  look.now_unix_ms = world.now_unix_ms;
  look.replicas = ask.service.replicas;
  look.target = ask.target;
  if (slots.size() > ask.service.replicas)
    look.surplus_ms =
        world.now_unix_ms - json_int(state, "surplus_since_unix_ms", world.now_unix_ms);
  look.restart_delay_ms = ask.service.restart_delay_ms;
  look.slots = slots;
  look.among = ask.among;
  look.leaving = ask.leaving;
  look.uneven = json_bool(state, "uneven");
  const auto next = placement::shrink(victims_in(state), look);
  if (next.done) return true;
  if (state.is_null()) state = Json{{"since_unix_ms", world.now_unix_ms}};
  if (slots.size() <= ask.service.replicas || next.scale_to)
    state.erase("surplus_since_unix_ms");
  else if (!state.contains("surplus_since_unix_ms"))
    state["surplus_since_unix_ms"] = world.now_unix_ms;
  step.look_again = next.look_again;
  if (const std::string plain = json_string(state, "plain"); !plain.empty()) {
    shrink_plainly(ask, plain, step);
    return false;
  }
  const std::int64_t waited = world.now_unix_ms - json_int(state, "since_unix_ms");
  std::string why = why_not_exact(ask.service);
  if (why.empty() && !next.stop.empty() && !ask.force)
    why = no_hold(world, slots, next.stop, waited);
  if (why.empty() && waited > ask.service.stop_grace_ms + kVictimsStopMs)
    why = "the chosen ones did not go in time";
  if (!why.empty()) {
    state["plain"] = why;
    shrink_plainly(ask, why, step);
    return false;
  }
  state["victims"] = victims_json(next.victims);
  if (next.uneven && !look.uneven) {
    state["uneven"] = true;
    step.notes.push_back(
        "the tasks of " + ask.service.name +
        " are unevenly spread: once all serve again, Swarm takes from the fullest node");
  }
  for (const Victim& victim : next.chosen) step.notes.push_back("chose " + victim.why);
  for (const std::string& task : next.stop)
    step.stops.push_back({task, ask.by, ask.reason, ask.force});
  if (next.scale_to) {
    const bool again = *next.scale_to == ask.service.replicas;
    step.actions.push_back(scale_action(ask.service, *next.scale_to,
                                        again ? "Swarm has forgotten to remove one"
                                        : next.uneven
                                            ? "all serve: Swarm takes from the fullest node"
                                            : "the chosen slot has stopped"));
  }
  return false;
}

}  // namespace hive::controller
