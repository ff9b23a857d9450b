#include "decide/forecast/load_model.h"

#include <algorithm>
#include <cmath>

namespace hive::decide::forecast {
namespace {

constexpr std::array<double, 6> kWindows{2, 5, 20, 60, 240, 900};
enum Mean : std::size_t { k2, k5, k20, k60, k240, k900 };
constexpr std::int64_t kMinutesKept = 8 * 24 * 60;
constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kDaysKept = 8;
constexpr double kJump = 5;                       // standard deviations of a mean of 5 s
constexpr double kClip = 6;                       // inputs and targets of the regression
constexpr double kNoiseDecay = 1 - 1.0 / 86'400;  // a second
constexpr double kSlowDecay = 1 - 1.0 / 28'800;   // a tick: a day
constexpr double kFastDecay = 1 - 1.0 / 300;      // a tick: 15 min
constexpr double kRidgeDecay = 0.99952;           // a minute: half-life a day
constexpr double kPenalty = 200;                  // ticks
constexpr std::int64_t kTicksPerMinute = 60 / kTick;

std::size_t minute_slot(std::int64_t minute) {
  return static_cast<std::size_t>(((minute % kMinutesKept) + kMinutesKept) % kMinutesKept);
}

}  // namespace

LoadModel::LoadModel(double horizon_s, int phase)
    : horizon_ticks_(std::max(1, static_cast<int>(std::lround(horizon_s / kTick)) + 1)),
      means_(kWindows.size(), 0.0),
      minutes_(static_cast<std::size_t>(kMinutesKept), -1.0F),
      day_max_(static_cast<std::size_t>(kDaysKept), 0.0F),
      ridge_(Features{}, kPenalty),
      tables_(horizon_s),
      pending_(static_cast<std::size_t>(horizon_ticks_) + 1),
      in_tick_(phase % kTick),
      tick_known_(in_tick_ == 0),  // of the first there is a part only
      minute_phase_(phase / kTick) {}

void LoadModel::set_horizon(double horizon_s) {
  const int ticks = std::max(1, static_cast<int>(std::lround(horizon_s / kTick)) + 1);
  if (ticks == horizon_ticks_) return;
  horizon_ticks_ = ticks;
  tables_.set_lead(horizon_s);
  pending_.assign(static_cast<std::size_t>(ticks) + 1, Pending{});
}

void LoadModel::second(double load) {
  ++started_;
  for (std::size_t i = 0; i < kWindows.size(); ++i) {
    double gain = std::max(1 / kWindows[i], 1 / static_cast<double>(started_));
    if (i == k20 || i == k60) gain = std::max(gain, 1 / static_cast<double>(since_jump_ + 2));
    means_[i] += gain * (load - means_[i]);
  }
  ++since_jump_;
  detect_jump();
  if (last_ >= 0) {
    noise_ = noise_ * kNoiseDecay + (load - last_) * (load - last_) / 2;
    noise_mass_ = noise_mass_ * kNoiseDecay + (load + last_) / 2;
  }
  last_ = load;
}

// A step is followed at once: the longer means begin anew with what the last seconds say, and are
// those of the seconds since. It is held against the noise of before: it would hide itself in that
// of a young service.
void LoadModel::detect_jump() {
  if (started_ < 10) return;
  const double per_load = noise_mass_ > 0 ? noise_ / noise_mass_ : 1;
  const double base = std::max(means_[k60], 1e-6);
  const double of_mean = std::sqrt(per_load * base / 5 + 0.0025 * base * base);
  const double off = std::abs(means_[k5] - means_[k60]);
  if (off < kJump * of_mean || std::abs(means_[k2] - means_[k60]) < off / 2) return;
  means_[k20] = means_[k60] = means_[k2];
  since_jump_ = 0;
}

double LoadModel::spread_of(double mean) const {
  const double per_load = noise_mass_ > 0 ? (noise_ + 1) / (noise_mass_ + 1) : 1;
  constexpr double kPriorWide = 0.02;
  const double slow = (wide_slow_ + kPriorWide * 30) / (mass_slow_ + 30);
  const double fast = (wide_fast_ + slow * 100) / (mass_fast_ + 100);
  const double wide = std::sqrt(slow * fast);
  const double level = std::max(mean, 0.05);
  return std::sqrt(per_load * level + wide * level * level);
}

std::optional<double> LoadModel::smooth(std::int64_t moment) const {
  double sum = 0;
  int count = 0;
  std::size_t slot = minute_slot(moment / 60 - 2);
  for (int i = 0; i < 5; ++i, slot = slot + 1 == minutes_.size() ? 0 : slot + 1) {
    const float value = minutes_[slot];
    if (value < 0) continue;
    sum += static_cast<double>(value);
    ++count;
  }
  if (count < 3) return std::nullopt;
  return sum / count;
}

// How the load went, a day or a week ago, over the horizon that lies ahead now;
// at today's level.
std::optional<double> LoadModel::season_change(std::int64_t now, std::int64_t back,
                                               double base) const {
  if (!seasons_) return std::nullopt;
  const auto then = smooth(now - back - 30);
  const auto after = smooth(now - back - 30 + static_cast<std::int64_t>(horizon_ticks_) * kTick);
  if (!then || !after) return std::nullopt;
  const double scale = std::clamp(base / std::max(*then, 1e-6), 0.2, 5.0);
  return (*after - *then) * scale;
}

LoadModel::Features LoadModel::features(std::int64_t now, double base, double spread) const {
  Features x{};
  const auto put = [&](std::size_t i, double value) {
    x[i] = std::clamp(value / spread, -kClip, kClip);
  };
  put(0, means_[k2] - base);
  put(1, means_[k5] - base);
  put(2, means_[k20] - base);
  put(3, means_[k240] - base);
  put(4, means_[k900] - base);
  put(5, season_change(now, kDay, base).value_or(0));
  put(6, season_change(now, 7 * kDay, base).value_or(0));
  x[7] = 0.1 * base / spread;
  return x;
}

void LoadModel::learn(std::int64_t now) {
  const Pending& made = pending_[static_cast<std::size_t>(ticks_) % pending_.size()];
  if (made.tick != ticks_) return;
  double mean = 0;
  tables_.judge({now - 1, made.base}, (tick_loads_.back() - made.mean) / made.spread);
  for (int i = 0; i < kTick; ++i) {
    const double load = tick_loads_[static_cast<std::size_t>(i)];
    mean += load / kTick;
    tables_.learn({now - kTick + i, made.base}, (load - made.mean) / made.spread, 1.0 / kTick);
  }
  ridge_.learn(made.x, std::clamp((mean - made.base) / made.spread, -kClip, kClip));
  const double per_load = noise_mass_ > 0 ? noise_ / noise_mass_ : 1;
  const double off = mean - made.mean;
  const double square = made.mean * made.mean;
  // One burst shall not widen everything for a day.
  const double beyond = std::min(std::max(0.0, off * off - per_load * made.mean / kTick),
                                 9 * made.spread * made.spread);
  wide_slow_ = wide_slow_ * kSlowDecay + beyond;
  mass_slow_ = mass_slow_ * kSlowDecay + square;
  wide_fast_ = wide_fast_ * kFastDecay + beyond;
  mass_fast_ = mass_fast_ * kFastDecay + square;
}

LoadModel::Pending LoadModel::predict(std::int64_t now) {
  const double base = means_[k60];
  const double around = spread_of(base);
  const Features x = features(now, base, around);
  Pending made{.tick = ticks_ + horizon_ticks_, .base = base, .spread = around, .x = x};
  made.mean = std::max(0.0, base + around * ridge_.predict(x));
  outlook_.now = base;
  outlook_.mean = made.mean;
  outlook_.spread = around;
  outlook_.jumped = since_jump_ < 60;
  outlook_.most = 0;
  for (const float one : day_max_)
    outlook_.most = std::max(outlook_.most, static_cast<double>(one));
  tables_.expect({now + static_cast<std::int64_t>(horizon_ticks_ - 1) * kTick, base},
                 outlook_.surprises);
  return made;
}

void LoadModel::keep_minute(std::int64_t now, double load) {
  minute_sum_ += load;
  ++minute_count_;
  const std::int64_t day = (now - 1) / kDay;
  float& most = day_max_[static_cast<std::size_t>(day % kDaysKept)];
  if (day != day_of_max_) {
    day_of_max_ = day;
    most = 0;
  }
  most = std::max(most, static_cast<float>(load));
  if (now % 60 != 0) return;
  minutes_[minute_slot(now / 60 - 1)] =
      static_cast<float>(minute_count_ >= 30 ? minute_sum_ / minute_count_ : -1.0);
  minute_sum_ = 0;
  minute_count_ = 0;
}

News LoadModel::observe(std::int64_t now, std::optional<double> load) {
  if (load) {
    second(*load);
    keep_minute(now, *load);
    tick_loads_[static_cast<std::size_t>(in_tick_)] = *load;
  } else {
    tick_known_ = false;
  }
  if (++in_tick_ < kTick) {
    if (!load || since_jump_ >= kTick) return News::kNone;
    predict(now);
    return News::kJump;
  }
  in_tick_ = 0;
  ++ticks_;
  const bool known = tick_known_;
  tick_known_ = true;
  if (!known) return News::kNone;
  learn(now);
  if ((ticks_ + minute_phase_) % kTicksPerMinute == 0) {
    ridge_.decay(kRidgeDecay);
    ridge_.solve();
    tables_.decay_minute();
  }
  const Pending made = predict(now);
  pending_[static_cast<std::size_t>(made.tick) % pending_.size()] = made;
  return News::kTickEnd;
}

}  // namespace hive::decide::forecast
