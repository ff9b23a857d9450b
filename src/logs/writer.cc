#include "logs/writer.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "os/file.h"

namespace hive::logs {
namespace {

constexpr std::size_t kBudget = 4U << 20;  // of one file in one turn
constexpr Milliseconds kFirstRetry{1'000};
constexpr Milliseconds kLastRetry{30'000};
constexpr Milliseconds kUnlinkedFor{60'000};  // no growth of a removed file: it is over
constexpr Milliseconds kRotatedFor{2'000};
constexpr Milliseconds kTidyEvery{10 * 60'000};
constexpr std::int64_t kRememberPosition = 2 * 3600;  // seconds; an agent may come back to it
constexpr std::size_t kMaxRemembered = 100;
constexpr std::uint64_t kShareOfDisk = 10;          // without a bound: a tenth of the file system
constexpr std::uint64_t kMostOfDisk = 20ULL << 30;  // and no more than that

std::int64_t unix_s(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

Milliseconds retry_after(int failures) {
  return std::min(kFirstRetry * (1 << std::min(failures - 1, 10)), kLastRetry);
}

bool same_file(const Position& position, const SourceFile& file) {
  // A container that is looked into another way, or was started again, shows other devices.
  return position.id.inode == file.id.inode &&
         (position.id.device == file.id.device || position.path == file.path);
}

}  // namespace

Writer::Writer(WriterOptions options, std::unique_ptr<OutputDirectory> directory,
               const Clock& clock)
    : options_(std::move(options)),
      directory_(guard_output(std::move(directory), guard_, clock)),
      clock_(clock) {
  state_.path = options_.name;
  next_tidy_ = clock_.now() + kTidyEvery;
  load_positions();
}

void Writer::load_positions() {
  const auto text = os::read_file(options_.positions);
  if (!text) return;
  auto positions = decode_positions(*text);
  if (positions)
    kept_ = std::move(*positions);
  else
    log::warn(kComponent, "{}: {}; destination files are compared with their sources instead",
              options_.positions.string(), positions.error().message);
  const std::int64_t now = unix_s(clock_.wall_now());
  std::erase_if(kept_, [&](const auto& entry) {
    const std::int64_t at = entry.second.finished_unix_s;
    return at != 0 && at + kRememberPosition < now;
  });
}

void Writer::add(std::shared_ptr<ContainerLog> container, std::vector<Source> sources) {
  const std::lock_guard lock(mutex_);
  added_.push_back({std::move(container), std::move(sources)});
  woken_ = true;
  changed_.notify_all();
}

void Writer::flush() {
  sync(clock_.now());
  record();
}

void Writer::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void Writer::wait(Milliseconds at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this] { return woken_; });
  woken_ = false;
}

void Writer::emit(std::string kind, std::string subject, std::string reason) {
  log::warn(kComponent, "{}: {}", subject, reason);
  if (options_.on_event)
    options_.on_event({std::move(kind), std::move(subject), std::move(reason)});
}

// --- taking files on

void Writer::take_added() {
  std::deque<Added> added;
  {
    const std::lock_guard lock(mutex_);
    added.swap(added_);
  }
  for (const Added& one : added) {
    const std::string id = one.container->container().id;
    const bool known = kept_.count(id) > 0;
    kept_[id].finished_unix_s = 0;
    for (const Source& source : one.sources) begin(one.container, source, !known);
  }
}

void Writer::begin(const std::shared_ptr<ContainerLog>& container, const Source& source,
                   bool adopt) {
  const SourceFile& file = *source.file;
  for (const Item& item : items_)
    if (item.tail->source() == source.file) return;  // opened again after it was parked
  node_ = container->container().node;
  const std::string directory = task_directory(container->container());
  const bool json = file.kind == SourceKind::kJsonFile;
  auto tail = std::make_unique<Tail>(source.file, container, *directory_,
                                     directory + (json ? "/stdout.log" : file.path),
                                     json ? directory + "/stderr.log" : "",
                                     TailOptions{options_.segment_bytes, source.start, adopt});
  std::vector<Position>& files = kept_[container->container().id].files;
  const auto position = std::find_if(files.begin(), files.end(),
                                     [&](const Position& one) { return same_file(one, file); });
  if (position != files.end()) {
    tail->resume(std::move(*position));
    files.erase(position);
  }
  items_.push_back({std::move(tail)});
}

// --- one turn

bool Writer::turn() {
  const MonotonicTime now = clock_.now();
  take_added();
  bool more = false;
  bool hurry = false;
  for (Item& item : items_) {
    more |= carry(item, now);
    const ContainerLog& container = *item.tail->container();
    hurry |= container.hurry || container.finishing;
  }
  if (hurry || now >= next_sync_) {
    sync(now);
    record();
  } else if (std::any_of(items_.begin(), items_.end(),
                         [](const Item& item) { return !item.tail->recorded(); })) {
    record();
  }
  close_done(now);
  park_idle(now);
  if (now >= next_tidy_) tidy(now);
  publish();
  return more;
}

bool Writer::carry(Item& item, MonotonicTime now) {
  Tail& tail = *item.tail;
  if (now < item.retry_at) {
    tail.look();
    return false;
  }
  const bool finishing = tail.container()->finishing;
  const auto more =
      finishing ? tail.finish(buffers_, kBudget, now) : tail.copy(buffers_, kBudget, now);
  written_ += tail.take_written();
  for (LogEvent& event : tail.take_events())
    emit(std::move(event.kind), std::move(event.subject), std::move(event.reason));
  if (!more) {
    failed(item, more.error(), now);
    return false;
  }
  if (!item.fault.empty() && !tail.dirty()) {
    item.fault.clear();
    item.failures = 0;
    tail.source()->set_why("");
  }
  return *more;
}

void Writer::failed(Item& item, const Error& error, MonotonicTime now) {
  ++item.failures;
  item.retry_at = now + retry_after(item.failures);
  item.fault = error.message;
  item.tail->source()->set_why(error.message);
  item.tail->look();
}

void Writer::sync(MonotonicTime now) {
  next_sync_ = now + options_.sync_every;
  for (Item& item : items_) {
    if (now < item.retry_at || !item.tail->dirty()) continue;
    const Status synced = item.tail->sync();
    if (!synced) {
      failed(item, synced.error(), now);
    } else if (!item.fault.empty()) {
      item.fault.clear();
      item.failures = 0;
      item.tail->source()->set_why("");
    }
  }
}

// --- files that are over

bool Writer::may_close(const Item& item, MonotonicTime now) const {
  const Tail& tail = *item.tail;
  const ContainerLog& container = *tail.container();
  if (!tail.caught_up() || !item.fault.empty()) return false;
  const SourceFile& source = *tail.source();
  if (container.finishing)
    return source.looked_at.load() > container.finish_at.load() || source.parked;
  // Docker writes no more to a log that it has rotated away; an application may.
  const Milliseconds quiet = source.kind == SourceKind::kJsonFile ? kRotatedFor : kUnlinkedFor;
  return tail.unlinked() && now - source.changed_at.load() > quiet;
}

void Writer::close_done(MonotonicTime now) {
  std::erase_if(items_, [&](const Item& item) {
    if (!may_close(item, now)) return false;
    const Tail& tail = *item.tail;
    ContainerLog& container = *tail.container();
    // A file that is gone has no next reader; one of a finished container may have.
    if (container.finishing && !tail.unlinked()) {
      ContainerPositions& kept = kept_[container.container().id];
      kept.finished_unix_s = unix_s(clock_.wall_now());
      kept.files.push_back(tail.position());
    }
    tail.source()->set_descriptor(os::UniqueFd());
    container.close(tail.source());
    return true;
  });
}

void Writer::park_idle(MonotonicTime now) {
  const auto open = static_cast<std::size_t>(std::count_if(
      items_.begin(), items_.end(), [](const Item& item) { return !item.tail->source()->parked; }));
  if (open <= options_.max_files / 2) return;
  std::size_t excess = open - options_.max_files / 2;
  for (Item& item : items_) {
    const SourceFile& source = *item.tail->source();
    if (excess == 0) return;
    if (source.parked || !item.tail->caught_up() || item.tail->unlinked() ||
        now - source.changed_at.load() < kIdleFor)
      continue;
    item.tail->park();
    --excess;
  }
}

// --- the record

void Writer::record() {
  Positions positions = kept_;
  for (const Item& item : items_)
    positions[item.tail->container()->container().id].files.push_back(item.tail->position());
  std::string text = encode_positions(positions);
  const Status written =
      text == last_record_ ? Status{} : os::write_file_atomically(options_.positions, text, 0600);
  // Unrecorded, a file may be carried twice after a kill; that is better than not at all.
  for (Item& item : items_) item.tail->set_recorded();
  const std::string fault = written ? "" : written.error().message;
  if (!fault.empty() && record_fault_.empty())
    emit("log_positions_fault", options_.positions.string(),
         fault + "; lines may be stored twice if the agent is killed now");
  record_fault_ = fault;
  if (written) last_record_ = std::move(text);
}

// --- bounds

void Writer::tidy(MonotonicTime now) {
  next_tidy_ = now + kTidyEvery;
  while (kept_.size() > kMaxRemembered) {
    const auto oldest = std::min_element(kept_.begin(), kept_.end(), [](auto& a, auto& b) {
      return a.second.finished_unix_s < b.second.finished_unix_s;
    });
    kept_.erase(oldest);
  }
  RetentionBounds bounds = options_.keep;
  if (bounds.bytes == 0) {
    const auto capacity = directory_->capacity();
    if (!capacity) return;
    bounds.bytes = std::min(*capacity / kShareOfDisk, kMostOfDisk);
  }
  auto files = directory_->list();
  if (!files) return;
  std::set<std::string> in_use;
  for (const Item& item : items_)
    for (std::string& name : item.tail->outputs()) in_use.insert(std::move(name));
  for (const auto& [id, container] : kept_)
    if (container.finished_unix_s == 0)
      for (const Position& file : container.files) in_use.insert({file.out.name, file.err.name});
  for (const std::string& name :
       expired(std::move(*files), node_, in_use, unix_s(clock_.wall_now()), bounds)) {
    if (const Status removed = directory_->remove(name); !removed)
      log::warn(kComponent, "{}", removed.error().message);
  }
}

// --- for those who ask

void Writer::publish() {
  DestinationState state{.path = options_.name, .bytes_written = written_};
  for (const Item& item : items_) {
    const SourceFile& source = *item.tail->source();
    state.bytes_waiting += source.seen - std::min(source.safe.load(), source.seen.load());
    if (state.fault.empty()) state.fault = item.fault;
  }
  std::string before;
  {
    const std::lock_guard lock(mutex_);
    before = state_.fault;
    state_ = state;
  }
  if (before.empty() && !state.fault.empty())
    emit(
        "log_destination_fault", options_.name,
        fmt::format("log lines cannot be stored: {}. They wait in the containers' own files; it is "
                    "tried again",
                    state.fault));
  if (!before.empty() && state.fault.empty())
    emit("log_destination_well", options_.name, "log lines are stored again");
}

DestinationState Writer::state() const {
  const std::lock_guard lock(mutex_);
  DestinationState state = state_;
  const MonotonicTime since = guard_->busy_since;
  if (since != MonotonicTime{})
    state.stalled = std::chrono::duration_cast<Milliseconds>(clock_.now() - since);
  return state;
}

}  // namespace hive::logs
