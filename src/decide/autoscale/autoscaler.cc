#include "decide/autoscale/autoscaler.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "decide/forecast/archive.h"

namespace hive::decide::autoscale {
namespace {

constexpr std::int64_t kQuietAfterGap = 60;
constexpr std::int64_t kLongestMadeUp = 600;
constexpr double kCapacityDecay = 1 - 1.0 / 3600;
constexpr double kLeastCpu = 0.05;     // below it, requests say nothing of the CPU
constexpr double kLearnedShare = 0.8;  // of what a replica can do, it is given that
constexpr double kMostLatencyStep = 2;
constexpr std::int64_t kReadyRemembered = 600;  // seconds; signals that are older say nothing
constexpr double kLeadChange = 0.2;
constexpr double kMostTimes = 10;  // what is expected, of what is there: more is told as such
constexpr int kStateVersion = 3;
constexpr const char* kRate = " requests/s";
constexpr const char* kOpen = " requests open";

std::optional<double> fresh(const Signal& signal) {
  if (!signal.value || signal.age_s > signal.fresh_s || signal.age_s < 0) return std::nullopt;
  if (!std::isfinite(*signal.value) || *signal.value < 0) return std::nullopt;
  return signal.value;
}

// "1,430", "12.5".
std::string figure(double value) {
  char text[40];
  const double tenths = std::round(value * 10);
  std::snprintf(text, sizeof text, value < 100 && std::fmod(tenths, 10) != 0 ? "%.1f" : "%.0f",
                value);
  std::string out = text;
  if (out.find('.') != std::string::npos) return out;
  for (auto at = static_cast<int>(out.size()) - 3; at > 0; at -= 3)
    out.insert(static_cast<std::size_t>(at), ",");
  return out;
}

// Of a signal's words: "now", or "95 s ago".
std::string when(const Signal& signal) {
  return signal.age_s > kFreshSeconds ? " " + figure(std::round(signal.age_s)) + " s ago" : " now";
}

std::string words_of(const MetricTarget& target, double value) {
  if (target.use == MetricUse::kLimit) return target.name + " is " + figure(value * 1000) + " ms";
  return figure(value) + " " + target.name;
}

std::string portion_of(const MetricTarget& target) {
  switch (target.use) {
    case MetricUse::kShare:
      return ", at most " + figure(target.per_replica) + " a replica";
    case MetricUse::kMore:
      return ", one more replica for each " + figure(target.per_replica);
    case MetricUse::kLimit:
      break;
  }
  return ", at most " + figure(target.per_replica * 1000) + " ms";
}

int ordered(const View& view) { return view.ordered.value_or(view.ready + view.starting); }

std::string by_bounds(int current, int next, const Bounds& bounds) {
  return figure(current) + " -> " + figure(next) + ": " +
         (bounds.scheduled ? "a schedule" : "the policy") + " asks for " + figure(bounds.min) +
         " to " + figure(bounds.max);
}

SizerOptions sizer_options(const Policy& policy, double lead_s, int phase) {
  return {.objective = policy.objective,
          .lead_s = lead_s,
          .start_cost_s = lead_s,
          .min = policy.min,
          .max = policy.max,
          .predict = policy.predict,
          .phase = phase};
}

}  // namespace

Autoscaler::Autoscaler(Policy policy, double lead_s, int phase)
    : policy_(std::move(policy)),
      sizer_(sizer_options(policy_, lead_s, phase)),
      lead_s_(lead_s),
      bounds_{.min = policy_.min, .max = policy_.max} {}

void Autoscaler::learn_capacity(const View& view) {
  const auto requests = fresh(view.requests);
  const auto open = fresh(view.in_flight);
  if (requests && open) carried_.observe(*open, view.ready, fresh(view.latency_s));
  // Regression through the origin of requests on busy replicas: requests a second of a whole
  // replica.
  const auto cpu = fresh(view.cpu);
  if (!requests || !cpu || *cpu < kLeastCpu || view.ready == 0) return;
  const double busy = std::min(*cpu, 1.0) * view.ready;
  // A full replica does not show how much more came than it served.
  if (*cpu > 0.95) return;
  served_ = served_ * kCapacityDecay + *requests * busy;
  busy_ = busy_ * kCapacityDecay + busy * busy;
}

std::optional<double> Autoscaler::load_of(const View& view) {
  std::optional<double> most;
  cause_ = {};
  const auto offer = [&](double load, Cause cause) {
    if (most && *most >= load) return;
    most = load;
    cause_ = std::move(cause);
  };
  const auto counted = [&](double amount, double each, const char* what,
                           const std::string& portion) {
    offer(amount / each, {figure(amount) + what + " now", portion, amount});
  };
  const auto at_most = [](double each) { return ", at most " + figure(each) + " a replica"; };
  const Target& target = policy_.target;
  const auto requests = fresh(view.requests);
  const auto cpu = fresh(view.cpu);
  if (const auto open = fresh(view.in_flight); open && target.concurrency)
    counted(*open, *target.concurrency, kOpen, at_most(*target.concurrency));
  if (requests && target.requests_per_replica)
    counted(*requests, *target.requests_per_replica, kRate, at_most(*target.requests_per_replica));
  if (cpu && target.cpu)
    offer(*cpu * view.ready / *target.cpu,
          {figure(*cpu * 100) + "% CPU on " + figure(view.ready) + " replicas now"});
  for (std::size_t i = 0; i < std::min(target.metrics.size(), view.metrics.size()); ++i)
    if (const auto load = load_of_metric(target.metrics[i], view.metrics[i]))
      offer(*load, {words_of(target.metrics[i], *view.metrics[i].value) + when(view.metrics[i]),
                    portion_of(target.metrics[i])});
  if (const auto latency = fresh(view.latency_s); latency && target.latency_s) {
    const double step = std::min(*latency / *target.latency_s, kMostLatencyStep);
    if (step > 1)
      offer(step * view.ready, {"answers take " + figure(*latency * 1000) + " ms now"});
    else if (!most && requests == std::nullopt)
      offer(std::max(0.5, step) * view.ready,
            {"answers take " + figure(*latency * 1000) + " ms now"});
  }
  const bool none = target.carries_nothing();
  const auto as_learned = [](double each) { return ", " + figure(each) + " a replica as learned"; };
  if (const auto capacity = learned(); none && requests && capacity)
    counted(*requests, *capacity, kRate, as_learned(*capacity));
  // What waits is among what is open: more than twice the replicas are not ordered for it at once.
  if (const auto level = carried_.level(); none && requests && fresh(view.in_flight) && level)
    offer(std::min(carried_.open() / *level, kMostLatencyStep * std::max(1, view.ready)),
          {figure(carried_.open()) + kOpen + " now", as_learned(*level)});
  return most;
}

std::optional<double> Autoscaler::load_of_metric(const MetricTarget& target,
                                                 const Signal& signal) const {
  const auto value = fresh(signal);
  if (!value) return std::nullopt;
  const double portions = *value / target.per_replica;
  if (target.use == MetricUse::kShare) return portions;
  const auto served = served_while(target, signal);
  if (!served || portions <= (target.use == MetricUse::kLimit ? 1 : 0)) return std::nullopt;
  const double least = std::max(1, *served);
  return std::min(target.use == MetricUse::kLimit ? least * portions : least + portions,
                  kMostLatencyStep * least);
}

void Autoscaler::remember_ready(const View& view) {
  if (!ready_.empty() && ready_.back().first >= view.second) return;
  ready_.emplace_back(view.second, view.ready);
  while (ready_.front().first < view.second - kReadyRemembered) ready_.pop_front();
}

// The replicas that served all the while that the signal was measured in; none where that began
// before anything is remembered.
std::optional<int> Autoscaler::served_while(const MetricTarget& target,
                                            const Signal& signal) const {
  if (ready_.empty()) return std::nullopt;
  const double until = static_cast<double>(ready_.back().first) - signal.age_s;
  const double from = until - target.over_s;
  if (static_cast<double>(ready_.front().first) > from) return std::nullopt;
  std::optional<int> out;
  for (const auto& [second, ready] : ready_) {
    const auto at = static_cast<double>(second);
    // What served when it began served on from the second before.
    if (at <= from) out = ready;
    if (at > from && at <= until) out = std::min(out.value_or(ready), ready);
  }
  return out;
}

// Requests a second that a replica is given, of what one was seen to do.
std::optional<double> Autoscaler::learned() const {
  if (!(busy_ > 0 && served_ > 0)) return std::nullopt;
  return kLearnedShare * served_ / busy_;
}

int Autoscaler::floor_of_memory(const View& view) const {
  const auto memory = fresh(view.memory);
  if (!memory || !policy_.target.memory) return 0;
  return static_cast<int>(std::ceil(*memory * view.ready / *policy_.target.memory - 1e-9));
}

std::string Autoscaler::explain(int current, int next) const {
  const double expected = sizer_.outlook().mean;
  std::string text = figure(current) + " -> " + figure(next) + ": " + cause_.words + ", ";
  if (expected > kMostTimes * load_) {
    text += "load for " + figure(expected) + (figure(expected) == "1" ? " replica" : " replicas");
  } else if (cause_.amount && load_ > 0) {
    text += figure(std::round(*cause_.amount * expected / load_));
  } else {
    char change[40];
    std::snprintf(change, sizeof change, "%+.0f%%", load_ > 0 ? (expected / load_ - 1) * 100 : 0.0);
    text += change;
  }
  text += " expected in " + figure(std::round(lead_s_)) + " s when a new replica can serve";
  text += cause_.portion;
  if (next < current) text += "; the rest was not worth its cost for a start's time";
  return text;
}

// More serve than what comes and what is expected need.
bool Autoscaler::holds_more(int replicas) const {
  const double near = std::max(load_, sizer_.outlook().mean);
  return replicas > bounds_.min && replicas > std::ceil(near) + 1;
}

Decision Autoscaler::hold(const View& view, const Bounds& bounds, std::string reason) const {
  Decision out;
  const int current = ordered(view);
  // Bounds hold whatever is known; but nothing is forced on a rollout or
  // against a person.
  const bool free = !view.rolling_out && !view.paused && view.held_by.empty();
  out.replicas = free ? std::clamp(current, bounds.min, bounds.max) : current;
  out.wanted = out.replicas;
  out.held = true;
  out.reason = std::move(reason);
  if (out.replicas != current) out.reason = by_bounds(current, out.replicas, bounds);
  return out;
}

int Autoscaler::wanted_of(const View& view, const Bounds& bounds) {
  const int wanted = std::max(sizer_.wanted(), floor_of_memory(view));
  const int current = ordered(view);
  const bool quiet =
      view.partial || !unknown_metric(view).empty() || view.second - fresh_since_ < kQuietAfterGap;
  return std::clamp(quiet ? std::max(wanted, current) : wanted, bounds.min, bounds.max);
}

// The first metric of the policy that is not known; while there is one, nothing is taken away.
std::string Autoscaler::unknown_metric(const View& view) const {
  const auto& metrics = policy_.target.metrics;
  for (std::size_t i = 0; i < metrics.size(); ++i)
    if (!metric_known(view, i)) return metrics[i].name;
  return "";
}

bool Autoscaler::metric_known(const View& view, std::size_t index) const {
  if (index >= view.metrics.size() || !fresh(view.metrics[index])) return false;
  const MetricTarget& target = policy_.target.metrics[index];
  return target.use == MetricUse::kShare || served_while(target, view.metrics[index]).has_value();
}

std::string Autoscaler::why_no_load(const View& view) const {
  if (policy_.target.carries_nothing() && fresh(view.requests) && !learned() && !carried_.level())
    return "it is not known yet what a replica can carry: no target is set, and it has not served "
           "for long enough";
  return "no fresh signal of the load: the number holds (" + figure(view.ready) + " serve)";
}

// Bounds and lead time as they are now.
void Autoscaler::follow(const View& view) {
  // Capacity for a schedule is ready when it begins; schedules begin and end at whole minutes.
  const auto ahead = view.unix_s + static_cast<std::int64_t>(lead_s_);
  if (view.unix_s / 60 != bounds_minute_ || ahead / 60 != ahead_minute_) {
    bounds_minute_ = view.unix_s / 60;
    ahead_minute_ = ahead / 60;
    const Bounds now = bounds_at(policy_, view.unix_s, view.zone_offsets);
    const Bounds soon = bounds_at(policy_, ahead, view.zone_offsets);
    bounds_ = {.min = std::max(now.min, soon.min),
               .max = std::max(now.max, soon.min),
               .scheduled = now.scheduled || soon.scheduled};
    sizer_.set_bounds(bounds_.min, bounds_.max);
  }
  if (std::abs(view.lead_s - lead_s_) > kLeadChange * lead_s_ && view.lead_s > 0) {
    lead_s_ = view.lead_s;
    sizer_.set_lead(lead_s_, lead_s_);
  }
}

Decision Autoscaler::move(const View& view) {
  Decision out;
  const int current = ordered(view);
  out.wanted = wanted_of(view, bounds_);
  std::string why;
  out.replicas = std::clamp(brakes_.apply(policy_, view.second, current, out.wanted, why),
                            bounds_.min, bounds_.max);
  if (out.replicas == current)
    out.reason = figure(current) + (current == 1 ? " replica is" : " replicas are") +
                 " right: " + cause_.words;
  else if (current < bounds_.min || current > bounds_.max)
    out.reason = by_bounds(current, out.replicas, bounds_);
  else
    out.reason = explain(current, out.replicas);
  if (sizer_.held() > out.replicas - 1)
    out.reason +=
        "; no such load was seen in eight days, and three times of it is held for ten minutes";
  else if (out.replicas >= current && holds_more(out.replicas))
    out.reason +=
        "; loads seen before rose so far and so quickly that more than this is worth its cost";
  if (const auto name = unknown_metric(view); !name.empty() && out.replicas >= current)
    out.reason += "; " + name + " is not known, so none is taken away";
  if (!why.empty()) out.reason += " (" + figure(out.wanted) + " wanted, held back by " + why + ")";
  return out;
}

Decision Autoscaler::decide(const View& view) {
  follow(view);
  learn_capacity(view);
  remember_ready(view);
  const auto load = load_of(view);
  const std::int64_t late = last_second_ < 0 ? 0 : view.second - last_second_ - 1;
  for (std::int64_t i = 0; i < std::min(late, kLongestMadeUp); ++i)
    sizer_.observe(view.unix_s - (late - i), std::nullopt, view.ready);
  if (late >= 0) sizer_.observe(view.unix_s, load, view.ready);
  last_second_ = std::max(last_second_, view.second);
  if (load && !was_fresh_) fresh_since_ = last_second_ == view.second ? view.second : fresh_since_;
  was_fresh_ = load.has_value();
  if (load) load_ = *load;

  Decision out;
  if (view.paused)
    out = hold(view, bounds_, "paused: the number is a person's");
  else if (view.rolling_out)
    out = hold(view, bounds_, "a rollout is under way: the number holds until it is over");
  else if (!view.held_by.empty())
    out = hold(view, bounds_, view.held_by);
  else if (!load)
    out = hold(view, bounds_, why_no_load(view));
  else
    out = move(view);
  out.load = load_;
  out.expected = sizer_.outlook().mean;
  out.bounds = bounds_;
  out.capacity = policy_.target.requests_per_replica.value_or(learned().value_or(0));
  out.concurrency = policy_.target.concurrency.value_or(carried_.level().value_or(0));
  const int density = std::max(1, policy_.density);
  out.nodes = (out.replicas + density - 1) / density;
  return out;
}

std::string Autoscaler::save() {
  forecast::StateWriter writer;
  writer(kStateVersion);
  writer(sizer_, served_, busy_, carried_);
  return writer.take();
}

Status Autoscaler::restore(std::string_view bytes) {
  forecast::StateReader reader(bytes);
  Sizer sizer = sizer_;
  int version = 0;
  double served = 0;
  double busy = 0;
  reader(version);
  if (version != kStateVersion)
    return fail(Errc::kCorrupt, "the autoscaler's state is of another version");
  Carried carried;
  reader(sizer, served, busy, carried);
  if (!reader.ok()) return fail(Errc::kCorrupt, "the autoscaler's state does not parse");
  sizer_ = std::move(sizer);
  served_ = served;
  busy_ = busy;
  carried_ = carried;
  return {};
}

}  // namespace hive::decide::autoscale
