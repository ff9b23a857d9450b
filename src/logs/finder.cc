#include "logs/finder.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>

#include "base/log.h"
#include "logs/rotation.h"
#include "os/file.h"

namespace hive::logs {
namespace {

constexpr Milliseconds kHurriedSearch{100};
constexpr Milliseconds kSuspectFor{10'000};

// "ID-json.log" and, rotated, "ID-json.log.1".
bool is_json_log(const std::string& path, const std::string& name) {
  const std::string found = path.substr(path.rfind('/') + 1);
  if (!found.starts_with(name)) return false;
  const std::string rest = found.substr(name.size());
  return rest.empty() || (rest.size() > 1 && rest[0] == '.' &&
                          std::all_of(rest.begin() + 1, rest.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; }));
}

}  // namespace

Finder::Finder(FinderOptions options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Status Finder::start() {
  inotify_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (inotify_) return {};
  return tl::unexpected(os::errno_error(errno, "inotify"));
}

void Finder::watch(std::shared_ptr<ContainerLog> container) {
  {
    const std::lock_guard lock(mutex_);
    new_.push_back(std::move(container));
  }
  wake();
}

void Finder::wake() {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

void Finder::wait(Milliseconds at_most) {
  std::array<pollfd, 2> fds{{{wake_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}}};
  (void)::poll(fds.data(), inotify_ ? 2 : 1, static_cast<int>(at_most.count()));
  std::uint64_t ignored = 0;
  (void)!::read(wake_.get(), &ignored, sizeof ignored);
}

void Finder::say_once(const std::string& kind, const std::string& subject,
                      const std::string& reason) {
  if (said_.size() > 1'000) said_.clear();
  if (!said_.insert(kind + subject).second) return;
  log::warn(kComponent, "{}: {}", subject, reason);
  if (options_.on_event) options_.on_event({kind, subject, reason});
}

// --- one turn

void Finder::take_new() {
  std::deque<std::shared_ptr<ContainerLog>> added;
  {
    const std::lock_guard lock(mutex_);
    added.swap(new_);
  }
  for (auto& container : added) {
    Watched& watched = watched_[container->container().id];
    if (watched.log != container) watched = Watched{.log = container};
    watched.due = true;
  }
}

void Finder::read_events() {
  if (!inotify_) return;
  alignas(inotify_event) std::array<char, 16'384> buffer{};
  while (true) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got <= 0) return;
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if ((event->mask & IN_Q_OVERFLOW) != 0)
        for (auto& [id, watched] : watched_) watched.due = true;
      const auto found = by_directory_.find(event->wd);
      if (found == by_directory_.end()) continue;
      for (const std::string& id : found->second) watched_[id].due = true;
      if ((event->mask & IN_IGNORED) != 0) by_directory_.erase(found);
    }
  }
}

bool Finder::is_due(const Watched& watched, MonotonicTime now) const {
  const ContainerLog& log = *watched.log;
  if (log.finishing) return log.found_at.load() <= log.finish_at.load();
  if (watched.due || now >= watched.searched_at + options_.rescan_every) return true;
  return log.hurry && now >= watched.searched_at + kHurriedSearch;
}

void Finder::turn() {
  take_new();
  read_events();
  std::vector<std::string> over;
  for (auto& [id, watched] : watched_) {
    if (is_due(watched, clock_.now())) search(watched, clock_.now());
    const ContainerLog& log = *watched.log;
    if (log.finishing && log.found_at.load() > log.finish_at.load()) over.push_back(id);
  }
  for (const std::string& id : over) forget(id);
}

void Finder::forget(const std::string& id) {
  for (const int directory : watched_[id].directories) {
    const auto found = by_directory_.find(directory);
    if (found == by_directory_.end()) continue;
    found->second.erase(id);
    if (!found->second.empty()) continue;
    (void)::inotify_rm_watch(inotify_.get(), directory);
    by_directory_.erase(found);
  }
  watched_.erase(id);
}

std::size_t Finder::open_files() const {
  std::size_t count = 0;
  for (const auto& [id, watched] : watched_)
    for (const auto& [file_id, file] : watched.known) count += file->parked ? 0 : 1;
  return count;
}

// --- one search

void Finder::open_roots(Watched& watched) {
  const WatchedContainer container = watched.log->container();
  const bool looked = watched.root && watched.pid == container.pid;
  if (!looked && !container.policy.paths.empty()) {
    auto root = container.pid > 0 ? ContainerRoot::of_process(container.pid, container.id)
                                  : fail(Errc::kNotFound, "the container does not run");
    if (!root && !container.upper_dir.empty())
      root = ContainerRoot::of_directory(container.upper_dir);
    if (root) watched.root = std::make_shared<const ContainerRoot>(std::move(*root));
    watched.pid = container.pid;
    watched.log->set_fault(
        watched.root ? "" : "its files cannot be looked into: " + root.error().message);
  }
  if (!watched.json_root && container.policy.output && !container.json_log.empty()) {
    auto root =
        ContainerRoot::of_directory(container.json_log.substr(0, container.json_log.rfind('/')));
    if (root) watched.json_root = std::make_shared<const ContainerRoot>(std::move(*root));
  }
}

void Finder::search(Watched& watched, MonotonicTime now) {
  watched.due = false;
  watched.searched_at = now;
  open_roots(watched);
  // What is closed for good is not known any more: its inode may come again as another file.
  const auto files = watched.log->files();
  const std::set<std::shared_ptr<SourceFile>> living(files.begin(), files.end());
  std::erase_if(watched.known, [&](const auto& entry) { return living.count(entry.second) == 0; });

  std::vector<std::shared_ptr<SourceFile>> batch;
  if (watched.root)
    for (const std::string& glob : watched.log->container().policy.paths)
      for (const FoundFile& file :
           watched.root->find(glob, [&](int fd) { watch_directory(watched, fd); }))
        note(watched, file, SourceKind::kFile, batch, now);
  search_json(watched, batch, now);
  settle_suspects(watched, batch, now);
  if (!batch.empty()) {
    watched.log->appeared_at = now;
    options_.on_files(watched.log, std::move(batch));
  }
  if (watched.suspects.empty()) watched.log->found_at = now;
}

void Finder::search_json(Watched& watched, std::vector<std::shared_ptr<SourceFile>>& batch,
                         MonotonicTime now) {
  if (!watched.json_root) return;
  const std::string path = watched.log->container().json_log;
  const std::string name = path.substr(path.rfind('/') + 1);
  for (const FoundFile& file :
       watched.json_root->find("/" + name + "*", [&](int fd) { watch_directory(watched, fd); }))
    if (is_json_log(file.path, name)) note(watched, file, SourceKind::kJsonFile, batch, now);
}

void Finder::note(Watched& watched, const FoundFile& file, SourceKind kind,
                  std::vector<std::shared_ptr<SourceFile>>& batch, MonotonicTime now) {
  auto known = watched.known.find(file.id);
  if (known == watched.known.end())
    // Started again, a container's file system is another device and shows the same files.
    known = std::find_if(watched.known.begin(), watched.known.end(), [&](const auto& entry) {
      return entry.first.inode == file.id.inode && entry.second->path == file.path;
    });
  if (known != watched.known.end()) return meet_again(file, known->second, batch, now);
  if (watched.log->is_copy(file.id) || watched.suspects.count(file.id) > 0) return;
  if (kind == SourceKind::kFile && suspect(watched, file, now)) return;
  admit(watched, file, kind, batch, now);
}

void Finder::meet_again(const FoundFile& file, const std::shared_ptr<SourceFile>& known,
                        std::vector<std::shared_ptr<SourceFile>>& batch, MonotonicTime now) {
  if (!known->parked) return;
  if (file.size == known->size && file.modified_ns == known->modified_ns) {
    known->looked_at = now;
    return;
  }
  auto fd = known->root->open(file.path);
  if (!fd) return;
  known->set_descriptor(std::move(*fd));
  known->parked = false;
  batch.push_back(known);
}

bool Finder::suspect(Watched& watched, const FoundFile& file, MonotonicTime now) {
  if (watched.log->finishing) return false;
  for (const auto& [id, known] : watched.known) {
    if (known->kind != SourceKind::kFile || !may_be_copy(file.path, known->path)) continue;
    const std::uint32_t restarts = known->restarts;
    const std::string head = known->head();
    const auto fd = head.empty() ? fail(Errc::kNotFound, "") : watched.root->open(file.path);
    if (!fd || !begins_as(fd->get(), head)) continue;
    watched.suspects[file.id] = {file, known, restarts, now};
    return true;
  }
  return false;
}

void Finder::settle_suspects(Watched& watched, std::vector<std::shared_ptr<SourceFile>>& batch,
                             MonotonicTime now) {
  for (auto at = watched.suspects.begin(); at != watched.suspects.end();) {
    const Suspect& suspect = at->second;
    const bool copy = watched.log->is_copy(at->first);
    const bool over = watched.log->finishing || now - suspect.since > kSuspectFor ||
                      suspect.original->restarts != suspect.restarts;
    if (!copy && over) admit(watched, suspect.file, SourceKind::kFile, batch, now);
    at = copy || over ? watched.suspects.erase(at) : std::next(at);
  }
}

void Finder::admit(Watched& watched, const FoundFile& file, SourceKind kind,
                   std::vector<std::shared_ptr<SourceFile>>& batch, MonotonicTime now) {
  const std::string name = task_name(watched.log->container());
  if (open_files() >= options_.max_files) {
    say_once("log_files_bound", name,
             fmt::format("{} is not opened: {} log files are open on this node, which is the bound",
                         file.path, options_.max_files));
    watched.log->set_fault("more log files than can be open at a time");
    return;
  }
  const auto root = kind == SourceKind::kFile ? watched.root : watched.json_root;
  auto fd = root->open(file.path);
  struct stat opened {};
  if (!fd || ::fstat(fd->get(), &opened) != 0) {
    if (!fd && fd.error().code != Errc::kNotFound)
      say_once("log_file_fault", name, fd.error().message);
    watched.due = true;  // it was renamed meanwhile: looked for again at the next turn
    return;
  }
  const FileId id = id_of(opened);
  if (watched.known.count(id) > 0) return;
  auto source = std::make_shared<SourceFile>(file.path, id, kind, root);
  source->set_descriptor(std::move(*fd));
  source->seen = static_cast<std::uint64_t>(opened.st_size);
  source->changed_at = now;
  watched.known[id] = source;
  watched.log->add(source);
  batch.push_back(std::move(source));
}

void Finder::watch_directory(Watched& watched, int fd) {
  if (!inotify_) return;
  const std::string path = fmt::format("/proc/self/fd/{}", fd);
  const int number =
      ::inotify_add_watch(inotify_.get(), path.c_str(), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
  if (number < 0) {
    say_once("log_inotify_bound", "inotify",
             fmt::format("new log files are found by search alone, within {} ms: {}",
                         options_.rescan_every.count(),
                         os::errno_error(errno, "inotify_add_watch").message));
    return;
  }
  watched.directories.insert(number);
  by_directory_[number].insert(watched.log->container().id);
}

}  // namespace hive::logs
