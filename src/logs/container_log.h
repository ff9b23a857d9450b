// What is known of one watched container: shared by the finder, which opens its files, by the
// writer or the prover, which carry or check them, and by those who ask for its delivery.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "logs/collector.h"
#include "logs/container_root.h"

namespace hive::logs {

// Of what this room writes into hive's own log.
inline constexpr const char* kComponent = "logs";
// A file that has not grown for so long may be parked.
inline constexpr Milliseconds kIdleFor{15 * 60'000};

enum class SourceKind { kFile, kJsonFile };

// One file of a container, from its discovery until it is closed for good.
struct SourceFile {
  SourceFile(std::string file_path, FileId file_id, SourceKind file_kind,
             std::shared_ptr<const ContainerRoot> file_root)
      : path(std::move(file_path)), id(file_id), kind(file_kind), root(std::move(file_root)) {}

  const std::string path;  // below `root`
  const FileId id;
  const SourceKind kind;
  const std::shared_ptr<const ContainerRoot> root;  // where it was found

  std::atomic<std::uint64_t> seen{0};  // bytes in it, and in what it was before it was truncated
  std::atomic<std::uint64_t> safe{0};  // of these durable or acknowledged
  std::atomic<MonotonicTime> looked_at{};   // its last byte was looked for at that time
  std::atomic<MonotonicTime> changed_at{};  // it was seen to have grown
  std::atomic<std::int64_t> modified_ns{0};
  std::atomic<std::uint64_t> size{0};      // as of the last look
  std::atomic<std::uint32_t> restarts{0};  // truncations
  std::atomic<bool> never_shipped{false};  // Filebeat will not, by its own rules, ship the rest
  std::atomic<bool> doubted{false};        // more may be missing than the bytes say
  std::atomic<bool> parked{false};         // idle for long, its descriptor is closed meanwhile

  // Its beginning, to know a copy by. Its state for people.
  std::string head() const;
  void set_head(std::string bytes);
  std::string why() const;
  void set_why(std::string sentence);
  // Readers keep the descriptor alive while they use it.
  std::shared_ptr<const os::UniqueFd> descriptor() const;
  void set_descriptor(os::UniqueFd fd);

 private:
  mutable std::mutex mutex_;
  std::string head_;
  std::string why_;
  std::shared_ptr<const os::UniqueFd> fd_;
};

class ContainerLog {
 public:
  explicit ContainerLog(WatchedContainer container) : container_(std::move(container)) {}

  WatchedContainer container() const;
  void set_container(WatchedContainer container);
  std::vector<std::shared_ptr<SourceFile>> files() const;
  void add(std::shared_ptr<SourceFile> file);
  // Everything in it is safe and it will not be looked at again.
  void close(const std::shared_ptr<SourceFile>& file);
  // The file is a copy of one that is carried: its lines are there already.
  void set_copy(FileId id);
  bool is_copy(FileId id) const;
  // Of the container as a whole, or empty: why it cannot be looked into.
  void set_fault(std::string fault);

  Delivery delivery() const;

  std::atomic<bool> hurry{false};
  std::atomic<bool> spill{false};
  std::atomic<bool> finishing{false};
  std::atomic<bool> finished{false};         // finishing, and all of its files are closed
  std::atomic<MonotonicTime> found_at{};     // the last whole search for its files began then
  std::atomic<MonotonicTime> finish_at{};    // finish() was called
  std::atomic<MonotonicTime> appeared_at{};  // the newest of its files was found

 private:
  mutable std::mutex mutex_;
  WatchedContainer container_;
  std::vector<std::shared_ptr<SourceFile>> files_;
  std::set<FileId> copies_;
  std::string fault_;
  std::uint64_t closed_bytes_ = 0;
  MonotonicTime closed_at_{};
};

// How the container's files are called at a destination: "SERVICE/NODE.SLOT.TASK", or
// "SERVICE/NODE.global.TASK"; no part can lead out of the destination.
std::string task_directory(const WatchedContainer& container);
// The same for messages: "shop_web.3 (task x7f...)".
std::string task_name(const WatchedContainer& container);

}  // namespace hive::logs
