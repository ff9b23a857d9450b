#include "net/pem.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

namespace hive::net {

Result<std::string> read_private_key(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    return fail(errno == EACCES ? Errc::kPermissionDenied : Errc::kNotFound,
                "private key " + path + ": " + std::strerror(errno));
  std::string out;
  std::string line;
  std::size_t bytes = 0;
  while (std::getline(file, line)) {
    bytes += line.size();
    if (bytes > (1U << 20)) return fail(Errc::kCorrupt, "private key " + path + " is over 1 MiB");
    const std::string_view text(line);
    if (text.starts_with("-----BEGIN ENCRYPTED") || text.starts_with("Proc-Type: 4,ENCRYPTED"))
      return fail(
          Errc::kUnsupported,
          "private key " + path + " is encrypted (a Swarm with autolock): turn autolock off");
    const bool header = text.find(':') != std::string_view::npos;
    if (!header && !text.empty()) out += line + "\n";
  }
  return out;
}

}  // namespace hive::net
