// The agent's link to a controller: one thread keeps the stream of routing tables open to any live
// one, another posts the newest report to the same. Certificates are read anew at each connection,
// since Swarm rotates them.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/mailbox.h"
#include "agent/protocol.h"

namespace hive::agent {

struct LinkOptions {
  std::string certificates;  // directory with swarm-node.crt, swarm-node.key, swarm-root-ca.crt
  // Controllers to try, "host:port"; asked before each round, since managers come and go.
  std::function<std::vector<std::string>()> controllers;
};

class ControllerLink {
 public:
  ControllerLink(LinkOptions options, Mailbox& mailbox);
  ~ControllerLink();
  // Only the newest unsent report is kept, and the events of those it replaces.
  void send(Report report);

 private:
  void stream(const std::stop_token& stop);
  bool stream_from(const std::string& controller, const std::stop_token& stop);
  void report(const std::stop_token& stop);
  void pause(const std::stop_token& stop, Milliseconds time);

  LinkOptions options_;
  Mailbox& mailbox_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::string connected_;  // the controller whose stream is open; empty = none
  std::optional<Report> pending_;
  std::jthread streamer_;
  std::jthread reporter_;
};

}  // namespace hive::agent
