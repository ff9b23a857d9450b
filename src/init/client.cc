#include "init/client.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "os/file.h"

namespace hive::init {
namespace {

// A note is a few bytes; tini has less than 1 MB.
constexpr std::size_t kMaxHeaders = 64;
constexpr std::size_t kMaxNoteBytes = 4'096;
constexpr std::size_t kMaxSearchBytes = 4U << 20;
constexpr std::string_view kTiniMark = "tini version ";

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }
  // What there is at the offset, at most `size` bytes.
  std::string read(std::uint64_t offset, std::size_t size) const {
    std::string out(size, '\0');
    std::size_t got = 0;
    while (got < size) {
      const auto n = ::pread(fd_, out.data() + got, size - got, static_cast<off_t>(offset + got));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      got += static_cast<std::size_t>(n);
    }
    out.resize(got);
    return out;
  }

 private:
  int fd_;
};

template <typename T>
bool parse(std::string_view bytes, std::size_t offset, T& out) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return false;
  std::memcpy(&out, bytes.data() + offset, sizeof(T));
  return true;
}

// The version in the note of hive-init among the notes of one segment; 0 = none there.
std::uint32_t version_in(std::string_view notes) {
  const auto aligned = [](std::uint32_t size) { return (std::size_t{size} + 3) & ~std::size_t{3}; };
  std::size_t at = 0;
  Elf64_Nhdr header;
  while (parse(notes, at, header)) {
    const std::size_t name = at + sizeof header;
    const std::size_t descriptor = name + aligned(header.n_namesz);
    std::uint32_t version = 0;
    if (header.n_type == kNoteType && header.n_namesz == sizeof kNoteName &&
        header.n_descsz == sizeof version && parse(notes, descriptor, version) &&
        notes.compare(name, sizeof kNoteName, std::string_view(kNoteName, sizeof kNoteName)) == 0)
      return version;
    at = descriptor + aligned(header.n_descsz);
  }
  return 0;
}

std::uint32_t protocol_of(const File& exe) {
  const std::string start = exe.read(0, sizeof(Elf64_Ehdr));
  Elf64_Ehdr header;
  if (!parse(start, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr))
    return 0;
  const std::size_t count = std::min<std::size_t>(header.e_phnum, kMaxHeaders);
  const std::string table = exe.read(header.e_phoff, count * sizeof(Elf64_Phdr));
  for (std::size_t i = 0; i < count; ++i) {
    Elf64_Phdr segment;
    if (!parse(table, i * sizeof segment, segment)) break;
    if (segment.p_type != PT_NOTE) continue;
    const auto size = std::min<std::uint64_t>(segment.p_filesz, kMaxNoteBytes);
    if (const auto version = version_in(exe.read(segment.p_offset, size)); version != 0)
      return version;
  }
  return 0;
}

Error gone(pid_t pid) {
  return Error{Errc::kNotFound, fmt::format("process {} has ended", pid), std::nullopt};
}

Error error_of(int number, pid_t pid, std::string_view what) {
  if (number == ESRCH || number == ENOENT) return gone(pid);
  return os::errno_error(number, fmt::format("{} process {}", what, pid));
}

Result<std::string> program_name(pid_t pid, const File& exe) {
  std::error_code error;
  auto path = std::filesystem::read_symlink(fmt::format("/proc/{}/exe", pid), error).string();
  if (error) return tl::unexpected(error_of(error.value(), pid, "looking at"));
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  const std::string name = std::filesystem::path(path).filename();
  const bool may_be_tini = name == "docker-init" || name.starts_with("tini");
  if (may_be_tini && exe.read(0, kMaxSearchBytes).find(kTiniMark) != std::string::npos)
    return std::string("tini");
  return name;
}

Status out_of_range(std::string_view what, std::int64_t value, std::int64_t least,
                    std::int64_t most) {
  return fail(Errc::kInvalidArgument,
              fmt::format("{} is {}: it must be from {} to {}", what, value, least, most));
}

// Rounded up, so that a short time does not become none.
std::int64_t units(Milliseconds time, std::int64_t unit_ms) {
  const std::int64_t count = time.count() / unit_ms;
  return count * unit_ms < time.count() ? count + 1 : count;
}

}  // namespace

std::string_view to_string(State state) { return kStateNames[static_cast<std::size_t>(state)]; }

bool holdable(int signal) {
  constexpr std::array<int, 13> kNot = {SIGKILL, SIGSTOP, SIGILL,  SIGTRAP, SIGABRT, SIGBUS, SIGFPE,
                                        SIGSEGV, SIGSYS,  SIGTTIN, SIGTTOU, 32,      33};
  return signal >= 1 && signal <= 64 && signal != SIGCHLD &&
         std::find(kNot.begin(), kNot.end(), signal) == kNot.end();
}

Result<Program> identify(pid_t pid) {
  const File exe(::open(fmt::format("/proc/{}/exe", pid).c_str(), O_RDONLY | O_CLOEXEC));
  if (exe.fd() < 0) return tl::unexpected(error_of(errno, pid, "looking at"));
  Program out;
  out.protocol = protocol_of(exe);
  out.hive_init = out.protocol != 0;
  if (out.hive_init) {
    out.name = kNoteName;
  } else {
    HIVE_ASSIGN(out.name, program_name(pid, exe));
  }
  return out;
}

Result<Init> Init::open(pid_t pid) {
  // Before anything is read, so that all of it is of the process that the pidfd stands for.
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    if (errno == ENOSYS)
      return fail(Errc::kUnsupported, "this kernel has no pidfds: hive needs Linux 5.3 or newer");
    return tl::unexpected(error_of(errno, pid, "opening"));
  }
  Init out(pid, pidfd, 0);
  HIVE_ASSIGN(const Program program, identify(pid));
  HIVE_TRY(out.alive());
  if (!program.hive_init)
    return fail(Errc::kFailedPrecondition,
                fmt::format("{} runs as PID 1 (process {}), not hive-init", program.name, pid));
  if (program.protocol < kOldestProtocol || program.protocol > kProtocol)
    return fail(Errc::kUnsupported,
                fmt::format("the hive-init of process {} speaks protocol {}, this hive {} to {}",
                            pid, program.protocol, kOldestProtocol, kProtocol));
  out.protocol_ = program.protocol;
  return out;
}

Init::Init(Init&& other) noexcept
    : pid_(other.pid_), pidfd_(std::exchange(other.pidfd_, -1)), protocol_(other.protocol_) {}

Init& Init::operator=(Init&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(protocol_, other.protocol_);
  return *this;
}

Init::~Init() {
  if (pidfd_ >= 0) ::close(pidfd_);
}

// A pidfd becomes readable when its process has ended; a signal would still "reach" a zombie.
Status Init::alive() const {
  pollfd ended{.fd = pidfd_, .events = POLLIN, .revents = 0};
  if (::poll(&ended, 1, 0) != 0) return tl::unexpected(gone(pid_));
  return {};
}

Result<State> Init::state() const {
  const auto read = os::read_file(fmt::format("/proc/{}/comm", pid_), 64);
  HIVE_TRY(alive());  // else what was read may be of another process of that pid
  if (!read) return tl::unexpected(error_of(ESRCH, pid_, "looking at"));
  std::string_view comm = *read;
  if (comm.ends_with('\n')) comm.remove_suffix(1);
  if (!comm.starts_with(kCommPrefix))
    return fail(Errc::kUnavailable, fmt::format("the hive-init of process {} is starting", pid_));
  const auto word = comm.substr(std::string_view(kCommPrefix).size());
  for (std::size_t i = 0; i < std::size(kStateNames); ++i)
    if (word == kStateNames[i]) return static_cast<State>(i);
  return fail(Errc::kUnsupported,
              fmt::format("the hive-init of process {} is in state {}, which this hive does not "
                          "know",
                          pid_, word));
}

Status Init::send(Command command, std::uint32_t argument) const {
  HIVE_TRY(alive());
  siginfo_t info{};
  info.si_signo = kCommandSignal;
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_uid = ::getuid();
  const std::uint64_t value = command_value(command, argument);
  static_assert(sizeof info.si_value == sizeof value);
  std::memcpy(&info.si_value, &value, sizeof value);
  if (::syscall(SYS_pidfd_send_signal, pidfd_, kCommandSignal, &info, 0) == 0) return {};
  if (errno == EAGAIN)
    return fail(Errc::kUnavailable, fmt::format("the signal queue of process {} is full", pid_));
  return tl::unexpected(error_of(errno, pid_, "signalling"));
}

Status Init::arm(int stop_signal, Milliseconds claim_timeout) const {
  if (stop_signal != 0 && !holdable(stop_signal))
    return fail(Errc::kInvalidArgument, fmt::format("stop signal {} cannot be held", stop_signal));
  const auto timeout = units(claim_timeout, 100);
  if (timeout < 1 || timeout > kClaimTimeoutMax)
    return out_of_range("the claim timeout in 100 ms", timeout, 1, kClaimTimeoutMax);
  return send(Command::kArm, arm_argument(static_cast<std::uint32_t>(stop_signal),
                                          static_cast<std::uint32_t>(timeout)));
}

Status Init::disarm() const { return send(Command::kDisarm, 0); }

Status Init::claim(Milliseconds deadline) const {
  const auto seconds = units(deadline, 1'000);
  if (seconds < 1 || seconds > kArgumentMax)
    return out_of_range("the deadline in seconds", seconds, 1, kArgumentMax);
  return send(Command::kClaim, static_cast<std::uint32_t>(seconds));
}

Status Init::stop(int signal) const {
  if (signal < 0 || signal > 64) return out_of_range("the signal", signal, 0, 64);
  return send(Command::kStop, static_cast<std::uint32_t>(signal));
}

Status Init::stop_without_signal() const { return send(Command::kStop, kStopNothing); }

Status Init::release(Milliseconds grace) const {
  const auto tenths = units(grace, 100);
  if (tenths < 0 || tenths > kArgumentMax)
    return out_of_range("the grace in 100 ms", tenths, 0, kArgumentMax);
  return send(Command::kRelease, static_cast<std::uint32_t>(tenths));
}

}  // namespace hive::init
