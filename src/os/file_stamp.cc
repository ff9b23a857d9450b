#include "os/file_stamp.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>

namespace hive::os {

std::string file_stamp(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return fmt::format("errno {}", errno);
  return fmt::format("{} {} {}.{:09}", found.st_ino, found.st_size, found.st_mtim.tv_sec,
                     found.st_mtim.tv_nsec);
}

}  // namespace hive::os
