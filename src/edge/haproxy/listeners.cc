#include "edge/haproxy/listeners.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/short_hash.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/file_stamp.h"
#include "os/process.h"

namespace hive::edge::haproxy {
namespace {

constexpr std::size_t kMaxCertificateBytes = 1U << 20;
constexpr std::string_view kFrontend = "\nfrontend listener.";

Status port_is_free(std::uint16_t port) {
  const os::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return tl::unexpected(os::errno_error(errno, "opening a socket"));
  const int on = 1;  // as HAProxy itself: connections that still close do not count
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      ::listen(fd.get(), 1) == 0)
    return {};
  return fail(Errc::kFailedPrecondition, std::strerror(errno));
}

}  // namespace

std::set<std::uint16_t> listener_ports(const std::string& config) {
  std::set<std::uint16_t> ports;
  for (auto at = config.find(kFrontend); at != std::string::npos;
       at = config.find(kFrontend, at + 1)) {
    std::uint16_t port = 0;
    const char* begin = config.data() + at + kFrontend.size();
    if (std::from_chars(begin, config.data() + config.size(), port).ec == std::errc())
      ports.insert(port);
  }
  return ports;
}

// HAProxy itself says whether it takes a certificate.
Status Listeners::check(const std::filesystem::path& copy) const {
  const std::string config = copy.string() + ".cfg";
  HIVE_TRY(os::write_file_atomically(
      config,
      fmt::format("defaults\n  mode http\n  timeout client 1s\n  timeout server 1s\n"
                  "  timeout connect 1s\nfrontend check\n  bind :1 ssl crt '{}'\n",
                  copy.string()),
      0600));
  const auto checked = os::run({program_, "-c", "-q", "-f", config});
  std::error_code ignored;
  std::filesystem::remove(config, ignored);
  HIVE_TRY(checked);
  if (checked->exit_code == 0) return {};
  // "[ALERT] (pid) : config : parsing [FILE:6] : 'bind :1' in section 'frontend' : WHY".
  for (const std::string& line : split(checked->err, '\n')) {
    const auto why = line.rfind(" : ");
    if (line.find("[ALERT]") == std::string::npos || why == std::string::npos) continue;
    std::string text(trim(std::string_view(line).substr(why + 3)));
    const std::string place = "'" + copy.string() + "'";
    if (const auto at = text.find(place); at != std::string::npos)
      text.replace(at, place.size(), "it");
    return fail(Errc::kInvalidArgument, text);
  }
  return fail(Errc::kInvalidArgument, "HAProxy does not take it");
}

Status Listeners::take(const std::string& path, Certificate& known) {
  const auto text = os::read_file(path, kMaxCertificateBytes);
  if (!text) return tl::unexpected(text.error());
  const std::filesystem::path folder = std::filesystem::path(directory_) / "certificates";
  HIVE_TRY(os::make_directories(folder, 0700));
  const std::string prefix = short_hash(path) + "-";
  const std::string copy = folder / (prefix + short_hash(*text) + ".pem");
  HIVE_TRY(os::write_file_atomically(copy, *text, 0600));
  std::error_code ignored;
  if (auto good = check(copy); !good) {
    if (copy != known.copy) std::filesystem::remove(copy, ignored);
    return good;
  }
  // A process that runs has read the older ones.
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.path() != copy && entry.path().filename().string().rfind(prefix, 0) == 0)
      std::filesystem::remove(entry.path(), ignored);
  known.copy = copy;
  return {};
}

const Listeners::Certificate& Listeners::look(const std::string& path) {
  const auto [found, first] = certificates_.try_emplace(path);
  Certificate& known = found->second;
  if (first) {
    // What an agent before this one found good.
    const std::filesystem::path folder = std::filesystem::path(directory_) / "certificates";
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
      if (entry.path().extension() == ".pem" &&
          entry.path().filename().string().rfind(short_hash(path) + "-", 0) == 0)
        known.copy = entry.path();
  }
  const std::string stamp = os::file_stamp(path);
  if (!first && stamp == known.stamp) return known;
  known.stamp = stamp;
  const Status taken = take(path, known);
  known.fault = taken ? "" : taken.error().message;
  return known;
}

std::vector<std::string> Listeners::keep_servable(model::RoutingTable& table,
                                                  const std::set<std::uint16_t>& held) {
  std::vector<std::string> faults;
  std::erase_if(table.listeners, [&](model::Listener& listener) {
    const std::string who = fmt::format("listener {}: ", listener.port);
    if (!listener.certificate_pem.empty()) {
      const Certificate& certificate = look(listener.certificate_pem);
      if (!certificate.fault.empty())
        faults.push_back(fmt::format(
            "{}certificate {}: {}; {}", who, listener.certificate_pem, certificate.fault,
            certificate.copy.empty() ? "the listener is closed" : "the last good one is served"));
      if (certificate.copy.empty()) return true;
      listener.certificate_pem = certificate.copy;
    }
    if (held.contains(listener.port)) return false;
    const Status free = port_is_free(listener.port);
    if (!free)
      faults.push_back(
          fmt::format("{}the port is not to be had on this node: {}; end what holds it "
                      "('ss -ltnp'), or choose another port",
                      who, free.error().message));
    return !free.has_value();
  });
  return faults;
}

}  // namespace hive::edge::haproxy
