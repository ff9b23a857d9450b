// What the papers' policies look at: the load of whole minutes, in replicas' worth of work, from
// the rate of arrivals at the load balancer (not from utilisation, which a full replica hides).
#pragma once

#include <optional>

#include "simulator/policy.h"

namespace hive::simulator {

class Minutes {
 public:
  // `capacity`: requests a second that one replica serves.
  explicit Minutes(double capacity) : capacity_(capacity) {}

  // The mean load of the minute that ends with this second, if one does and anything was seen in
  // it.
  std::optional<double> add(const Seen& seen) {
    if (seen.known) {
      sum_ += seen.requests / capacity_;
      ++samples_;
    }
    if (seen.now % 60 != 0 || samples_ == 0) return std::nullopt;
    const double mean = sum_ / samples_;
    sum_ = 0;
    samples_ = 0;
    return mean;
  }

 private:
  double capacity_;
  double sum_ = 0;
  int samples_ = 0;
};

}  // namespace hive::simulator
