#include "decide/placement/rebalance.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

#include "decide/placement/constraints.h"
#include "decide/placement/move_rule.h"
#include "decide/placement/room.h"
#include "decide/placement/victims.h"

namespace hive::decide::placement {
namespace {

constexpr std::size_t kUneven = 2;  // with a difference of one it is as even as it can be

bool quiet(const model::Snapshot& snapshot, std::int64_t now_unix_ms) {
  for (const auto& [id, node] : snapshot.nodes)
    if (node.state != model::NodeState::kReady) return false;
  for (const auto& [id, service] : snapshot.services)
    if (service.update_state == "updating" || service.update_state == "rollback_started")
      return false;
  return std::none_of(snapshot.tasks.begin(), snapshot.tasks.end(), [&](const auto& entry) {
    return now_unix_ms - entry.second.state_since_unix_ms < kRestMs;
  });
}

// A node that may have tasks of the service, and those that it has.
struct Seat {
  const model::Node* node = nullptr;
  bool has_room = true;  // for one more
  std::vector<Slot> slots;
};

// Nodes that Swarm holds against others of their kind: those with one value of a preference's
// label, or one node.
struct Group {
  std::string name;
  std::vector<const Seat*> seats;

  std::size_t tasks() const {
    return std::accumulate(
        seats.begin(), seats.end(), std::size_t{0},
        [](std::size_t sum, const Seat* seat) { return sum + seat->slots.size(); });
  }
  bool has_room() const {
    return std::any_of(seats.begin(), seats.end(), [](const Seat* seat) { return seat->has_room; });
  }
};

bool fewer(const Group& a, const Group& b) { return a.tasks() < b.tasks(); }

// Empty when it cannot be told.
std::vector<Seat> seats_of(const model::Snapshot& snapshot, const model::Service& service,
                           const std::vector<Slot>& slots) {
  std::vector<Seat> out;
  std::map<std::string_view, std::size_t> at;
  for (const auto& [id, node] : snapshot.nodes) {
    const auto admitted = admits(node, service.constraints);
    if (!admitted) return {};
    if (!*admitted || node.availability != model::Availability::kActive) continue;
    at.emplace(id, out.size());
    out.push_back({.node = &node});
  }
  for (const Slot& slot : slots) {
    const auto seat = at.find(slot.node_id);
    if (seat == at.end()) return {};  // it will be moved for another reason
    out[seat->second].slots.push_back(slot);
  }
  return out;
}

// By the preference at `level`; node by node after the last. One that Swarm passes over parts
// nothing.
std::vector<Group> groups_of(const Group& whole, const std::vector<std::string>& spread,
                             std::size_t level) {
  std::map<std::string, Group> out;
  for (const Seat* seat : whole.seats) {
    std::string key = seat->node->id;
    std::string name = seat->node->hostname;
    if (level < spread.size()) {
      key = spread_value(*seat->node, spread[level]).value_or("");
      name = spread[level] + (key.empty() ? " without a value" : " " + key);
    }
    Group& group = out[key];
    group.name = name;
    group.seats.push_back(seat);
  }
  std::vector<Group> list;
  list.reserve(out.size());
  for (auto& [key, group] : out) list.push_back(std::move(group));
  return list;
}

struct Uneven {
  Group full;
  Group empty;
  std::size_t level = 0;  // of the groups in `full`
};

// Swarm gives a new task to the group with the fewest that has room, and in it again: so the first
// level at which groups differ by two is made even first.
std::optional<Uneven> uneven(const Group& whole, const std::vector<std::string>& spread,
                             std::size_t level) {
  const auto groups = groups_of(whole, spread, level);
  if (groups.empty()) return std::nullopt;
  const Group* empty = nullptr;
  for (const Group& group : groups)
    if (group.has_room() && (empty == nullptr || fewer(group, *empty))) empty = &group;
  const auto full = std::max_element(groups.begin(), groups.end(), fewer);
  if (empty != nullptr && full->tasks() >= empty->tasks() + kUneven)
    return Uneven{*full, *empty, level + 1};
  if (level == spread.size()) return std::nullopt;
  for (const Group& group : groups)
    if (auto out = uneven(group, spread, level + 1)) return out;
  return std::nullopt;
}

// The fullest node of the fullest groups.
const Seat& fullest(Group group, const std::vector<std::string>& spread, std::size_t level) {
  for (; level <= spread.size(); ++level) {
    const auto groups = groups_of(group, spread, level);
    group = *std::max_element(groups.begin(), groups.end(), fewer);
  }
  return *group.seats.front();
}

// Reservations are counted once it is known that something is uneven: most is not.
std::optional<RebalanceMove> move_of(const model::Snapshot& snapshot, const Facts& facts,
                                     const model::Service& service, std::optional<Room>& room) {
  const auto slots = live_slots(snapshot, service, facts);
  if (slots.size() != service.replicas || serving(slots) != slots.size()) return std::nullopt;
  auto seats = seats_of(snapshot, service, slots);
  Group whole;
  for (const Seat& seat : seats) whole.seats.push_back(&seat);
  if (!uneven(whole, service.spread, 0)) return std::nullopt;
  if (!room) room.emplace(snapshot);
  for (Seat& seat : seats) seat.has_room = room->has_place_on(seat.node->id, service);
  const auto found = uneven(whole, service.spread, 0);
  if (!found) return std::nullopt;
  const Seat& from = fullest(found->full, service.spread, found->level);
  const auto victim = choose_victims(from.slots, 1).front();
  const auto slot = std::find_if(slots.begin(), slots.end(),
                                 [&](const Slot& one) { return one.number == victim.slot; });
  if (move_rule(snapshot, service, slots, {slot->number}, slot->facts.held).way != MoveWay::kSurge)
    return std::nullopt;
  return RebalanceMove{service.id, slot->task_id,
                       found->full.name + " has " + std::to_string(found->full.tasks()) +
                           " tasks of the service and " + found->empty.name + " has " +
                           std::to_string(found->empty.tasks())};
}

}  // namespace

std::optional<RebalanceMove> next_move(const model::Snapshot& snapshot, const Facts& facts,
                                       std::int64_t now_unix_ms,
                                       const std::vector<RebalanceMove>& lately) {
  if (!quiet(snapshot, now_unix_ms)) return std::nullopt;
  std::optional<Room> room;
  for (const auto& [id, service] : snapshot.services) {
    if (service.global) continue;
    auto move = move_of(snapshot, facts, service, room);
    const auto again = [&](const RebalanceMove& one) {
      return one.service_id == move->service_id && one.why == move->why;
    };
    if (move && std::none_of(lately.begin(), lately.end(), again)) return move;
  }
  return std::nullopt;
}

}  // namespace hive::decide::placement
