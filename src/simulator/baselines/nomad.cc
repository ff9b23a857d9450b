#include "simulator/baselines/nomad.h"

#include <algorithm>
#include <cmath>

namespace hive::simulator {
namespace {

constexpr std::int64_t kNomadPeriod = 10;
constexpr double kNomadThreshold = 0.01;
constexpr std::int64_t kNomadCooldown = 300;

}  // namespace

int Nomad::step(const Seen& seen) {
  if (wanted_ == 0) wanted_ = seen.ready + seen.starting;
  if (seen.known) usage_.add(seen.utilisation);
  if (++seconds_ % kNomadPeriod != 0 || !seen.known || seen.now < quiet_until_) return wanted_;
  const double factor = usage_.mean() / target_;
  if (std::abs(factor - 1) <= kNomadThreshold) return wanted_;
  const int next = std::max(1, static_cast<int>(std::ceil(wanted_ * factor - 1e-9)));
  if (next == wanted_) return wanted_;
  wanted_ = next;
  quiet_until_ = seen.now + kNomadCooldown;
  return wanted_;
}

}  // namespace hive::simulator
