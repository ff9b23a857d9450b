// What the cloud's balancer measures of itself (cloud/cloud.h, BalancerFigure), as signals for
// autoscaling: asked by a thread of its own, once a minute, since it changes by the minute and
// costs by the question; and only what somebody wants, so that where nobody does nothing is asked.
//
// What was told keeps the time until which it was measured, by this machine's clock when it was
// told. A question that fails leaves it as it was, and it grows old.
//
// ask() and read() may be called from any thread, and never block.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "base/clock.h"
#include "controller/cloud_watch.h"

namespace hive::controller {

struct BalancerReading {
  std::optional<double> value;
  MonotonicTime at{};  // until when it was measured
  bool whole = false;  // or it is at least this
  std::string trouble;
};

class BalancerWatch {
 public:
  static constexpr Milliseconds kEvery{60'000};

  BalancerWatch(CloudOpener open, const Clock& clock) : open_(std::move(open)), clock_(clock) {}
  ~BalancerWatch() { stop(); }

  // All that is wanted; replaces what was. One that is new is asked for at once.
  void ask(const std::set<cloud::BalancerFigure>& which);
  BalancerReading read(cloud::BalancerFigure figure) const;

  void start();
  void stop();  // for good; idempotent
  // Asks what is due, on this thread: for tests.
  void look();

 private:
  std::set<cloud::BalancerFigure> due() const;
  void take(const std::set<cloud::BalancerFigure>& asked, MonotonicTime now, std::int64_t now_ms,
            const Result<cloud::BalancerFigures>& told);
  void work();

  const CloudOpener open_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::map<cloud::BalancerFigure, BalancerReading> readings_;  // of all that is wanted
  std::set<cloud::BalancerFigure> new_;                        // that were never asked for
  MonotonicTime asked_at_{};
  std::thread thread_;
};

}  // namespace hive::controller
