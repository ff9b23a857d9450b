#include "os/secret.h"

#include <sys/random.h>

#include <cerrno>

#include "os/file.h"

namespace hive::os {

Result<std::string> random_hex(std::size_t bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes * 2);
  while (out.size() < bytes * 2) {
    unsigned char one = 0;
    const ssize_t got = ::getrandom(&one, 1, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got != 1) return tl::unexpected(errno_error(errno, "reading random bytes"));
    out += kDigits[one >> 4U];
    out += kDigits[one & 15U];
  }
  return out;
}

}  // namespace hive::os
