#include "logs/file_collector.h"

#include <fmt/core.h>

#include "base/log.h"
#include "os/file.h"

namespace hive::logs {
namespace {

constexpr Milliseconds kLookEvery{100};  // at the sizes of open files
constexpr Milliseconds kFinderWait{250};
constexpr Milliseconds kProverWait{500};
constexpr Milliseconds kRememberDelivery{10 * 60'000};
constexpr Milliseconds kPatienceAtEnd{5'000};
constexpr Milliseconds kEndLook{10};

// "/mnt/logs" -> "mnt_logs.json"
std::string positions_name(const std::string& destination) {
  std::string name;
  for (const char c : destination) name += c == '/' ? '_' : c;
  return name + ".json";
}

}  // namespace

FileCollector::FileCollector(CollectorOptions options, const Clock& clock, OpenOutput open_output)
    : options_(std::move(options)),
      clock_(clock),
      open_output_(std::move(open_output)),
      finder_({.rescan_every = options_.rescan_every,
               .max_files = options_.max_files,
               .on_files = [this](const auto& container,
                                  auto files) { route(container, std::move(files)); },
               .on_event = options_.on_event},
              clock),
      prover_({.on_spill =
                   [this](const auto& container, std::vector<Writer::Source> sources) {
                     writer_for(container->container().policy.destination)
                         .add(container, std::move(sources));
                   },
               .on_event = options_.on_event},
              clock) {
  if (const Status found = finder_.start(); !found)
    log::warn(kComponent, "{}; new log files are found by search alone", found.error().message);
}

FileCollector::~FileCollector() { stop(); }

Status FileCollector::start() {
  if (started_) return {};
  started_ = true;
  *stopping_ = false;
  (void)writer_for("");
  finder_thread_ = std::thread([this] {
    while (!*stopping_) {
      finder_.turn();
      tend();
      finder_.wait(kFinderWait);
    }
  });
  prover_thread_ = std::thread([this] {
    while (!*stopping_) {
      prover_.turn();
      prover_.wait(kProverWait);
    }
  });
  const std::lock_guard lock(mutex_);
  for (auto& [path, destination] : destinations_) run_writer(destination);
  return {};
}

void FileCollector::run_writer(Destination& destination) {
  if (destination.thread.joinable()) return;
  // Nothing of this object: the thread may outlive it, stuck in a call that does not come back.
  destination.thread =
      std::thread([writer = destination.writer, ended = destination.ended, stopping = stopping_] {
        while (!*stopping)
          if (!writer->turn()) writer->wait(kLookEvery);
        writer->flush();
        *ended = true;
      });
}

void FileCollector::end(Destination& destination) {
  if (!destination.thread.joinable()) return;
  for (Milliseconds waited{0}; !*destination.ended && waited < kPatienceAtEnd; waited += kEndLook) {
    destination.writer->wake();
    std::this_thread::sleep_for(kEndLook);
  }
  if (*destination.ended) return destination.thread.join();
  destination.writer->abandon();
  destination.thread.detach();
}

void FileCollector::stop() {
  if (!started_) return;
  started_ = false;
  *stopping_ = true;
  finder_.wake();
  prover_.wake();
  finder_thread_.join();
  prover_thread_.join();
  for (auto& [path, destination] : destinations_) end(destination);
}

// --- what callers ask

std::shared_ptr<ContainerLog> FileCollector::find(std::string_view container_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = containers_.find(container_id);
  return found == containers_.end() ? nullptr : found->second;
}

void FileCollector::watch(WatchedContainer container) {
  std::shared_ptr<ContainerLog> log;
  {
    const std::lock_guard lock(mutex_);
    auto& entry = containers_[container.id];
    if (entry && !entry->finishing)
      entry->set_container(std::move(container));
    else
      entry = std::make_shared<ContainerLog>(std::move(container));
    log = entry;
  }
  finder_.watch(std::move(log));
}

Delivery FileCollector::delivery(std::string_view container_id) const {
  const auto log = find(container_id);
  return log ? log->delivery() : Delivery{};
}

void FileCollector::wake_all() {
  finder_.wake();
  prover_.wake();
  const std::lock_guard lock(mutex_);
  for (auto& [path, destination] : destinations_) destination.writer->wake();
}

void FileCollector::hurry(std::string_view container_id) {
  const auto log = find(container_id);
  if (!log) return;
  log->hurry = true;
  wake_all();
}

void FileCollector::spill(std::string_view container_id) {
  const auto log = find(container_id);
  if (!log) return;
  log->hurry = true;
  log->spill = true;
  wake_all();
}

void FileCollector::finish(std::string_view container_id) {
  const auto log = find(container_id);
  if (!log || log->finishing) return;
  log->finish_at = clock_.now();
  log->finishing = true;
  wake_all();
}

std::vector<DestinationState> FileCollector::destinations() const {
  std::vector<DestinationState> states;
  const std::lock_guard lock(mutex_);
  for (const auto& [path, destination] : destinations_)
    states.push_back(destination.writer->state());
  return states;
}

// --- what the threads do

void FileCollector::route(const std::shared_ptr<ContainerLog>& container,
                          std::vector<std::shared_ptr<SourceFile>> files) {
  const model::LogPolicy policy = container->container().policy;
  std::vector<Writer::Source> collected;
  std::vector<std::shared_ptr<SourceFile>> shipped;
  for (auto& file : files) {
    if (policy.filebeat && file->kind == SourceKind::kFile)
      shipped.push_back(std::move(file));
    else
      collected.push_back({std::move(file)});
  }
  if (!shipped.empty()) prover_.add(container, std::move(shipped));
  if (!collected.empty()) writer_for(policy.destination).add(container, std::move(collected));
}

Writer& FileCollector::writer_for(const std::string& destination) {
  const bool own = destination.empty();
  const std::string path = own ? options_.destination.string() : destination;
  const std::lock_guard lock(mutex_);
  Destination& found = destinations_[path];
  if (!found.writer) {
    found.writer =
        std::make_shared<Writer>(WriterOptions{.name = path,
                                               .positions = options_.state / positions_name(path),
                                               .sync_every = options_.sync_every,
                                               .segment_bytes = options_.segment_bytes,
                                               .keep = {options_.keep_bytes, options_.keep_for},
                                               .max_files = options_.max_files,
                                               .on_event = options_.on_event},
                                 open_output_(path, own), clock_);
    if (started_) run_writer(found);
  }
  return *found.writer;
}

void FileCollector::tend() {
  tend_containers();
  tend_destinations();
}

void FileCollector::tend_containers() {
  const MonotonicTime now = clock_.now();
  const std::lock_guard lock(mutex_);
  std::erase_if(containers_, [&](const auto& entry) {
    ContainerLog& log = *entry.second;
    if (!log.finishing) return false;
    const MonotonicTime finish_at = log.finish_at;
    if (log.found_at.load() > finish_at && log.files().empty()) log.finished = true;
    return log.finished && now - finish_at > kRememberDelivery;
  });
}

void FileCollector::tend_destinations() {
  std::vector<LogEvent> events;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [path, destination] : destinations_) {
      const DestinationState state = destination.writer->state();
      const bool stalled = state.stalled >= options_.stalled_after;
      if (stalled && !destination.said_stalled)
        events.push_back({"log_destination_stalled", path,
                          fmt::format("it has not answered for {} s; log lines wait in the "
                                      "containers' own files",
                                      state.stalled.count() / 1'000)});
      if (!stalled && destination.said_stalled)
        events.push_back({"log_destination_well", path, "it answers again"});
      destination.said_stalled = stalled;
    }
  }
  for (LogEvent& event : events) {
    log::warn(kComponent, "{}: {}", event.subject, event.reason);
    if (options_.on_event) options_.on_event(std::move(event));
  }
}

void FileCollector::turn() {
  finder_.turn();
  prover_.turn();
  std::vector<std::shared_ptr<Writer>> writers;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [path, destination] : destinations_) writers.push_back(destination.writer);
  }
  for (const auto& writer : writers)
    while (writer->turn()) continue;
  tend();
}

Result<std::unique_ptr<Collector>> make_collector(CollectorOptions options, const Clock& clock) {
  HIVE_TRY(os::make_directories(options.state, 0700));
  return std::make_unique<FileCollector>(
      std::move(options), clock,
      [](const std::string& path, bool make) { return make_output_directory(path, make); });
}

}  // namespace hive::logs
