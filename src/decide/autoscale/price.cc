#include "decide/autoscale/price.h"

#include <algorithm>
#include <cmath>

#include "decide/forecast/load_model.h"

namespace hive::decide::autoscale {
namespace {

constexpr double kTick = forecast::kTick;
constexpr double kMemoryTicks = 3.0 * 86'400 / kTick;
constexpr double kPriorSeconds = 1800;
constexpr double kPriorShare = 0.06;  // of price 1: falls with the price
constexpr double kBudgetTicks = 86'400 / kTick;
// What was really left unserved of late moves what shadows may leave: above the
// objective for a day makes up for being below it, and the reverse.
constexpr double kAim = 0.35;
constexpr double kStrictest = 0.2;
constexpr double kLaxest = 0.95;
constexpr double kBudgetMemoryTicks = 120 * kBudgetTicks;
// Of the allowance, what loads of a height never seen before may use up: more than that is not
// made up for, since nothing learned would have met it, and would only be paid for for days.
constexpr double kNovelPart = 0.7;
// A catastrophe: more than that many days' allowance within about an hour. Known as one after a
// day.
constexpr double kCatastropheDays = 5;
constexpr double kLatelyTicks = 3600 / kTick;
constexpr double kAftershockTicks = 6 * 3600 / kTick;
constexpr double kOneOfTicks = 7 * kBudgetTicks;

}  // namespace

PriceFinder::PriceFinder(const PriceOptions& options)
    : options_(options), price_(kPriorShare / options.objective) {}

double PriceFinder::price_of(std::size_t shadow) { return 3.0 * static_cast<double>(1U << shadow); }

void PriceFinder::set_lead(double lead_s, double start_cost_s) {
  options_.lead_s = lead_s;
  options_.start_cost_s = start_cost_s;
}

void PriceFinder::set_bounds(int min, int max) {
  options_.min = min;
  options_.max = max;
}

double PriceFinder::share(std::size_t shadow) const {
  return demand_ > 0 ? shadows_[shadow].unserved / demand_ : 0;
}

void PriceFinder::tick(const double* loads, int count, double unserved,
                       const std::vector<double>& uses, int least) {
  if (count == 0) return;
  double demand = 0;
  for (int i = 0; i < count; ++i) demand += loads[i];
  if (ticks_++ == 0 && demand_ == 0) {
    demand_ = std::max(demand, 0.1) / count * kPriorSeconds;
    for (std::size_t i = 0; i < kShadows; ++i)
      shadows_[i].unserved = demand_ * kPriorShare / price_of(i);
  }
  const double decay = 1 - 1 / kMemoryTicks;
  demand_ = demand_ * decay + demand;
  account(loads, count, demand, unserved);
  const bool counts = !in_catastrophe(unserved);
  const auto lead = static_cast<std::int64_t>(std::lround(options_.lead_s / kTick));
  for (std::size_t i = 0; i < kShadows; ++i) {
    Shadow& shadow = shadows_[i];
    shadow.unserved *= decay;
    double missed = 0;
    for (int s = 0; s < count; ++s) missed += std::max(0.0, loads[s] - shadow.serving);
    if (counts) {
      shadow.lately = shadow.lately * (1 - 1 / kLatelyTicks) + missed;
      shadow.unserved += missed;
    } else {
      shadow.unserved = std::max(0.0, shadow.unserved - shadow.lately);
      shadow.lately = 0;
    }
    const int level =
        shadow.plan.update(uses, price_of(i), least, options_.max, kTick, options_.start_cost_s);
    while (!shadow.orders.empty() && shadow.orders.back().second >= level) shadow.orders.pop_back();
    shadow.orders.emplace_back(ticks_, level);
    while (shadow.orders.front().first < ticks_ - lead) shadow.orders.pop_front();
    shadow.serving = shadow.orders.front().second;
  }
  choose();
}

bool PriceFinder::in_catastrophe(double unserved) {
  lately_ = lately_ * (1 - 1 / kLatelyTicks) + unserved;
  const bool was = catastrophe_;
  catastrophe_ = lately_ > kCatastropheDays * options_.objective * demand_scale_;
  const auto since = static_cast<double>(ticks_ - catastrophe_began_);
  const bool first = catastrophe_began_ == 0 || since > kOneOfTicks;
  if (catastrophe_ && !was && first && static_cast<double>(ticks_) > kBudgetTicks)
    catastrophe_began_ = ticks_;
  return catastrophe_began_ > 0 &&
         static_cast<double>(ticks_ - catastrophe_began_) < kAftershockTicks;
}

double PriceFinder::days() const { return demand_scale_ > 0 ? spent_demand_ / demand_scale_ : 0; }

void PriceFinder::account(const double* loads, int count, double demand, double unserved) {
  const double keep = 1 - 1 / kBudgetMemoryTicks;
  // What is known of a day weighs as much after a restart, at whatever hour that comes.
  const double known = std::max(static_cast<double>(ticks_), days() * kBudgetTicks);
  spent_ = spent_ * keep + unserved;
  spent_demand_ = spent_demand_ * keep + demand;
  demand_scale_ += (demand * kBudgetTicks - demand_scale_) / std::min(known, kBudgetTicks);
  double novel = 0;
  double most = 0;
  for (int i = 0; i < count; ++i) {
    novel += std::max(0.0, loads[i] - std::ceil(record_));
    most = std::max(most, loads[i]);
  }
  novel_ = novel_ * keep + std::min(novel, unserved);
  most_.push_back(most);
  while (static_cast<double>(most_.size()) > options_.lead_s / kTick) {
    record_ = std::max(record_, most_.front());
    most_.pop_front();
  }
}

void PriceFinder::choose() {
  // What no price could have saved winds no price up.
  const double beyond = share(kShadows - 1);
  const double allowance = options_.objective * spent_demand_;
  const double hopeless = std::max(0.0, novel_ - kNovelPart * allowance);
  const double owed = allowance - (spent_ - hopeless);
  const double allowed =
      std::clamp(kAim * options_.objective + owed / std::max(demand_scale_, 1e-9),
                 kStrictest * options_.objective, kLaxest * options_.objective);
  std::size_t i = 0;
  while (i + 1 < kShadows && share(i) - beyond > allowed) ++i;
  if (i == 0) {
    price_ = price_of(0);
    return;
  }
  const double dear = std::max(share(i) - beyond, allowed * 1e-3);
  const double cheap = share(i - 1) - beyond;
  const double part =
      cheap > dear ? std::clamp(std::log(cheap / allowed) / std::log(cheap / dear), 0.0, 1.0) : 1;
  price_ = price_of(i - 1) * std::pow(2.0, part);
}

}  // namespace hive::decide::autoscale
