#include "store/history.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <deque>
#include <filesystem>
#include <mutex>

#include "base/log.h"

namespace hive::store {
namespace {

constexpr std::size_t kRing = 1'000;
constexpr int kPruneEvery = 100;

std::unique_ptr<SQLite::Database> open_database(const std::string& path) {
  auto database =
      std::make_unique<SQLite::Database>(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 1'000);
  database->exec("PRAGMA journal_mode=WAL");
  database->exec("PRAGMA synchronous=NORMAL");
  database->exec(
      "CREATE TABLE IF NOT EXISTS event(id INTEGER PRIMARY KEY, unix_ms INTEGER NOT NULL, "
      "kind TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL)");
  return database;
}

}  // namespace

struct History::Impl {
  std::size_t limit = 0;
  mutable std::mutex mutex;
  std::unique_ptr<SQLite::Database> database;
  std::deque<HistoryEvent> ring;  // the newest, always; all there is without a database
  std::int64_t next_id = 1;
  int until_prune = kPruneEvery;

  void open(const std::string& path) {
    try {
      database = open_database(path);
      load();
    } catch (const SQLite::Exception& failure) {
      // Garbage there: keep it for whoever wants to look, and begin anew.
      std::error_code ignored;
      std::filesystem::rename(path, path + ".corrupt", ignored);
      std::filesystem::remove(path + "-wal", ignored);
      std::filesystem::remove(path + "-shm", ignored);
      log::warn("history", "{}: {}; moved aside to {}.corrupt", path, failure.what(), path);
      database.reset();
      ring.clear();
      try {
        database = open_database(path);
      } catch (const SQLite::Exception& again) {
        log::warn("history", "{}: {}; events are kept in memory only", path, again.what());
        database.reset();
      }
    }
  }

  void load() {
    SQLite::Statement query(*database,
                            "SELECT id, unix_ms, kind, subject, reason FROM event "
                            "ORDER BY id DESC LIMIT ?");
    query.bind(1, static_cast<std::int64_t>(kRing));
    while (query.executeStep())
      ring.push_front({query.getColumn(0).getInt64(), query.getColumn(1).getInt64(),
                       query.getColumn(2).getString(), query.getColumn(3).getString(),
                       query.getColumn(4).getString()});
    if (!ring.empty()) next_id = ring.back().id + 1;
  }

  void write(const HistoryEvent& event) {
    SQLite::Statement insert(*database, "INSERT INTO event VALUES(?,?,?,?,?)");
    insert.bind(1, event.id);
    insert.bind(2, event.unix_ms);
    insert.bind(3, event.kind);
    insert.bind(4, event.subject);
    insert.bind(5, event.reason);
    insert.exec();
    if (--until_prune > 0) return;
    until_prune = kPruneEvery;
    SQLite::Statement prune(*database, "DELETE FROM event WHERE id <= ?");
    prune.bind(1, event.id - static_cast<std::int64_t>(limit));
    prune.exec();
  }
};

History::History(const std::string& path, std::size_t limit) : impl_(std::make_unique<Impl>()) {
  impl_->limit = limit;
  if (!path.empty()) impl_->open(path);
}
History::~History() = default;

HistoryEvent History::append(HistoryEvent event) {
  std::lock_guard lock(impl_->mutex);
  event.id = impl_->next_id++;
  impl_->ring.push_back(event);
  if (impl_->ring.size() > kRing) impl_->ring.pop_front();
  if (!impl_->database) return event;
  try {
    impl_->write(event);
  } catch (const SQLite::Exception& failure) {
    log::warn("history", "{}; events are kept in memory only from now on", failure.what());
    impl_->database.reset();
  }
  return event;
}

std::vector<HistoryEvent> History::list(std::int64_t since, std::size_t limit) const {
  std::lock_guard lock(impl_->mutex);
  std::vector<HistoryEvent> out;
  for (const auto& event : impl_->ring)
    if (event.id > since) out.push_back(event);
  if (out.size() > limit) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(limit));
  return out;
}

bool History::durable() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->database != nullptr;
}

}  // namespace hive::store
