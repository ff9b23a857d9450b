// Autoscaling, of replicas and then of instances, in a thread of its own, so that looks at the
// cluster never wait for it: it takes the newest look, once a second.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "controller/autoscaling.h"
#include "controller/instance_scaling.h"

namespace hive::controller {

class AutoscaleWatch {
 public:
  AutoscaleWatch(Autoscaling& autoscaling, InstanceScaling& instances)
      : autoscaling_(autoscaling), instances_(instances) {}
  ~AutoscaleWatch() { stop(); }

  // A look that this controller made as leader; null: it does not lead. Any thread, never blocks.
  void look(std::shared_ptr<const World> world);
  void start();
  // Keeps what was learned. Idempotent.
  void stop();

 private:
  void run();

  Autoscaling& autoscaling_;
  InstanceScaling& instances_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool news_ = false;
  std::shared_ptr<const World> world_;
  std::thread thread_;
};

}  // namespace hive::controller
