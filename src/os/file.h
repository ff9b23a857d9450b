// Files for adapters: whole reads with a bound, writes that are all or nothing, and lock files.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hive::os {

inline constexpr std::size_t kMaxFileBytes = 64U << 20;

// kNotFound, kPermissionDenied, or kResourceExhausted when larger than max_bytes.
Result<std::string> read_file(const std::filesystem::path& path,
                              std::size_t max_bytes = kMaxFileBytes);

// Writes beside the target, fsyncs, renames: a reader sees the old or the new file, never half.
// kResourceExhausted when the disk is full; the old file is untouched then.
Status write_file_atomically(const std::filesystem::path& path, std::string_view content,
                             mode_t mode = 0644);

Status make_directories(const std::filesystem::path& path, mode_t mode = 0755);

// An exclusive flock, held until destruction. The file stays: removing a lock file races.
class FileLock {
 public:
  // kFailedPrecondition, naming the holder's pid, when another process holds it.
  static Result<FileLock> try_acquire(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

// Error from errno, "opening /a/b: No such file or directory", with the code that fits.
Error errno_error(int number, std::string_view what);

}  // namespace hive::os
