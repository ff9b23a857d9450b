// A container's file system as this node's root sees it: files found by glob and opened, with
// every symbolic link resolved inside the container, so that none leads out of it.
//
// The root is pinned by a descriptor: what is below it can be found and opened for as long as the
// container's layers exist, whether its process lives or not. Needs Linux 5.6 (openat2).
// Const calls are safe from any thread; they block for as long as the container's storage does.
#pragma once

#include <sys/stat.h>

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/fd.h"

namespace hive::logs {

// A file, whatever it is called. Inodes are used again once a file is gone and closed.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  auto operator<=>(const FileId&) const = default;
};
FileId id_of(const struct stat& file);

struct FoundFile {
  std::string path;  // inside the container, absolute
  FileId id;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
};

class ContainerRoot {
 public:
  // Through the process's own view. kNotFound when it is gone; kFailedPrecondition when the pid is
  // not of that container any more.
  static Result<ContainerRoot> of_process(int pid, std::string_view container_id);
  // A directory that plays the root: an upper layer, or docker's directory of a container.
  static Result<ContainerRoot> of_directory(const std::string& path);

  // Regular files that match, the least recently written first; at most kMaxFound. Compressed ones
  // (.gz and the like) are left out: they are copies of what was read. `on_directory` is called
  // with each directory in which a further match could appear.
  std::vector<FoundFile> find(const std::string& glob,
                              const std::function<void(int fd)>& on_directory) const;
  // Regular files only: kInvalidArgument for others.
  Result<os::UniqueFd> open(const std::string& path) const;
  Result<FoundFile> look(const std::string& path) const;

  static constexpr std::size_t kMaxFound = 4'096;

 private:
  struct Search;
  explicit ContainerRoot(os::UniqueFd root) : root_(std::move(root)) {}
  Result<os::UniqueFd> resolve(const std::string& path, std::uint64_t flags) const;
  void expand(const std::string& directory, std::size_t part, Search& search) const;
  void list(const std::string& directory, std::size_t part, Search& search) const;

  os::UniqueFd root_;
};

}  // namespace hive::logs
