// Whether a new version of a service answers worse than the old one did over the same time, from
// the edges' figures. Pure.
//
// Errors: the rates are compared by Wilson's score interval (E. B. Wilson, JASA 22, 1927), which
// holds with few requests and with none failed. A version is worse when the least that its error
// rate may really be is above the most that the old one's may be, plus what is allowed. Each bound
// is wrong in one of 740 cases (z = 3); both must be, so looking again each second does no harm.
// Latency: edges know averages only, so no interval can be had: the average must be worse by a
// factor and by so much that people notice, over enough requests of both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hive::decide::rollout {

// What all edges counted for the tasks of one version.
struct VersionStats {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;            // answers 5xx, and connections that failed
  std::uint32_t response_time_ms = 0;  // average of the requests of late
  bool operator==(const VersionStats&) const = default;
};

struct Tolerance {
  double max_error_rate = 0.01;         // so much more of the requests may fail, 0 to 1
  double max_latency_factor = 4;        // 0 = latency is not looked at
  std::uint32_t least_slower_ms = 100;  // and at least so much slower
  std::uint64_t min_requests = 10;      // of either version, before errors are judged
  std::uint64_t min_timed = 100;        // of either version, before latency is judged
};

// Bounds of the real share, when `hits` of `of` were seen. 0 and 1 when nothing was.
double least_share(std::uint64_t hits, std::uint64_t of);
double most_share(std::uint64_t hits, std::uint64_t of);

// What is worse, with the figures, one clause; nothing when it is not, or cannot be told yet.
std::optional<std::string> more_errors(const VersionStats& old_version,
                                       const VersionStats& new_version, const Tolerance& allowed);
std::optional<std::string> slower(const VersionStats& old_version, const VersionStats& new_version,
                                  const Tolerance& allowed);

// "120 requests, 1 failed, 12 ms", for reasons.
std::string in_words(const VersionStats& stats);

}  // namespace hive::decide::rollout
