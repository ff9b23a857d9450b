#include "decide/autoscale/sizer.h"

#include <algorithm>
#include <cmath>

#include "decide/autoscale/uses.h"

namespace hive::decide::autoscale {
namespace {

// Beyond what was seen in eight days nothing is bought, unless the load itself
// goes there.
constexpr double kBeyondMost = 1.1;
constexpr double kNearMost = 0.9;
constexpr double kBeyondNear = 1.5;  // of what is expected then

SizerOptions with_floor(SizerOptions options) {
  options.start_cost_s = std::max(options.start_cost_s, Sizer::kLeastStartCost_s);
  return options;
}

PriceOptions price_options(const SizerOptions& options) {
  return {.objective = options.objective,
          .min = options.min,
          .max = options.max,
          .start_cost_s = options.start_cost_s,
          .lead_s = options.lead_s};
}

}  // namespace

Sizer::Sizer(const SizerOptions& options)
    : options_(with_floor(options)),
      model_(options.lead_s, options.phase),
      price_(price_options(options_)) {
  model_.set_seasons(options.predict);
}

void Sizer::set_lead(double lead_s, double start_cost_s) {
  options_.lead_s = lead_s;
  options_.start_cost_s = start_cost_s;
  options_ = with_floor(options_);
  model_.set_horizon(lead_s);
  price_.set_lead(lead_s, options_.start_cost_s);
}

void Sizer::set_bounds(int min, int max) {
  options_.min = min;
  options_.max = max;
  price_.set_bounds(min, max);
}

int Sizer::cap() const {
  const auto& outlook = model_.outlook();
  const double near = outlook.now > kNearMost * outlook.most ? kBeyondNear * outlook.mean : 0;
  const double most = std::ceil(std::max(kBeyondMost * outlook.most, near));
  return static_cast<int>(std::clamp<double>(most, options_.min, options_.max));
}

int Sizer::least() {
  double most = 0;
  for (const double one : tick_loads_) most = std::max(most, one);
  const double held = std::ceil(first_.update(forecast::kTick, most, model_.outlook().most));
  return static_cast<int>(std::clamp<double>(held, options_.min, options_.max));
}

double Sizer::start_cost_s() const {
  const bool young = model_.seconds_seen() < kYoung_s;
  return young ? std::max(options_.start_cost_s, kYoungStartCost_s) : options_.start_cost_s;
}

int Sizer::observe(std::int64_t now, std::optional<double> load, int ready) {
  if (plan_.level() == 0) plan_.reset(std::max(options_.min, ready));
  if (load) {
    tick_loads_.push_back(*load);
    tick_unserved_ += std::max(0.0, *load - ready);
  }
  if (tick_loads_.size() > static_cast<std::size_t>(forecast::kTick)) tick_loads_.clear();
  const auto news = model_.observe(now, load);
  if (news == forecast::News::kNone) return plan_.level();
  expected_uses(model_.outlook(), 1, 0.5 / PriceFinder::dearest(), cap(), uses_);
  if (news == forecast::News::kJump)
    return plan_.raise(uses_, price_.price(), options_.min, options_.max);
  const int floor = least();
  price_.tick(tick_loads_.data(), static_cast<int>(tick_loads_.size()), tick_unserved_, uses_,
              floor);
  tick_loads_.clear();
  tick_unserved_ = 0;
  return plan_.update(uses_, price_.price(), floor, options_.max, forecast::kTick, start_cost_s());
}

}  // namespace hive::decide::autoscale
