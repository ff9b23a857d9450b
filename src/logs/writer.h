// Carries the files of one destination: copies, fsyncs in batches, records positions, and keeps the
// store within its bounds. A destination that does not answer holds up its own writer alone.
//
// turn() belongs to one thread; add(), wake(), state() and the like may be called from any.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "logs/guarded_output.h"
#include "logs/retention.h"
#include "logs/tail.h"

namespace hive::logs {

struct WriterOptions {
  std::string name;                 // of the destination, for people
  std::filesystem::path positions;  // the file of this destination's positions
  Milliseconds sync_every{1'000};
  std::uint64_t segment_bytes = 1ULL << 30;
  RetentionBounds keep;
  std::size_t max_files = 4'096;  // beyond half of it, idle files are parked
  std::function<void(LogEvent)> on_event;
};

class Writer {
 public:
  Writer(WriterOptions options, std::unique_ptr<OutputDirectory> directory, const Clock& clock);

  // Files that the finder has opened, or opened again; all that it found in one search together.
  struct Source {
    std::shared_ptr<SourceFile> file;
    std::uint64_t start = 0;  // what is before is somebody else's
  };
  void add(std::shared_ptr<ContainerLog> container, std::vector<Source> sources);
  // One turn; true when there is more to do at once.
  bool turn();
  // Until woken, or for as long.
  // All that was carried becomes durable, before the end.
  void flush();
  void wait(Milliseconds at_most);
  void wake();

  DestinationState state() const;
  // The thread in turn() will not come back in time: it stops for ever when it does.
  void abandon() { guard_->abandoned = true; }

 private:
  struct Added {
    std::shared_ptr<ContainerLog> container;
    std::vector<Source> sources;
  };
  struct Item {
    std::unique_ptr<Tail> tail;
    MonotonicTime retry_at{};
    int failures = 0;
    std::string fault;
  };

  void take_added();
  void begin(const std::shared_ptr<ContainerLog>& container, const Source& source, bool adopt);
  bool carry(Item& item, MonotonicTime now);
  void failed(Item& item, const Error& error, MonotonicTime now);
  void sync(MonotonicTime now);
  void close_done(MonotonicTime now);
  bool may_close(const Item& item, MonotonicTime now) const;
  void park_idle(MonotonicTime now);
  void record();
  void tidy(MonotonicTime now);
  void publish();
  void load_positions();
  void emit(std::string kind, std::string subject, std::string reason);

  WriterOptions options_;
  std::shared_ptr<OutputGuard> guard_ = std::make_shared<OutputGuard>();
  std::unique_ptr<OutputDirectory> directory_;
  const Clock& clock_;
  TailBuffers buffers_;
  std::vector<Item> items_;
  Positions kept_;    // of files that have no tail yet, or none any more
  std::string node_;  // this node's files are named so
  std::string last_record_;
  std::string record_fault_;
  MonotonicTime next_sync_{};
  MonotonicTime next_tidy_{};
  std::uint64_t written_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  std::deque<Added> added_;
  DestinationState state_;
};

}  // namespace hive::logs
