// The hands of a real node: hive-init by signals, sockets by netlink, the door by iptables,
// commands and stops by the engine. What the engine is asked runs on a few threads of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "agent/stop_hands.h"
#include "engine/engine.h"
#include "init/client.h"
#include "logs/collector.h"

namespace hive::agent {

class NodeHands final : public StopHands {
 public:
  // All must outlive it; without a collector no log line is looked after.
  NodeHands(engine::Engine& engine, logs::Collector* collector, const Clock& clock);
  // Does not wait for commands and stops under way: the engine goes on with them.
  ~NodeHands() override;

  InitSight init(const ContainerInfo& container) override;
  Status arm(const ContainerInfo& container) override;
  Status claim(const ContainerInfo& container, Milliseconds lasts) override;
  Status tell(const ContainerInfo& container, bool by_command) override;
  Status kill_application(const ContainerInfo& container) override;
  Status release(const ContainerInfo& container) override;
  Result<SocketSight> sockets(const ContainerInfo& container) override;
  Status close_door(const ContainerInfo& container) override;
  decide::drain::CommandView command(const ContainerInfo& container, HookKind kind,
                                     const std::vector<std::string>& words) override;
  void stop_container(const ContainerInfo& container, bool held, Milliseconds grace) override;
  void watch_logs(const ContainerInfo& container, const model::LogPolicy& policy,
                  const std::string& node_name, std::int64_t slot) override;
  LogSight logs(const ContainerInfo& container, bool ended) override;
  void forget(const ContainerInfo& container) override;

 private:
  using CommandKey = std::pair<std::string, HookKind>;
  using Work = std::function<void(const std::stop_token&)>;
  void in_background(Work work);
  void work(const std::stop_token& stop);
  void run_command(const CommandKey& key, const std::vector<std::string>& words,
                   const std::stop_token& stop);
  void set(const CommandKey& key, decide::drain::CommandView view);

  Result<const init::Init*> init_of(const ContainerInfo& container);

  engine::Engine& engine_;
  logs::Collector* collector_;
  const Clock& clock_;
  std::map<std::string, init::Init> inits_;            // by container
  std::map<std::string, MonotonicTime> writers_gone_;  // by container
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Work> queue_;
  std::map<CommandKey, decide::drain::CommandView> commands_;
  std::vector<std::jthread> threads_;  // last: they end first
};

}  // namespace hive::agent
