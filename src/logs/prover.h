// Proves, for services whose files a Filebeat ships, that Filebeat has had every byte acknowledged.
//
// turn() and wait() belong to one thread; add() and wake() may be called from any.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "logs/container_log.h"
#include "logs/filebeat_registry.h"
#include "logs/filebeat_stats.h"
#include "logs/writer.h"

namespace hive::logs {

struct ProverOptions {
  Milliseconds look_every{10'000};  // nobody waits for it
  Milliseconds hurried_every{500};  // a container's end does
  // What is not acknowledged is to be collected instead, from the given place on.
  std::function<void(const std::shared_ptr<ContainerLog>&, std::vector<Writer::Source>)> on_spill;
  std::function<void(LogEvent)> on_event;
  // GET of the stats endpoint, in the network of the process (0 = the node's own).
  std::function<Result<std::string>(const std::string& url, int pid)> get_stats = get_from;
};

class Prover {
 public:
  Prover(ProverOptions options, const Clock& clock);
  void add(std::shared_ptr<ContainerLog> container, std::vector<std::shared_ptr<SourceFile>> files);
  void turn();
  void wait(Milliseconds at_most);
  void wake();

 private:
  struct Shipped {
    std::shared_ptr<ContainerLog> container;
    std::vector<std::shared_ptr<SourceFile>> files;
    MonotonicTime looked_at{};
    bool looked = false;
    std::optional<std::uint64_t> dropped;  // by Filebeat's output, when nobody hurried yet
  };

  void take_added();
  void prove(Shipped& shipped, MonotonicTime now);
  void prove_file(SourceFile& file, const Result<FilebeatRegistry>& registry,
                  const std::string& doubt, MonotonicTime now);
  void part_with(Shipped& shipped, MonotonicTime now);
  void spill(Shipped& shipped);
  std::string doubt_of(Shipped& shipped, const WatchedContainer& container);

  ProverOptions options_;
  const Clock& clock_;
  std::map<std::string, Shipped> shipped_;  // by container id
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  std::vector<Shipped> added_;
};

}  // namespace hive::logs
