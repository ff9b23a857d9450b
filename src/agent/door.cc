#include "agent/door.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "os/process.h"

namespace hive::agent {
namespace {

constexpr std::size_t kPortsPerRule = 15;  // iptables' multiport takes no more

Status refuse(int pid, const std::string& ports) {
  // A second rule, of an agent started anew, does what the first does.
  const auto added = os::run({"nsenter",
                              fmt::format("--net=/proc/{}/ns/net", pid),
                              "--",
                              "iptables",
                              "-w",
                              "2",
                              "-I",
                              "INPUT",
                              "!",
                              "-i",
                              "lo",
                              "-p",
                              "tcp",
                              "-m",
                              "multiport",
                              "--dports",
                              ports,
                              "--syn",
                              "-j",
                              "REJECT",
                              "--reject-with",
                              "tcp-reset"},
                             {.deadline = Milliseconds(3'000)});
  if (!added) return tl::unexpected(added.error());
  if (added->exit_code == 0) return {};
  if (!std::filesystem::exists(fmt::format("/proc/{}", pid)))
    return fail(Errc::kNotFound, "the container has ended");
  return fail(Errc::kUnsupported, fmt::format("iptables: {}", added->err));
}

// The rule would outlive a container that shares its node's network.
Result<bool> has_network_of_its_own(int pid) {
  std::error_code error;
  const auto theirs = std::filesystem::read_symlink(fmt::format("/proc/{}/ns/net", pid), error);
  if (error) return fail(Errc::kNotFound, "the container has ended");
  return theirs != std::filesystem::read_symlink("/proc/self/ns/net", error);
}

}  // namespace

Status close_door(int pid, const std::vector<std::uint16_t>& ports) {
  HIVE_ASSIGN(const bool own, has_network_of_its_own(pid));
  if (!own) return fail(Errc::kUnsupported, "the container shares its node's network");
  for (std::size_t begin = 0; begin < ports.size(); begin += kPortsPerRule) {
    std::string list;
    for (std::size_t i = begin; i < std::min(ports.size(), begin + kPortsPerRule); ++i)
      list += (list.empty() ? "" : ",") + std::to_string(ports[i]);
    HIVE_TRY(refuse(pid, list));
  }
  return {};
}

}  // namespace hive::agent
