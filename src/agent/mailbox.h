// What the agent's streaming threads tell its control thread. Bounded: of tables only the newest is
// kept, of container events and notes the last ones. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/orders.h"
#include "agent/protocol.h"
#include "agent/stop_hands.h"
#include "base/clock.h"

namespace hive::agent {

struct Mail {
  std::optional<model::RoutingTable> table;
  std::optional<NodeOrders> orders;
  bool controller_lost = false;
  std::optional<std::vector<ContainerReport>> containers;
  std::optional<std::vector<ContainerInfo>> running;  // the running ones, inspected
  std::vector<ContainerEvent> events;
  std::vector<Note> notes;
  bool probe_answered = false;
  std::optional<std::string> engine_init;  // as in Report
};

class Mailbox {
 public:
  void post_table(model::RoutingTable table) {
    post([&](Mail& mail) { mail.table = std::move(table); });
  }
  void post_containers(std::vector<ContainerReport> containers) {
    post([&](Mail& mail) { mail.containers = std::move(containers); });
  }
  void post_orders(NodeOrders orders) {
    post([&](Mail& mail) {
      mail.orders = std::move(orders);
      mail.controller_lost = false;
    });
  }
  void post_controller_lost() {
    post([](Mail& mail) { mail.controller_lost = true; });
  }
  void post_running(std::vector<ContainerInfo> running) {
    post([&](Mail& mail) { mail.running = std::move(running); });
  }
  void post_event(ContainerEvent event) {
    post([&](Mail& mail) {
      if (mail.events.size() >= kMaxReportEvents) mail.events.erase(mail.events.begin());
      mail.events.push_back(std::move(event));
    });
  }
  void post_note(Note note) {
    post([&](Mail& mail) {
      if (mail.notes.size() >= kMaxReportNotes) mail.notes.erase(mail.notes.begin());
      mail.notes.push_back(std::move(note));
    });
  }
  void post_engine_init(std::string init) {
    post([&](Mail& mail) { mail.engine_init = std::move(init); });
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
