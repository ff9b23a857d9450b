#include "simulator/fleet.h"

#include <algorithm>
#include <cmath>

#include "simulator/draw.h"

namespace hive::simulator {

Fleet::Fleet(const WorldOptions& options, int initial)
    : options_(options), random_(options.seed), ready_(initial) {
  for (int left = initial; left > 0; left -= options.density)
    pool_.push_back({.up_at = 0, .replicas = std::min(left, options.density)});
  nodes_ = static_cast<int>(pool_.size());
}

double Fleet::boot_time() {
  if (!options_.spread) return options_.boot_s;
  return draw_log_normal(random_, options_.spread->median_s, options_.spread->p90_s);
}

void Fleet::settle(std::int64_t second) {
  next_ready_ = INT64_MAX;
  std::size_t kept = 0;
  for (const Starting& one : starting_) {
    if (one.ready_at <= second) {
      ++ready_;
      continue;
    }
    next_ready_ = std::min(next_ready_, one.ready_at);
    starting_[kept++] = one;
  }
  starting_.resize(kept);
}

std::size_t Fleet::node_with_room() {
  std::size_t best = pool_.size();
  if (options_.density == 1) return best;
  for (std::size_t i = 0; i < pool_.size(); ++i)
    if (pool_[i].replicas > 0 && pool_[i].replicas < options_.density &&
        (best == pool_.size() || pool_[i].up_at < pool_[best].up_at))
      best = i;
  return best;
}

void Fleet::add(std::int64_t second) {
  std::size_t node = node_with_room();
  if (node == pool_.size()) {
    const auto gone =
        std::find_if(pool_.begin(), pool_.end(), [](const Node& one) { return one.replicas == 0; });
    node = static_cast<std::size_t>(gone - pool_.begin());
    if (gone == pool_.end()) pool_.emplace_back();
    pool_[node] = {.up_at = second + std::llround(boot_time())};
    ++nodes_;
    ++booted_;
  }
  ++pool_[node].replicas;
  const std::int64_t ready_at =
      std::max(second, pool_[node].up_at) + std::llround(options_.container_start_s);
  starting_.push_back({ready_at, node});
  next_ready_ = std::min(next_ready_, ready_at);
}

void Fleet::leave(std::size_t node) {
  if (--pool_[node].replicas == 0) --nodes_;
}

void Fleet::remove() {
  if (!starting_.empty()) {
    leave(starting_.back().node);
    starting_.pop_back();
    return;
  }
  std::size_t best = pool_.size();
  for (std::size_t i = pool_.size(); i-- > 0;)
    if (pool_[i].replicas > 0 && (best == pool_.size() || pool_[i].replicas < pool_[best].replicas))
      best = i;
  leave(best);
  --ready_;
}

int Fleet::want(std::int64_t second, int replicas) {
  booted_ = 0;
  while (ready_ + starting() < replicas) add(second);
  while (ready_ + starting() > replicas) remove();
  settle(second);
  return booted_;
}

}  // namespace hive::simulator
