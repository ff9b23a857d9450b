// The requests of an open-loop load, drawn from a seed: what the k-th request is and when it is due
// do not depend on how the service answers. Arrivals are evenly spaced.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace hive::bench {

// get, post, slow and download open a connection each; keepalive uses one that is open and idle.
enum class Kind { kGet, kKeepAlive, kPost, kSlow, kDownload };
inline constexpr std::size_t kKinds = 5;
std::string_view to_string(Kind kind);

// Shares of the kinds; only their proportions matter.
using Mix = std::array<double, kKinds>;
// "get:45,keepalive:30,post:15,slow:7,download:3"; what is not named has no share.
// kInvalidArgument for unknown kinds, negative shares, or none at all.
Result<Mix> parse_mix(std::string_view text);

struct Planned {
  std::uint64_t number = 0;
  Kind kind = Kind::kGet;
  std::chrono::microseconds due{0};  // since the load's beginning
  std::string id;                    // the value of the `id` parameter
  std::string method = "GET";
  std::string target;        // path and query
  std::string body;          // sent, and expected back
  std::size_t download = 0;  // bytes expected of a download
};

class Plan {
 public:
  Plan(std::uint64_t seed, double rate_per_s, Mix mix, std::string id_prefix);
  Planned next();

 private:
  Kind draw_kind();

  Random random_;
  double rate_;
  Mix mix_;
  std::string prefix_;
  std::uint64_t number_ = 0;
};

}  // namespace hive::bench
