#include "decide/placement/exact_shrink.h"

#include <algorithm>
#include <map>

namespace hive::decide::placement {
namespace {

constexpr Milliseconds kLookAgain{250};

bool contains(const std::vector<std::int64_t>& list, std::int64_t number) {
  return std::find(list.begin(), list.end(), number) != list.end();
}

bool is_victim(const std::vector<Victim>& victims, std::int64_t number) {
  return std::any_of(victims.begin(), victims.end(),
                     [&](const Victim& victim) { return victim.slot == number; });
}

// Swarm would take it first, and goes on to for some time.
bool out_of_the_way(const Slot& slot, const ShrinkLook& look) {
  if (slot.state == SlotState::kWaiting) return true;
  return slot.state == SlotState::kPlanned &&
         slot.created_unix_ms + look.restart_delay_ms - look.now_unix_ms >= kWindowMarginMs;
}

// Swarm finds a node for it just now, and where it will stand in Swarm's order is not known yet.
bool is_being_placed(const Slot& slot, const ShrinkLook& look) {
  return slot.node_id.empty() && look.now_unix_ms - slot.created_unix_ms < kPlacingMs;
}

// More live than are written, and Swarm has had the time to remove them.
bool forgotten(const ShrinkLook& look) {
  return look.slots.size() > look.replicas && look.surplus_ms >= kForgottenMs;
}

// Those still there; more than are needed are let live, unless their stop has begun.
std::vector<Victim> keep(const std::vector<Victim>& victims, const ShrinkLook& look,
                         std::size_t needed) {
  std::vector<Victim> out;
  std::vector<Victim> spare;
  for (const Victim& victim : victims) {
    const auto slot = std::find_if(look.slots.begin(), look.slots.end(),
                                   [&](const Slot& s) { return s.number == victim.slot; });
    if (slot == look.slots.end()) continue;
    const bool runs_on = slot->state == SlotState::kRunning && !slot->facts.leaving;
    (runs_on ? spare : out).push_back(victim);
  }
  for (Victim& victim : spare)
    if (out.size() < needed) out.push_back(std::move(victim));
  return out;
}

void choose(ShrinkStep& step, const ShrinkLook& look, std::size_t needed) {
  if (step.victims.size() >= needed) return;
  std::vector<Slot> candidates;
  for (const Slot& slot : look.slots)
    if (!is_victim(step.victims, slot.number) &&
        (look.among.empty() || contains(look.among, slot.number)))
      candidates.push_back(slot);
  step.chosen = choose_victims(candidates, needed - step.victims.size());
  step.victims.insert(step.victims.end(), step.chosen.begin(), step.chosen.end());
}

// Go's sort keeps equals in their order only up to so many.
constexpr std::size_t kStableSort = 12;

// Whether Swarm, told to remove so many, takes none that runs, or may run by then; as it is now, or
// once all victims have stopped.
bool takes_idle_ones(const ShrinkLook& look, const std::vector<Victim>& victims, std::size_t count,
                     bool once_stopped = false) {
  struct Place {
    std::size_t nth = 0;
    bool runs = false;
  };
  std::map<std::string, std::size_t> on_node;
  std::vector<Place> order;
  for (const bool running : {true, false})
    for (const Slot& slot : look.slots) {
      const bool placed = !slot.node_id.empty();
      const bool gone =
          is_victim(victims, slot.number) && (once_stopped || out_of_the_way(slot, look));
      const bool may_run = !gone && (slot.state == SlotState::kRunning || placed);
      if (may_run != running) continue;
      order.push_back({placed ? ++on_node[slot.node_id] : look.slots.size() + 1, running});
    }
  const bool idle_first = look.slots.size() <= kStableSort;
  std::sort(order.begin(), order.end(), [&](const Place& a, const Place& b) {
    if (a.nth != b.nth) return a.nth > b.nth;
    return idle_first ? !a.runs && b.runs : a.runs && !b.runs;
  });
  order.resize(std::min(count, order.size()));
  return std::none_of(order.begin(), order.end(), [](const Place& place) { return place.runs; });
}

ShrinkStep let_swarm_take(const ShrinkLook& look) {
  ShrinkStep step;
  step.uneven = true;
  const std::size_t live = look.slots.size();
  bool all_serve = true;
  for (const Slot& slot : look.slots) {
    const bool runs = slot.state == SlotState::kRunning;
    all_serve = all_serve && runs && slot.facts.healthy && !slot.facts.leaving;
    if (contains(look.leaving, slot.number) && (runs || slot.state == SlotState::kStarting))
      step.stop.push_back(slot.task_id);
  }
  if (all_serve && step.stop.empty() && (look.replicas > look.target || forgotten(look)))
    step.scale_to = look.target;
  step.stopping = live > look.target ? live - look.target : 0;
  step.look_again = kLookAgain;
  step.done = look.replicas <= look.target && live <= look.target;
  return step;
}

}  // namespace

ShrinkStep shrink(const std::vector<Victim>& victims, const ShrinkLook& look) {
  if (look.uneven) return let_swarm_take(look);
  ShrinkStep step;
  const std::size_t live = look.slots.size();
  const std::size_t needed = live > look.target ? live - look.target : 0;
  step.victims = keep(victims, look, needed);
  choose(step, look, needed);
  std::uint64_t remain = 0;
  bool placing = false;
  for (const Slot& slot : look.slots) {
    placing = placing || is_being_placed(slot, look);
    if (!is_victim(step.victims, slot.number)) {
      ++remain;
      continue;
    }
    ++step.stopping;
    if (out_of_the_way(slot, look)) continue;
    ++remain;
    if (slot.state == SlotState::kRunning || slot.state == SlotState::kStarting)
      step.stop.push_back(slot.task_id);
  }
  const std::uint64_t wanted = std::max(look.target, remain);
  if (wanted < look.replicas || (wanted == look.replicas && forgotten(look)))
    step.scale_to = wanted;
  if (placing) step.scale_to.reset();
  if (step.scale_to && live > wanted && !takes_idle_ones(look, step.victims, live - wanted)) {
    step.scale_to.reset();
    // One that still stops may be all that makes it uneven: then the shrink waits for it.
    step.uneven = !takes_idle_ones(look, step.victims, step.victims.size(), true);
  }
  if (step.stopping > 0) step.look_again = kLookAgain;
  step.done = look.replicas <= look.target && live <= look.target;
  return step;
}

}  // namespace hive::decide::placement
