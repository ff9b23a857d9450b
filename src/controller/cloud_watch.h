// The cloud's state, asked for by a thread of its own: a cloud that answers slowly must not hold up
// a look at the swarm.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "controller/operation.h"

namespace hive::controller {

using CloudOpener = std::function<Result<std::unique_ptr<cloud::Cloud>>()>;

// One look: instances, and the balancer when there is one.
Result<CloudLook> look_at_cloud(cloud::Cloud& cloud, const Clock& clock);

// For GET /v1/balancer (docs/api.md): {"known": false} without a look or a balancer.
Json balancer_json(const std::optional<CloudLook>& look);

class CloudWatch {
 public:
  struct Options {
    Milliseconds busy{1'000};    // between two looks while somebody needs them
    Milliseconds idle{10'000};   // and otherwise
    Milliseconds fresh{15'000};  // an older look does not count
  };
  CloudWatch(CloudOpener open, std::function<bool()> needed, const Clock& clock);
  CloudWatch(CloudOpener open, std::function<bool()> needed, const Clock& clock, Options options);
  ~CloudWatch();
  // The last one that succeeded, while it is fresh. Any thread, never blocks.
  std::optional<CloudLook> newest() const;
  void start();
  void stop();

 private:
  void watch();

  const CloudOpener open_;
  const std::function<bool()> needed_;
  const Clock& clock_;
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::optional<CloudLook> look_;
  std::thread thread_;
};

}  // namespace hive::controller
