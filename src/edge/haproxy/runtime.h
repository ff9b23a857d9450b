// HAProxy's runtime API over its stats socket: one bounded exchange a call, and the answers parsed.
// Source: HAProxy 2.6 management guide, "Unix Socket commands".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "edge/haproxy/config.h"

namespace hive::edge::haproxy {

// Sends one line and returns all that comes back. kUnavailable: nobody there, or cut off;
// kDeadlineExceeded; kResourceExhausted: an answer without end.
Result<std::string> ask(const std::string& socket_path, std::string_view line,
                        Milliseconds deadline);

// Joined by ';' into lines that fit HAProxy's buffer.
std::vector<std::string> batch_commands(const std::vector<std::string>& commands);

// "Pid: 123" of `show info`. kCorrupt when it has none.
Result<int> parse_pid(std::string_view info);

// `show servers state`. kCorrupt when the table is not whole.
Result<SlotMap> parse_servers_state(std::string_view text);

// A row of `show stat`: of a server, or of its whole backend, which tells what waits for any of
// them and what came before a server was chosen.
inline constexpr std::string_view kWholeBackend = "BACKEND";
struct ServerRow {
  std::string backend;
  std::string server;
  std::uint64_t sessions = 0;
  std::uint64_t errors_5xx = 0;
  std::uint64_t connection_errors = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint32_t current = 0;
  std::uint32_t queued = 0;
  std::uint32_t response_time_ms = 0;
  std::uint32_t rate = 0;
};
Result<std::vector<ServerRow>> parse_stat(std::string_view csv);

// 0-based index of "s12", or nothing.
std::optional<std::size_t> slot_index(std::string_view server);

}  // namespace hive::edge::haproxy
