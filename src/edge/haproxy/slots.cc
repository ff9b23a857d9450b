#include "edge/haproxy/slots.h"

#include <map>
#include <utility>

namespace hive::edge::haproxy {
namespace {

using Address = std::pair<std::string, std::uint16_t>;

bool same_service(const Slot& a, const Slot& b) {
  return a.address == b.address && a.port == b.port && a.state == b.state && a.weight == b.weight;
}

// Never used first, then idle, then busy.
int reluctance(const Slot& slot) {
  if (slot.port == kNoPort && slot.address == kNoAddress) return 0;
  return slot.busy ? 2 : 1;
}

}  // namespace

std::size_t slots_needed(std::size_t servers) {
  std::size_t slots = kMinSlots;
  while (slots < servers) slots *= 2;
  return slots;
}

SlotPlan plan_slots(const std::vector<Slot>& actual, const std::vector<Slot>& wanted) {
  constexpr auto kNowhere = static_cast<std::size_t>(-1);
  SlotPlan plan;
  plan.placed.assign(wanted.size(), kNowhere);
  std::map<Address, std::size_t> by_address;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const auto [at, fresh] = by_address.try_emplace({actual[i].address, actual[i].port}, i);
    if (!fresh && actual[at->second].state == SlotState::kMaint) at->second = i;
  }
  std::vector<bool> taken(actual.size(), false);
  for (std::size_t w = 0; w < wanted.size(); ++w) {
    const auto found = by_address.find({wanted[w].address, wanted[w].port});
    if (found == by_address.end() || taken[found->second]) continue;
    taken[found->second] = true;
    plan.placed[w] = found->second;
  }
  std::vector<std::size_t> free_slots;
  for (int level = 0; level <= 2; ++level)
    for (std::size_t i = 0; i < actual.size(); ++i)
      if (!taken[i] && reluctance(actual[i]) == level) free_slots.push_back(i);
  std::size_t next_free = 0;
  for (std::size_t w = 0; w < wanted.size(); ++w) {
    if (plan.placed[w] != kNowhere || next_free == free_slots.size()) continue;
    plan.placed[w] = free_slots[next_free++];
    taken[plan.placed[w]] = true;
  }
  for (std::size_t w = 0; w < wanted.size(); ++w)
    if (plan.placed[w] != kNowhere && !same_service(actual[plan.placed[w]], wanted[w]))
      plan.changes.push_back({plan.placed[w], wanted[w]});
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (taken[i] || actual[i].state == SlotState::kMaint) continue;
    Slot freed = actual[i];
    freed.state = SlotState::kMaint;
    plan.changes.push_back({i, freed});
  }
  return plan;
}

std::vector<std::string> commands_for(const std::string& server, const Slot& from, const Slot& to) {
  const std::string set = "set server " + server + " ";
  std::vector<std::string> commands;
  const bool moves = from.address != to.address || from.port != to.port;
  SlotState state = from.state;
  if (moves) {
    if (state != SlotState::kMaint) commands.push_back(set + "state maint");
    state = SlotState::kMaint;
    commands.push_back(set + "addr " + to.address + " port " + std::to_string(to.port));
  }
  if (from.weight != to.weight) commands.push_back(set + "weight " + std::to_string(to.weight));
  if (state != to.state)
    commands.push_back(set + "state " +
                       (to.state == SlotState::kReady   ? "ready"
                        : to.state == SlotState::kDrain ? "drain"
                                                        : "maint"));
  return commands;
}

}  // namespace hive::edge::haproxy
