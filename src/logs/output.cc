#include "logs/output.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "os/fd.h"
#include "os/file.h"

namespace hive::logs {
namespace {

constexpr mode_t kFileMode = 0640;

tl::unexpected<Error> last_error(std::string_view what, const std::filesystem::path& path) {
  return tl::unexpected(os::errno_error(errno, fmt::format("{} {}", what, path.string())));
}

Status sync_directory(const std::filesystem::path& path) {
  const os::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return last_error("opening", path);
  if (::fsync(fd.get()) != 0) return last_error("syncing", path);
  return {};
}

class DirectoryFile final : public OutputFile {
 public:
  DirectoryFile(os::UniqueFd fd, std::filesystem::path path)
      : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::uint64_t> size() const override {
    struct stat file {};
    if (::fstat(fd_.get(), &file) != 0) return last_error("looking at", path_);
    return static_cast<std::uint64_t>(file.st_size);
  }
  Result<std::size_t> append(std::string_view bytes) override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t put = ::write(fd_.get(), bytes.data() + done, bytes.size() - done);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0 && done > 0) return done;  // the next call will say why
      if (put < 0) return last_error("writing", path_);
      done += static_cast<std::size_t>(put);
    }
    return done;
  }
  Status sync() override {
    if (::fdatasync(fd_.get()) != 0) return last_error("syncing", path_);
    return {};
  }
  Status cut(std::uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return last_error("cutting", path_);
    return {};
  }
  Result<std::string> read(std::uint64_t offset, std::size_t length) const override {
    std::string bytes(length, '\0');
    const ssize_t got = ::pread(fd_.get(), bytes.data(), length, static_cast<off_t>(offset));
    if (got < 0) return last_error("reading", path_);
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
  }

 private:
  os::UniqueFd fd_;
  std::filesystem::path path_;
};

class Directory final : public OutputDirectory {
 public:
  Directory(std::filesystem::path path, bool make) : path_(std::move(path)), make_(make) {}

  Result<std::unique_ptr<OutputFile>> create(const std::string& name) override {
    HIVE_TRY(ready());
    const std::filesystem::path path = path_ / name;
    HIVE_TRY(os::make_directories(path.parent_path(), 0750));
    os::UniqueFd fd(::open(
        path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, kFileMode));
    if (!fd) return last_error("creating", path);
    // The name must be as durable as the bytes.
    for (auto parent = path.parent_path();; parent = parent.parent_path()) {
      HIVE_TRY(sync_directory(parent));
      if (parent == path_ || parent == parent.parent_path()) break;
    }
    return std::make_unique<DirectoryFile>(std::move(fd), path);
  }

  Result<std::unique_ptr<OutputFile>> open(const std::string& name) override {
    const std::filesystem::path path = path_ / name;
    struct stat file {};
    if (::lstat(path.c_str(), &file) != 0) return last_error("opening", path);
    if (!S_ISREG(file.st_mode))
      return fail(Errc::kInvalidArgument, path.string() + " is not a regular file");
    os::UniqueFd fd(::open(path.c_str(), O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return last_error("opening", path);
    return std::make_unique<DirectoryFile>(std::move(fd), path);
  }

  Result<std::vector<StoredFile>> list() const override {
    std::vector<StoredFile> files;
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator at(path_, error), end; !error && at != end;
         at.increment(error)) {
      struct stat file {};
      if (::lstat(at->path().c_str(), &file) != 0 || !S_ISREG(file.st_mode)) continue;
      files.push_back({at->path().lexically_relative(path_).string(),
                       static_cast<std::uint64_t>(file.st_size), file.st_mtim.tv_sec});
    }
    if (error) return tl::unexpected(os::errno_error(error.value(), "listing " + path_.string()));
    return files;
  }

  Result<std::uint64_t> capacity() const override {
    struct statvfs system {};
    if (::statvfs(path_.c_str(), &system) != 0) return last_error("looking at", path_);
    return static_cast<std::uint64_t>(system.f_blocks) * system.f_frsize;
  }

  Status remove(const std::string& name) override {
    std::filesystem::path path = path_ / name;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return last_error("removing", path);
    // Directories that became empty go with it.
    for (path = path.parent_path(); path != path_ && path != path.parent_path();
         path = path.parent_path())
      if (::rmdir(path.c_str()) != 0) break;
    return {};
  }

 private:
  Status ready() {
    if (make_) return os::make_directories(path_, 0750);
    std::error_code error;
    if (!std::filesystem::is_directory(path_, error))
      return fail(Errc::kNotFound,
                  path_.string() + " is not there on this node: mount the share, or create it");
    return {};
  }

  std::filesystem::path path_;
  bool make_;
};

}  // namespace

std::unique_ptr<OutputDirectory> make_output_directory(std::filesystem::path path, bool make) {
  return std::make_unique<Directory>(std::move(path), make);
}

}  // namespace hive::logs
