// The port to the collector: carries the log lines of a node's containers to durable storage, and
// proves that it did.
//
// A line is safe when it is written and fsynced at the destination, or, where a service has a
// Filebeat, acknowledged in Filebeat's registry. delivery() tells how much of what was written is.
//
// Sources: files matching globs inside a container, and the container's json-file log (stdout and
// stderr). Each file is opened the moment it appears and read by its descriptor from then on, so
// rotation, unlinking and the container's removal lose nothing that was opened. Each source has a
// destination file of its own, named by service, node and task (docs/logs.md).
//
// Threading: all calls are safe from any thread and never wait for a disk, a share or a container;
// the work is done in threads of the collector's own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/log_policy.h"

namespace hive::logs {

// A container whose log lines count.
struct WatchedContainer {
  std::string id;
  std::string task_id;
  std::string service;    // name
  std::string node;       // host name, as people know it
  std::int64_t slot = 0;  // 0 = a global service's
  int pid = 0;            // of its first process; 0 = it runs no more
  std::string json_log;   // LogPath of docker's inspect; empty = another log driver
  std::string upper_dir;  // GraphDriver.Data.UpperDir: read when no process is there to look
                          // through; may be empty
  model::LogPolicy policy;
};

struct Undelivered {
  std::string file;     // as the container names it, or "stdout/stderr"
  std::uint64_t bytes;  // 0 = not known
  std::string why;      // for people: "not read by Filebeat yet", "/mnt/logs: No space left"
};

// How it stands with the log lines of one container.
struct Delivery {
  bool watched = false;                  // false: never heard of, or forgotten after finish()
  std::uint64_t bytes_seen = 0;          // in its files, all generations together
  std::uint64_t bytes_safe = 0;          // of these durable or acknowledged
  std::vector<Undelivered> undelivered;  // at most 100, the largest first
  MonotonicTime stable_since{};          // no file has grown or appeared since
  // When the newest whole look at all of its files began; the end of time once it is finished.
  MonotonicTime looked_at{};

  // Proof that nothing is missing: the writers were gone at that time, all files were looked at
  // after it, and every byte in them is safe.
  bool proven(MonotonicTime writers_gone) const {
    return watched && undelivered.empty() && looked_at > writers_gone;
  }
  std::uint64_t bytes_missing() const { return bytes_seen - bytes_safe; }
};

// How it stands with one destination directory or share.
struct DestinationState {
  std::string path;
  std::string fault;                // "No space left on device"; empty = good
  Milliseconds stalled{0};          // how long the call now running has not come back
  std::uint64_t bytes_written = 0;  // since start
  std::uint64_t bytes_waiting = 0;  // seen and not yet safe
};

// Something that people should know of: a destination full, stalled or well again, a file truncated
// before it was read, a bound reached.
struct LogEvent {
  std::string kind;  // "log_destination_fault", "log_destination_well", "log_file_truncated", ...
  std::string subject;  // destination, or task and file
  std::string reason;   // one plain sentence
};

struct CollectorOptions {
  std::filesystem::path destination = "/var/lib/hive/logs";     // for services that name none
  std::filesystem::path state = "/var/lib/hive/log-positions";  // on the node itself, never shared
  Milliseconds sync_every{1'000};            // at most so much is unsafe for want of an fsync
  Milliseconds rescan_every{2'000};          // for what inotify does not tell
  Milliseconds stalled_after{10'000};        // a call to a destination that takes longer is said
  std::uint64_t segment_bytes = 1ULL << 30;  // a destination file is continued in another
  std::uint64_t keep_bytes = 20ULL << 30;    // of the node's own destination; oldest go first
  std::chrono::hours keep_for{24 * 30};      // after a file's last line
  std::size_t max_files = 4'096;             // open at a time
  std::function<void(LogEvent)> on_event;    // called from the collector's threads
};

class Collector {
 public:
  virtual ~Collector() = default;  // as stop()
  // Starts and ends the threads. Ending loses nothing: the next collector over the same state
  // directory goes on at the positions kept.
  virtual Status start() = 0;
  virtual void stop() = 0;
  // From now on until finish(). Idempotent; a later call may bring another pid or policy.
  virtual void watch(WatchedContainer container) = 0;
  virtual Delivery delivery(std::string_view container_id) const = 0;
  // Somebody waits for it: look and fsync now, not at the next turn.
  virtual void hurry(std::string_view container_id) = 0;
  // What Filebeat has not acknowledged is collected into the destination, as if there were none:
  // for when there is no time to wait for it. The lines may then be there twice, never nowhere.
  virtual void spill(std::string_view container_id) = 0;
  // The writers are gone: everything is read to its end, made durable and closed, whether the
  // container is still there or not. delivery() answers for it for some minutes more.
  virtual void finish(std::string_view container_id) = 0;
  virtual std::vector<DestinationState> destinations() const = 0;
};

// kUnavailable when the state directory cannot be used.
Result<std::unique_ptr<Collector>> make_collector(CollectorOptions options, const Clock& clock);

}  // namespace hive::logs
