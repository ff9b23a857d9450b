#include "decide/placement/victims.h"

#include <algorithm>
#include <bit>
#include <map>

namespace hive::decide::placement {
namespace {

// One candidate as the rules see it; what is greater goes first.
struct Rank {
  int idle = 0;  // 2 does not run, 1 is not healthy
  int node_leaves = 0;
  std::int64_t crowd = 0;
  int light = 0;  // the fewer requests, the greater
  std::int64_t created = 0;
  std::int64_t slot = 0;
  auto operator<=>(const Rank&) const = default;
};

using Crowds = std::map<std::string, std::int64_t>;  // slots by node

int lightness(const Slot& slot) {
  if (slot.state != SlotState::kRunning) return 0;
  return -static_cast<int>(std::bit_width(slot.facts.in_flight.value_or(0) / 2));
}

Rank rank_of(const Slot& slot, const Crowds& crowds, bool loads_known) {
  Rank out;
  out.idle = slot.state != SlotState::kRunning ? 2 : (slot.facts.healthy ? 0 : 1);
  out.node_leaves = slot.node_leaves ? 1 : 0;
  out.light = loads_known ? lightness(slot) : 0;
  out.crowd = slot.node_id.empty() ? 0 : crowds.at(slot.node_id);
  out.created = slot.created_unix_ms;
  out.slot = slot.number;
  return out;
}

std::string place(const Slot& slot) {
  return slot.node.empty() ? slot.name : slot.name + " on " + slot.node;
}

// The first rule by which it goes before any of those that stay.
std::string reason(const Slot& slot, const Rank& rank, const std::vector<Rank>& stay) {
  const auto differs = [&](auto Rank::*member) {
    return std::any_of(stay.begin(), stay.end(),
                       [&](const Rank& other) { return rank.*member > other.*member; });
  };
  if (differs(&Rank::idle)) return rank.idle == 2 ? "it does not run" : "it is not healthy";
  if (differs(&Rank::node_leaves)) return "its node is being emptied";
  if (differs(&Rank::crowd))
    return "its node has the most tasks of the service (" + std::to_string(rank.crowd) + ")";
  if (differs(&Rank::light))
    return "it has few requests in flight (" + std::to_string(slot.facts.in_flight.value_or(0)) +
           ")";
  return differs(&Rank::created) ? "it is the newest of equals"
                                 : "it has the highest number of equals";
}

}  // namespace

std::vector<Victim> choose_victims(const std::vector<Slot>& slots, std::size_t count) {
  std::vector<const Slot*> left;
  Crowds crowds;
  bool loads_known = true;
  for (const Slot& slot : slots) {
    left.push_back(&slot);
    if (!slot.node_id.empty()) ++crowds[slot.node_id];
    if (slot.state == SlotState::kRunning && !slot.facts.in_flight) loads_known = false;
  }
  std::vector<Victim> out;
  while (out.size() < count && !left.empty()) {
    const auto before = [&](const Slot* a, const Slot* b) {
      return rank_of(*a, crowds, loads_known) > rank_of(*b, crowds, loads_known);
    };
    std::sort(left.begin(), left.end(), before);
    const Slot& slot = *left.front();
    const std::size_t wanted = count - out.size();
    const Rank rank = rank_of(slot, crowds, loads_known);
    std::vector<Rank> stay;
    for (std::size_t i = wanted; i < left.size(); ++i)
      stay.push_back(rank_of(*left[i], crowds, loads_known));
    out.push_back({slot.number, place(slot) + ": " +
                                    (stay.empty() ? "all of them go" : reason(slot, rank, stay))});
    if (!slot.node_id.empty()) --crowds[slot.node_id];
    left.erase(left.begin());
  }
  return out;
}

}  // namespace hive::decide::placement
