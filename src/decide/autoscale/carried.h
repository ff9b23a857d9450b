// What a replica carries well, in requests open at one time, learned from how long answers take:
// for services whose limit is not their CPU (threads, connections, what waits behind them).
//
// More open requests than ever went well, and answers that take longer than usual: then replicas
// are lacking. As long as answers take what they usually do, what is open is what a replica can
// carry.
#pragma once

#include <optional>

namespace hive::decide::autoscale {

class Carried {
 public:
  static constexpr double kSlow = 1.5;      // times the usual time of an answer
  static constexpr double kSlack_s = 0.02;  // that does not count
  static constexpr double kLeast = 5;       // open requests that any replica is taken to carry
  static constexpr int kSeconds = 30;       // of answers before anything is known

  // A second: requests open in all, the replicas that serve, the mean time of an answer (none when
  // nothing was answered).
  void observe(double open, int ready, std::optional<double> latency_s);
  // Open requests a replica; none until enough was seen.
  std::optional<double> level() const;
  // Open requests lately; one second alone says little of them.
  double open() const { return open_; }
  // Answers take longer than usual now.
  bool slow() const { return slow_; }

  template <class A>
  void fields(A& a) {
    a(usual_s_, level_, seen_);
  }

 private:
  double open_ = 0;
  bool begun_ = false;
  bool slow_ = false;
  double usual_s_ = 0;
  double level_ = kLeast;
  int seen_ = 0;  // seconds with answers
};

}  // namespace hive::decide::autoscale
