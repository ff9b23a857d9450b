#include "logs/filebeat_stats.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sched.h>

#include <cerrno>
#include <thread>

#include "base/json.h"
#include "net/http_client.h"
#include "os/fd.h"
#include "os/file.h"

namespace hive::logs {
namespace {

constexpr Milliseconds kDeadline{2'000};
constexpr std::size_t kMaxAnswer = 4U << 20;

Result<std::uint64_t> count(const Json& stats, std::string_view path) {
  const Json* value = json_path(stats, path);
  if (value == nullptr || !value->is_number_unsigned())
    return fail(Errc::kCorrupt, fmt::format("Filebeat's statistics have no {}", path));
  return value->get<std::uint64_t>();
}

Result<std::string> get(const std::string& url) {
  const auto host = url.find("://");
  const auto slash = host == std::string::npos ? host : url.find('/', host + 3);
  net::HttpClient client({.base_url = url.substr(0, slash)});
  net::Request request{.path = slash == std::string::npos ? "/stats" : url.substr(slash)};
  request.deadline = kDeadline;
  request.max_response_bytes = kMaxAnswer;
  HIVE_ASSIGN(net::Response response, client.send(request));
  if (response.status != 200)
    return fail(Errc::kUnavailable, fmt::format("{} answers {}", url, response.status));
  return std::move(response.body);
}

Status enter_network_of(int pid) {
  const std::string path = fmt::format("/proc/{}/ns/net", pid);
  const os::UniqueFd network(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!network || ::setns(network.get(), CLONE_NEWNET) != 0)
    return tl::unexpected(os::errno_error(errno, "entering " + path));
  return {};
}

}  // namespace

Result<FilebeatStats> parse_filebeat_stats(std::string_view body) {
  HIVE_ASSIGN(const Json stats, parse_json(body, "Filebeat's statistics"));
  FilebeatStats out;
  HIVE_ASSIGN(out.active, count(stats, "libbeat.pipeline.events.active"));
  HIVE_ASSIGN(out.dropped, count(stats, "libbeat.output.events.dropped"));
  return out;
}

Result<std::string> get_from(const std::string& url, int pid) {
  if (pid == 0) return get(url);
  Result<std::string> answer = fail(Errc::kInternal, "");
  // A thread of its own: the change of network ends with it.
  std::thread([&] {
    const Status entered = enter_network_of(pid);
    answer = entered ? get(url) : tl::unexpected(entered.error());
  }).join();
  return answer;
}

}  // namespace hive::logs
