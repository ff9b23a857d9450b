#include "simulator/baselines/kpa.h"

#include <algorithm>
#include <cmath>

namespace hive::simulator {
namespace {

constexpr std::int64_t kKpaPeriod = 2;
constexpr std::int64_t kStableWindow = 60;
constexpr double kPanicThreshold = 2;
constexpr double kMaxUp = 1000;
constexpr double kMaxDown = 2;

int within(double desired, int ready) {
  const double most = std::ceil(kMaxUp * ready);
  const double least = std::floor(ready / kMaxDown);
  return static_cast<int>(std::clamp(std::ceil(desired - 1e-9), least, most));
}

}  // namespace

int Kpa::step(const Seen& seen) {
  if (wanted_ == 0) wanted_ = seen.ready + seen.starting;
  if (seen.known) {
    stable_.add(seen.in_flight);
    panic_.add(seen.in_flight);
  }
  if (++seconds_ % kKpaPeriod != 0 || !seen.known) return wanted_;
  const int ready = std::max(1, seen.ready);
  const int stable = within(stable_.mean() / target_, ready);
  const int panic = within(panic_.mean() / target_, ready);
  if (std::ceil(panic_.mean() / target_) / ready >= kPanicThreshold) {
    if (panic_until_ == 0) most_in_panic_ = 0;
    panic_until_ = seen.now + kStableWindow;
  } else if (seen.now >= panic_until_) {
    panic_until_ = 0;
  }
  wanted_ = stable;
  if (panics()) {
    most_in_panic_ = std::max({most_in_panic_, stable, panic, seen.ready});
    wanted_ = most_in_panic_;
  }
  wanted_ = std::max(1, wanted_);
  return wanted_;
}

}  // namespace hive::simulator
