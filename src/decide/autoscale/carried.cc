#include "decide/autoscale/carried.h"

#include <algorithm>

namespace hive::decide::autoscale {
namespace {

constexpr double kOpenWeight = 1.0 / 3;        // of the newest second
constexpr double kFaster = 0.1;                // how quickly a shorter time becomes the usual one
constexpr double kSlower = 1.0 / 3'600;        // and a longer one: within hours
constexpr double kRise = 0.3;                  // of the level, towards what goes well
constexpr double kFall = 1.0 / 60;             // towards what does not
constexpr double kForget = 1 - 1.0 / 604'800;  // a week

}  // namespace

void Carried::observe(double open, int ready, std::optional<double> latency_s) {
  open_ = begun_ ? open_ + kOpenWeight * (open - open_) : open;
  begun_ = true;
  if (!latency_s || ready <= 0) {
    slow_ = false;
    return;
  }
  usual_s_ = seen_ == 0
                 ? *latency_s
                 : usual_s_ + (*latency_s < usual_s_ ? kFaster : kSlower) * (*latency_s - usual_s_);
  seen_ = std::min(seen_ + 1, kSeconds);
  slow_ = *latency_s > kSlow * usual_s_ + kSlack_s;
  // What was open a moment ago is not what is carried now.
  const double carries = std::min(open, open_) / ready;
  if (!slow_)
    level_ = carries > level_ ? level_ + kRise * (carries - level_) : level_ * kForget;
  else if (open_ / ready < level_)
    level_ += kFall * (open_ / ready - level_);
  level_ = std::max(level_, kLeast);
}

std::optional<double> Carried::level() const {
  if (seen_ < kSeconds) return std::nullopt;
  return level_;
}

}  // namespace hive::decide::autoscale
