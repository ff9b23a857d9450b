#include "decide/rollout/evidence.h"

#include <algorithm>
#include <cmath>

namespace hive::decide::rollout {
namespace {

constexpr double kZ = 3.0;

struct Interval {
  double least = 0;
  double most = 1;
};

Interval wilson(std::uint64_t hits, std::uint64_t of) {
  if (of == 0) return {};
  const auto n = static_cast<double>(of);
  const double p = static_cast<double>(std::min(hits, of)) / n;
  const double z2 = kZ * kZ;
  const double centre = p + z2 / (2 * n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  const double scale = 1 + z2 / n;
  return {std::max(0.0, (centre - half) / scale), std::min(1.0, (centre + half) / scale)};
}

// Of all requests, to a tenth.
std::string percent(const VersionStats& stats) {
  const std::uint64_t tenths =
      stats.requests == 0 ? 0 : (stats.errors * 1'000 + stats.requests / 2) / stats.requests;
  return " (" + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "%)";
}

}  // namespace

double least_share(std::uint64_t hits, std::uint64_t of) { return wilson(hits, of).least; }
double most_share(std::uint64_t hits, std::uint64_t of) { return wilson(hits, of).most; }

std::optional<std::string> more_errors(const VersionStats& old_version,
                                       const VersionStats& new_version, const Tolerance& allowed) {
  if (old_version.requests < allowed.min_requests || new_version.requests < allowed.min_requests)
    return std::nullopt;
  const double least = least_share(new_version.errors, new_version.requests);
  const double most = most_share(old_version.errors, old_version.requests);
  if (least <= most + allowed.max_error_rate) return std::nullopt;
  return std::to_string(new_version.errors) + " of its " + std::to_string(new_version.requests) +
         " requests failed" + percent(new_version) + ", of the old version's " +
         std::to_string(old_version.errors) + " of " + std::to_string(old_version.requests) +
         percent(old_version);
}

std::optional<std::string> slower(const VersionStats& old_version, const VersionStats& new_version,
                                  const Tolerance& allowed) {
  if (allowed.max_latency_factor <= 0 || old_version.requests < allowed.min_timed ||
      new_version.requests < allowed.min_timed)
    return std::nullopt;
  const auto before = static_cast<double>(old_version.response_time_ms);
  const auto now = static_cast<double>(new_version.response_time_ms);
  if (now <= before * allowed.max_latency_factor || now < before + allowed.least_slower_ms)
    return std::nullopt;
  return "it answers in " + std::to_string(new_version.response_time_ms) +
         " ms on average, the old version in " + std::to_string(old_version.response_time_ms) +
         " ms";
}

std::string in_words(const VersionStats& stats) {
  if (stats.requests == 0) return "no request yet";
  return std::to_string(stats.requests) + " requests, " + std::to_string(stats.errors) +
         " failed, " + std::to_string(stats.response_time_ms) + " ms";
}

}  // namespace hive::decide::rollout
