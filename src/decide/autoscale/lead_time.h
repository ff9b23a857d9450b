// How long it takes here from the order of a replica to its serving: measured, so that boots,
// pulls, starts and health checks of this cluster are in it.
#pragma once

#include <deque>
#include <vector>

namespace hive::decide::autoscale {

class LeadTime {
 public:
  static constexpr double kUnknown = 30;  // until one was seen
  static constexpr double kLeast = 1;
  static constexpr double kMost = 1'800;
  static constexpr std::size_t kRemembered = 16;

  // A replica began to serve so many seconds after its order.
  void saw(double seconds);
  // The time that three of four of the last ones met.
  double seconds() const;
  bool measured() const { return !last_.empty(); }

  std::vector<double> kept() const { return {last_.begin(), last_.end()}; }

 private:
  std::deque<double> last_;
};

}  // namespace hive::decide::autoscale
