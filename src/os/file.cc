#include "os/file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace hive::os {

Error errno_error(int number, std::string_view what) {
  Errc code = Errc::kInternal;
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      code = Errc::kNotFound;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = Errc::kPermissionDenied;
      break;
    case EEXIST:
    case EADDRINUSE:
      code = Errc::kAlreadyExists;
      break;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG:
      code = Errc::kResourceExhausted;
      break;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EAGAIN:
    case EINTR:
    case EIO:
    case ESTALE:
      code = Errc::kUnavailable;
      break;
    case ETIMEDOUT:
      code = Errc::kDeadlineExceeded;
      break;
    case EINVAL:
    case EISDIR:
    case ENAMETOOLONG:
      code = Errc::kInvalidArgument;
      break;
    case ENOSYS:
    case ENODEV:
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
      code = Errc::kUnsupported;
      break;
    case EBUSY:
    case ENOTEMPTY:
      code = Errc::kFailedPrecondition;
      break;
    default:
      break;
  }
  return Error{code, fmt::format("{}: {}", what, std::generic_category().message(number)),
               std::nullopt};
}

namespace {

tl::unexpected<Error> last_error(std::string_view what, const std::filesystem::path& path) {
  return tl::unexpected(errno_error(errno, fmt::format("{} {}", what, path.string())));
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  int reset() {
    const int rc = fd_ >= 0 ? ::close(fd_) : 0;
    fd_ = -1;
    return rc;
  }

 private:
  int fd_;
};

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return last_error("opening", path);
  std::string content;
  char buffer[65536];
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error("reading", path);
    if (got == 0) return content;
    content.append(buffer, static_cast<std::size_t>(got));
    if (content.size() > max_bytes)
      return fail(Errc::kResourceExhausted,
                  fmt::format("{} is larger than {} bytes", path.string(), max_bytes));
  }
}

Status write_file_atomically(const std::filesystem::path& path, std::string_view content,
                             mode_t mode) {
  std::string temporary = path.string() + ".XXXXXX";
  Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (fd.get() < 0) return last_error("creating a temporary file beside", path);
  const auto give_up = [&](std::string_view what) {
    auto error = last_error(what, path);
    ::unlink(temporary.c_str());
    return error;
  };
  while (!content.empty()) {
    const ssize_t put = ::write(fd.get(), content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return give_up("writing");
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fchmod(fd.get(), mode) != 0) return give_up("setting the mode of");
  if (::fsync(fd.get()) != 0) return give_up("syncing");
  if (fd.reset() != 0) return give_up("closing");
  if (::rename(temporary.c_str(), path.c_str()) != 0) return give_up("replacing");
  return {};
}

Status make_directories(const std::filesystem::path& path, mode_t mode) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    return tl::unexpected(errno_error(error.value(), "creating directory " + path.string()));
  if (::chmod(path.c_str(), mode) != 0) return last_error("setting the mode of", path);
  return {};
}

Result<FileLock> FileLock::try_acquire(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return last_error("opening lock", path);
  FileLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return last_error("locking", path);
    auto holder = read_file(path, 64).value_or("");
    return fail(Errc::kFailedPrecondition, fmt::format("{} is held by process {}", path.string(),
                                                       holder.empty() ? "?" : holder));
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0)
    return last_error("writing lock", path);
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace hive::os
