// The collector: a finder, a prover for what Filebeats ship, and a writer for each destination, in
// threads of their own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "logs/collector.h"
#include "logs/container_log.h"
#include "logs/finder.h"
#include "logs/prover.h"
#include "logs/writer.h"

namespace hive::logs {

class FileCollector final : public Collector {
 public:
  // How a destination is reached; tests put faults in front of it.
  using OpenOutput =
      std::function<std::unique_ptr<OutputDirectory>(const std::string& path, bool make)>;
  FileCollector(CollectorOptions options, const Clock& clock, OpenOutput open_output);
  ~FileCollector() override;

  Status start() override;
  void stop() override;
  void watch(WatchedContainer container) override;
  Delivery delivery(std::string_view container_id) const override;
  void hurry(std::string_view container_id) override;
  void spill(std::string_view container_id) override;
  void finish(std::string_view container_id) override;
  std::vector<DestinationState> destinations() const override;

  // Without start(): everything that the threads would do now, until nothing is left to do.
  void turn();

 private:
  struct Destination {
    std::shared_ptr<Writer> writer;
    std::shared_ptr<std::atomic<bool>> ended = std::make_shared<std::atomic<bool>>(false);
    std::thread thread;
    bool said_stalled = false;
  };

  void route(const std::shared_ptr<ContainerLog>& container,
             std::vector<std::shared_ptr<SourceFile>> files);
  Writer& writer_for(const std::string& destination);
  void run_writer(Destination& destination);
  std::shared_ptr<ContainerLog> find(std::string_view container_id) const;
  // Containers that are finished, destinations that do not answer.
  void tend();
  void tend_containers();
  void tend_destinations();
  void wake_all();
  void end(Destination& destination);

  CollectorOptions options_;
  const Clock& clock_;
  OpenOutput open_output_;
  Finder finder_;
  Prover prover_;
  std::shared_ptr<std::atomic<bool>> stopping_ = std::make_shared<std::atomic<bool>>(false);
  bool started_ = false;
  std::thread finder_thread_;
  std::thread prover_thread_;

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<ContainerLog>, std::less<>> containers_;
  std::map<std::string, Destination> destinations_;
};

}  // namespace hive::logs
