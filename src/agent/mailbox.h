// What the agent's streaming threads tell its control thread. Bounded: of tables only the newest is
// kept, of container events the last kMaxReportEvents. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "agent/protocol.h"
#include "base/clock.h"

namespace hive::agent {

struct Mail {
  std::optional<model::RoutingTable> table;
  std::optional<std::vector<ContainerReport>> containers;
  std::vector<ContainerEvent> events;
  bool probe_answered = false;
};

class Mailbox {
 public:
  void post_table(model::RoutingTable table) {
    post([&](Mail& mail) { mail.table = std::move(table); });
  }
  void post_containers(std::vector<ContainerReport> containers) {
    post([&](Mail& mail) { mail.containers = std::move(containers); });
  }
  void post_event(ContainerEvent event) {
    post([&](Mail& mail) {
      if (mail.events.size() >= kMaxReportEvents) mail.events.erase(mail.events.begin());
      mail.events.push_back(std::move(event));
    });
  }
  void post_probe_answered() {
    post([](Mail& mail) { mail.probe_answered = true; });
  }
  // All that came, or nothing after the time.
  Mail take(Milliseconds wait) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, wait, [this] { return full_; });
    full_ = false;
    return std::exchange(mail_, Mail{});
  }

 private:
  template <typename Put>
  void post(Put put) {
    {
      const std::lock_guard lock(mutex_);
      put(mail_);
      full_ = true;
    }
    wake_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  Mail mail_;
  bool full_ = false;
};

}  // namespace hive::agent
