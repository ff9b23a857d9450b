// Images that the controller wants on this node before it serves (orders.h): fetched one after the
// other by a thread of its own, with the credentials that came with the order, which are kept in
// memory alone. What is there already is not fetched again. What fails is tried again after a
// pause, as long as it is wanted; the controller decides how long it waits.
//
// want() and reports() may be called from any thread and never block.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/orders.h"
#include "agent/protocol.h"
#include "base/clock.h"
#include "engine/engine.h"

namespace hive::agent {

class ImagePulls {
 public:
  // Engine and clock outlive it.
  ImagePulls(engine::Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}
  // Cuts off a pull that is under way.
  ~ImagePulls() { stop(); }

  void start();
  void stop();

  // Replaces what was wanted before; what is fetched of that is let be, and told no more.
  void want(const std::vector<PullOrder>& orders);
  std::vector<PullReport> reports() const;

  // Fetches one image that is due; false when none is. The thread's body; tests call it by hand.
  bool pull_one(const std::stop_token& stop);

 private:
  struct Pull {
    PullOrder order;
    PullReport report;
    MonotonicTime due{};
  };
  std::optional<PullOrder> next();
  Status fetch(const PullOrder& order, const std::stop_token& stop);
  void settle(const std::string& image, const Status& done);
  void run(const std::stop_token& stop);

  engine::Engine& engine_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::map<std::string, Pull> pulls_;  // by image
  std::jthread thread_;                // last: it ends first
};

}  // namespace hive::agent
