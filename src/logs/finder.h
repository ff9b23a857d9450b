// Finds the files of watched containers and opens them the moment they appear: told by inotify, and
// by a search every few seconds for what inotify does not tell.
//
// turn() and wait() belong to one thread; watch() and wake() may be called from any.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "logs/container_log.h"

namespace hive::logs {

struct FinderOptions {
  Milliseconds rescan_every{2'000};
  std::size_t max_files = 4'096;  // open at a time
  // Takes what was found in one search of a container: new files, and parked ones that have grown.
  std::function<void(const std::shared_ptr<ContainerLog>&,
                     std::vector<std::shared_ptr<SourceFile>>)>
      on_files;
  std::function<void(LogEvent)> on_event;
};

class Finder {
 public:
  Finder(FinderOptions options, const Clock& clock);
  // kResourceExhausted when there is no inotify instance left: files are then found by search
  // alone.
  Status start();
  void watch(std::shared_ptr<ContainerLog> container);
  void turn();
  void wait(Milliseconds at_most);
  void wake();

 private:
  // A file that begins like another one of its directory, and is called so: a rotator may be
  // copying that one, which it will truncate next.
  struct Suspect {
    FoundFile file;
    std::shared_ptr<SourceFile> original;
    std::uint32_t restarts = 0;  // of the original, when it was met
    MonotonicTime since{};
  };
  struct Watched {
    std::shared_ptr<ContainerLog> log;
    std::shared_ptr<const ContainerRoot> root;
    std::shared_ptr<const ContainerRoot> json_root;
    int pid = -1;  // whose root it is
    std::map<FileId, std::shared_ptr<SourceFile>> known;
    std::map<FileId, Suspect> suspects;
    bool due = true;
    MonotonicTime searched_at{};
    std::set<int> directories;  // inotify's numbers
  };

  void take_new();
  void read_events();
  bool is_due(const Watched& watched, MonotonicTime now) const;
  void search(Watched& watched, MonotonicTime now);
  void open_roots(Watched& watched);
  void search_json(Watched& watched, std::vector<std::shared_ptr<SourceFile>>& batch,
                   MonotonicTime now);
  void note(Watched& watched, const FoundFile& file, SourceKind kind,
            std::vector<std::shared_ptr<SourceFile>>& batch, MonotonicTime now);
  void meet_again(const FoundFile& file, const std::shared_ptr<SourceFile>& known,
                  std::vector<std::shared_ptr<SourceFile>>& batch, MonotonicTime now);
  bool suspect(Watched& watched, const FoundFile& file, MonotonicTime now);
  void settle_suspects(Watched& watched, std::vector<std::shared_ptr<SourceFile>>& batch,
                       MonotonicTime now);
  void admit(Watched& watched, const FoundFile& file, SourceKind kind,
             std::vector<std::shared_ptr<SourceFile>>& batch, MonotonicTime now);
  void watch_directory(Watched& watched, int fd);
  void forget(const std::string& id);
  std::size_t open_files() const;
  void say_once(const std::string& kind, const std::string& subject, const std::string& reason);

  FinderOptions options_;
  const Clock& clock_;
  os::UniqueFd inotify_;
  os::UniqueFd wake_;
  std::map<std::string, Watched> watched_;             // by container id
  std::map<int, std::set<std::string>> by_directory_;  // whom a directory's news concern
  std::set<std::string> said_;
  std::mutex mutex_;
  std::deque<std::shared_ptr<ContainerLog>> new_;
};

}  // namespace hive::logs
