#include "logs/container_root.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/text.h"
#include "os/file.h"

namespace hive::logs {
namespace {

constexpr std::size_t kMaxDirectories = 1'000;
constexpr int kResolveTries = 16;  // EAGAIN: something was renamed on the way

bool is_pattern(std::string_view part) { return part.find_first_of("*?[") != std::string::npos; }

bool is_compressed(std::string_view name) {
  constexpr std::array<std::string_view, 5> kEndings{".gz", ".bz2", ".xz", ".zst", ".zip"};
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

FoundFile found(std::string path, const struct stat& file) {
  return {std::move(path), id_of(file), static_cast<std::uint64_t>(file.st_size),
          file.st_mtim.tv_sec * 1'000'000'000LL + file.st_mtim.tv_nsec};
}

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

FileId id_of(const struct stat& file) { return {file.st_dev, file.st_ino}; }

struct ContainerRoot::Search {
  std::vector<std::string> parts;
  const std::function<void(int)>& on_directory;
  std::vector<FoundFile> files;
  std::size_t directories = 0;
};

Result<ContainerRoot> ContainerRoot::of_process(int pid, std::string_view container_id) {
  const std::string process = fmt::format("/proc/{}", pid);
  HIVE_ASSIGN(ContainerRoot root, of_directory(process + "/root"));
  // Read after the root was pinned: a pid that was used again in between is seen here.
  HIVE_ASSIGN(const std::string groups, os::read_file(process + "/cgroup"));
  if (groups.find(container_id) == std::string::npos)
    return fail(Errc::kFailedPrecondition,
                fmt::format("process {} is not of container {}", pid, container_id.substr(0, 12)));
  return root;
}

Result<ContainerRoot> ContainerRoot::of_directory(const std::string& path) {
  os::UniqueFd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return tl::unexpected(os::errno_error(errno, "opening " + path));
  return ContainerRoot(std::move(fd));
}

Result<os::UniqueFd> ContainerRoot::resolve(const std::string& path, std::uint64_t flags) const {
  struct open_how how {};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (int tries = 0; tries < kResolveTries; ++tries) {
    const long fd = ::syscall(SYS_openat2, root_.get(), path.c_str(), &how, sizeof how);
    if (fd >= 0) return os::UniqueFd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return tl::unexpected(os::errno_error(errno, "opening " + path));
}

Result<os::UniqueFd> ContainerRoot::open(const std::string& path) const {
  // First without opening it for real: to open a pipe or a device may block or do something.
  HIVE_ASSIGN(const os::UniqueFd place, resolve(path, O_PATH));
  struct stat file {};
  if (::fstat(place.get(), &file) != 0)
    return tl::unexpected(os::errno_error(errno, "looking at " + path));
  if (!S_ISREG(file.st_mode)) return fail(Errc::kInvalidArgument, path + " is not a regular file");
  const std::string self = fmt::format("/proc/self/fd/{}", place.get());
  os::UniqueFd fd(::open(self.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return tl::unexpected(os::errno_error(errno, "opening " + path));
  return fd;
}

Result<FoundFile> ContainerRoot::look(const std::string& path) const {
  HIVE_ASSIGN(const os::UniqueFd place, resolve(path, O_PATH));
  struct stat file {};
  if (::fstat(place.get(), &file) != 0)
    return tl::unexpected(os::errno_error(errno, "looking at " + path));
  if (!S_ISREG(file.st_mode)) return fail(Errc::kInvalidArgument, path + " is not a regular file");
  return found(path, file);
}

std::vector<FoundFile> ContainerRoot::find(const std::string& glob,
                                           const std::function<void(int fd)>& on_directory) const {
  Search search{{}, on_directory, {}, 0};
  for (std::string& part : split(glob, '/'))
    if (!part.empty() && part != ".") search.parts.push_back(std::move(part));
  if (!search.parts.empty()) expand("", 0, search);
  std::sort(search.files.begin(), search.files.end(), [](const FoundFile& a, const FoundFile& b) {
    return std::tie(a.modified_ns, a.path) < std::tie(b.modified_ns, b.path);
  });
  return std::move(search.files);
}

void ContainerRoot::expand(const std::string& directory, std::size_t part, Search& search) const {
  if (part + 1 == search.parts.size() || is_pattern(search.parts[part]))
    return list(directory, part, search);
  const std::string next = directory + "/" + search.parts[part];
  const auto there = resolve(next, O_PATH | O_DIRECTORY);
  // Not there yet: the directory that it will appear in is the one to watch.
  if (!there) return list(directory, part, search);
  expand(next, part + 1, search);
}

void ContainerRoot::list(const std::string& directory, std::size_t part, Search& search) const {
  if (search.directories++ >= kMaxDirectories) return;
  auto fd = resolve(directory.empty() ? "/" : directory, O_RDONLY | O_DIRECTORY);
  if (!fd) return;
  search.on_directory(fd->get());
  const std::unique_ptr<DIR, DirectoryCloser> stream(::fdopendir(fd->get()));
  if (!stream) return;
  (void)fd->release();
  const bool last = part + 1 == search.parts.size();
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (::fnmatch(search.parts[part].c_str(), name.c_str(), FNM_PERIOD) != 0) continue;
    const std::string path = directory + "/" + name;
    if (!last) {
      if (entry->d_type == DT_DIR || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN)
        expand(path, part + 1, search);
      continue;
    }
    if (search.files.size() >= kMaxFound || is_compressed(name)) continue;
    if (auto file = look(path)) search.files.push_back(std::move(*file));
  }
}

}  // namespace hive::logs
