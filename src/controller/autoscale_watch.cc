#include "controller/autoscale_watch.h"

#include <utility>

namespace hive::controller {

void AutoscaleWatch::look(std::shared_ptr<const World> world) {
  {
    const std::lock_guard lock(mutex_);
    world_ = std::move(world);
    news_ = true;
  }
  wake_.notify_one();
}

void AutoscaleWatch::start() {
  thread_ = std::thread([this] { run(); });
}

void AutoscaleWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (!thread_.joinable()) return;
  thread_.join();
  autoscaling_.save();
}

// A look more or less within a second is passed over by the step.
void AutoscaleWatch::run() {
  bool acts = false;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || news_; });
    if (stopping_) return;
    news_ = false;
    const auto world = std::exchange(world_, nullptr);
    lock.unlock();
    if (world != nullptr) {
      autoscaling_.step(*world, instances_.lead_s(*world));
      instances_.step(*world, autoscaling_.wants());
    } else if (acts) {
      autoscaling_.rest();
      instances_.rest();
    }
    acts = world != nullptr;
    lock.lock();
  }
}

}  // namespace hive::controller
