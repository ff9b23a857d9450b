// The small languages inside a Compose file: ports, volumes, command lines, env files.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/compose.h"

namespace hive::config {

struct ParsedPorts {
  std::vector<ServicePort> ports;  // ordered by "target/protocol" as text, as docker does
  std::string ignored_ip;          // an address that Swarm cannot bind to; empty = none
};

// "80", "8080:80", "127.0.0.1:8080:80/udp", "3000-3005", "8000-8010:9000-9010", "8000-8002:80".
// At most kMaxPorts. Source: go-connections/nat as docker CLI 20.10 uses it.
inline constexpr std::size_t kMaxPorts = 1000;
Result<ParsedPorts> parse_ports(std::string_view text);

// "data:/var/lib:ro", "./src:/dst", "/anonymous". Paths are not yet made absolute.
Result<ServiceVolume> parse_volume(std::string_view text);

// Words of a command line, as docker splits it: quotes and backslashes, no variables.
Result<std::vector<std::string>> split_words(std::string_view text);

// Lines NAME=VALUE; a NAME alone takes its value from `environment`, or is left out.
Result<std::vector<std::pair<std::string, std::string>>> parse_env_file(
    std::string_view content, const StringMap& environment);

// CPUs as a decimal ("0.5"), to the billionth at most. Nano-CPUs.
Result<std::int64_t> parse_cpus(std::string_view text);

// As Go's filepath.Join(directory, path) of a relative path; an absolute one is left as it is.
std::string absolute_path(std::string_view directory, std::string_view path);

}  // namespace hive::config
