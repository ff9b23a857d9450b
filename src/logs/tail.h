// One source file on its way to its destination: what is read, what is written, what is durable.
//
// Plain files are copied byte for byte: a destination file is an exact piece of its source, from
// `base` on. So a collector that was killed goes on where the destination ends, after comparing the
// two; nothing is written twice. Json-file logs are decoded into one file a stream, and are cut
// back to their last durable position instead.
//
// Used by one thread.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "logs/container_log.h"
#include "logs/output.h"
#include "logs/positions.h"

namespace hive::logs {

// Lent to each tail in turn, so that memory does not grow with the number of files.
struct TailBuffers {
  std::vector<char> bytes = std::vector<char>(256U << 10);
  std::string out;
  std::string err;
};

struct TailOptions {
  std::uint64_t segment_bytes = 1ULL << 30;
  std::uint64_t start = 0;  // in the source; what is before it is somebody else's
  // Nothing is known of the container: destination files that agree with the source are its own,
  // left by a collector whose positions were lost.
  bool adopt = false;
};

class Tail {
 public:
  // `names`: destination files are called so, a continuation "NAME~2" and so on.
  Tail(std::shared_ptr<SourceFile> source, std::shared_ptr<ContainerLog> container,
       OutputDirectory& directory, std::string out_name, std::string err_name, TailOptions options);

  // Where an earlier collector stopped; before the first copy().
  void resume(Position position) { resume_ = std::move(position); }

  // Carries what is there, at most about `budget` bytes. True when there is more. After an error
  // the next call begins where this one failed.
  Result<bool> copy(TailBuffers& buffers, std::size_t budget, MonotonicTime now);
  // The writer is gone: an unfinished line is carried as it is, too.
  Result<bool> finish(TailBuffers& buffers, std::size_t budget, MonotonicTime now);
  // Publishes how much there is, without carrying any.
  void look();
  Status sync();
  // Lets go of the descriptors; copy() goes on once the source has one again.
  void park();

  // A destination file was begun: nothing is written to it before its name is in the record.
  bool recorded() const { return recorded_; }
  void set_recorded() { recorded_ = true; }
  bool dirty() const { return written_ != durable_ || !settled_; }
  bool caught_up() const;
  bool unlinked() const { return unlinked_; }
  Position position() const;
  const std::shared_ptr<SourceFile>& source() const { return source_; }
  const std::shared_ptr<ContainerLog>& container() const { return container_; }
  // Destination files that are or may be written again.
  std::vector<std::string> outputs() const;
  std::vector<LogEvent> take_events() { return std::exchange(events_, {}); }
  std::uint64_t take_written() { return std::exchange(appended_, 0); }

 private:
  struct Output {
    std::string base_name;
    std::string name;  // empty = not created yet
    std::unique_ptr<OutputFile> file;
    std::uint64_t bytes = 0;
    std::uint64_t durable = 0;
    bool cut_due = false;  // what is beyond `bytes` must go before anything is appended
  };
  enum class Pump { kEnd, kMore, kReplaced };

  bool is_json() const { return source_->kind == SourceKind::kJsonFile; }
  Status settle(int fd, std::uint64_t size);
  Result<bool> settle_at(const Position& position, int fd, std::uint64_t size);
  Result<bool> settle_plain(const Position& position, int fd, std::uint64_t size);
  Result<bool> settle_json(const Position& position, int fd, std::uint64_t size);
  Status adopt(int fd, std::uint64_t size);
  Status restart(int fd, std::uint64_t size, TailBuffers& buffers);
  Status rescue(TailBuffers& buffers);
  bool holds(int fd, std::uint64_t size) const;
  Result<Pump> pump(int fd, TailBuffers& buffers, std::size_t budget, bool to_the_end);
  Status put_plain(std::string_view data);
  Status put_json(std::string_view data, bool whole, TailBuffers& buffers);
  Result<std::size_t> append(Output& output, std::string_view data);
  Status open_output(Output& output);
  Status continue_in_another(Output& output);
  Status sync_output(Output& output);
  void back_to_durable();
  void advance(std::string_view data);
  void remember(std::string_view data);
  void publish(std::uint64_t size, bool changed, MonotonicTime now);

  std::shared_ptr<SourceFile> source_;
  std::shared_ptr<ContainerLog> container_;
  OutputDirectory& directory_;
  TailOptions options_;
  std::optional<Position> resume_;
  bool settled_ = false;  // the place to go on from is known
  bool unlinked_ = false;
  bool recorded_ = true;
  bool restarted_ = false;     // zeros before the first line are a hole, not lines
  std::uint64_t earlier_ = 0;  // bytes of what the file was before it was truncated; all safe
  std::uint64_t base_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t durable_ = 0;
  std::string check_;          // of the source, before written_
  std::string durable_check_;  // before durable_
  std::int64_t modified_ns_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t appended_ = 0;
  std::array<Output, 2> outputs_;  // standard output or the file itself; standard error
  std::vector<LogEvent> events_;
};

}  // namespace hive::logs
