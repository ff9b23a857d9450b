#include "decide/fleet/rule.h"

#include <algorithm>
#include <tuple>

#include "decide/placement/move_rule.h"

namespace hive::decide::fleet {
namespace {

constexpr int kSurged = 1;      // a task that moves without a dip
constexpr int kOneByOne = 10;   // with one replica missing for a while
constexpr int kCutOff = 1'000;  // what it has in flight is lost

std::string count_of(int count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

struct Candidate {
  const Worker* worker = nullptr;
  int tasks = 0;
  int cost = 0;
};

// What emptying the node costs, in tasks that move without a dip.
Candidate candidate_of(const model::Snapshot& snapshot, const Worker& worker) {
  Candidate out{&worker, 0, 0};
  for (const auto& [id, service] : snapshot.services) {
    if (service.global) continue;
    std::vector<std::int64_t> leaving;
    const auto slots = placement::live_slots(snapshot, service, {});
    for (const auto& slot : slots)
      if (slot.node_id == worker.node_id) leaving.push_back(slot.number);
    if (leaving.empty()) continue;
    const auto rule = placement::move_rule(snapshot, service, slots, leaving, service.own_init);
    const int each = rule.way == placement::MoveWay::kSurge      ? kSurged
                     : rule.way == placement::MoveWay::kOneByOne ? kOneByOne
                                                                 : kCutOff;
    out.tasks += static_cast<int>(leaving.size());
    out.cost += each * static_cast<int>(leaving.size());
  }
  return out;
}

// Those that may go, the cheapest first, the newest of equals.
std::vector<Candidate> candidates(const FleetView& view) {
  std::vector<const Worker*> by_age;
  for (const Worker& worker : view.workers)
    if (worker.instance_id != view.leaving) by_age.push_back(&worker);
  std::sort(by_age.begin(), by_age.end(), [](const Worker* a, const Worker* b) {
    return std::tie(a->launched_unix_ms, a->hostname) < std::tie(b->launched_unix_ms, b->hostname);
  });
  std::vector<Candidate> out;
  for (std::size_t i = static_cast<std::size_t>(std::max(0, view.min)); i < by_age.size(); ++i)
    if (by_age[i]->serves) out.push_back(candidate_of(view.snapshot, *by_age[i]));
  std::sort(out.begin(), out.end(), [](const Candidate& a, const Candidate& b) {
    return std::tuple(a.cost, -a.worker->launched_unix_ms, a.worker->hostname) <
           std::tuple(b.cost, -b.worker->launched_unix_ms, b.worker->hostname);
  });
  return out;
}

// How many of them could go together, with a place for everything on the others.
int spare_of(NeedAsk ask, const Need& now, const std::vector<Candidate>& may_go) {
  if (now.nodes > 0) return 0;
  int out = 0;
  for (const Candidate& one : may_go) {
    ask.without.insert(one.worker->node_id);
    const Need left = need(ask);
    if (left.nodes > 0 || left.unplaceable > now.unplaceable) return out;
    ++out;
  }
  return out;
}

int count_there(const FleetView& view) {
  return static_cast<int>(view.workers.size()) + view.unborn;
}

}  // namespace

struct FleetRule::Sight {
  std::vector<Candidate> may_go;
  int spare = 0;  // of those
  int stay = 0;   // workers, without the one that leaves
  int most = 0;   // that were needed at any moment of the window
};

int FleetRule::most_needed(const FleetView& view, int needed) {
  if (needed_.empty()) since_ = view.second;
  while (!needed_.empty() && needed_.back().second <= needed) needed_.pop_back();
  needed_.emplace_back(view.second, needed);
  while (needed_.front().first < view.second - view.window_s) needed_.pop_front();
  // A window that was not seen whole allows nothing.
  return view.second - since_ < view.window_s ? view.max : needed_.front().second;
}

// `lost`: dead ones without which there are fewer than the minimum.
void FleetRule::grow(const FleetView& view, const Need& now, int lost, FleetDecision& out) {
  const bool needed = now.nodes > 0;
  out.reason = needed ? now.what : count_of(lost, "worker") + " died";
  if (!view.leaving.empty() && view.may_stay) {
    out.call_off = true;
    out.reason += needed ? " need the node that is being emptied"
                         : ", so that the node that is being emptied stays";
    return;
  }
  const int there = count_there(view);
  const int may = std::min(std::max(now.nodes, lost), view.max - there);
  if (needed)
    out.reason += now.waiting == 1 ? " finds no node with room" : " find no node with room";
  else
    out.reason += ", and x-hive.workers.min is " + std::to_string(view.min);
  if (may <= 0) {
    out.reason += ": there are " + count_of(there, "worker") + ", and x-hive.workers.max is " +
                  std::to_string(view.max);
  } else if (!view.frozen.empty()) {
    out.reason += ", but " + view.frozen;
  } else {
    out.start = may;
    out.replacing = std::min(lost, may);
  }
}

void FleetRule::shrink(const FleetView& view, const Sight& sight, FleetDecision& out) const {
  out.reason = std::to_string(sight.spare) + " of " + count_of(sight.stay, "worker") + " could go";
  if (view.coming > 0 || !view.leaving.empty()) return;
  const std::string& held = view.frozen.empty() ? view.busy : view.frozen;
  if (sight.most >= sight.stay) {
    out.reason += " once not needed for " + std::to_string(view.window_s) + " s";
  } else if (!held.empty()) {
    out.reason += ", but " + held;
  } else {
    const Candidate& first = sight.may_go.front();
    out.end = first.worker->instance_id;
    out.reason = "not needed for " + std::to_string(view.window_s) + " s, and " +
                 first.worker->hostname + " is the cheapest to empty: " +
                 (first.tasks == 0 ? std::string("nothing runs there")
                                   : count_of(first.tasks, "task") + " to move");
  }
}

FleetDecision FleetRule::decide(const FleetView& view) {
  FleetDecision out;
  std::set<std::string> without = view.going;
  for (const Worker& worker : view.workers)
    if (worker.instance_id == view.leaving && !worker.node_id.empty())
      without.insert(worker.node_id);
  const NeedAsk ask{view.snapshot, view.wants, without, worker_shape(view.snapshot),
                    view.coming,   view.max};
  const Need now = need(ask);
  out.impossible = now.impossible;
  Sight sight{.may_go = candidates(view)};
  sight.spare = spare_of(ask, now, sight.may_go);
  sight.stay = count_there(view) - (view.leaving.empty() ? 0 : 1);
  out.needed =
      std::clamp(sight.stay + now.nodes - sight.spare, view.min, std::max(view.min, view.max));
  sight.most = most_needed(view, out.needed);
  const int lost = std::min(view.dead, view.min - sight.stay);
  if (now.nodes > 0 || lost > 0) {
    grow(view, now, std::max(0, lost), out);
  } else if (now.waiting > 0) {
    out.reason = now.what + (now.waiting == 1 ? " waits for " : " wait for ") +
                 count_of(view.coming, "worker") +
                 (view.coming == 1 ? " that starts" : " that start");
  } else if (sight.spare > 0) {
    shrink(view, sight, out);
  } else {
    out.reason = count_of(sight.stay, "worker") + (sight.stay == 1 ? " is" : " are") + " right";
  }
  return out;
}

}  // namespace hive::decide::fleet
