#include "base/backoff.h"

#include <algorithm>

namespace hive {

std::optional<Milliseconds> Backoff::next() {
  if (attempts_ >= policy_.max_attempts) return std::nullopt;
  const int shift = std::min(attempts_ - 1, 20);
  const auto ceiling = std::min<long long>(policy_.max.count(), policy_.first.count() << shift);
  ++attempts_;
  const auto floor = std::min<long long>(policy_.first.count() / 2, ceiling);
  const auto span = static_cast<std::uint64_t>(ceiling - floor);
  return Milliseconds(floor + static_cast<long long>(random_->below(span + 1)));
}

}  // namespace hive
