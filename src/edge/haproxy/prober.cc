#include "edge/haproxy/prober.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>

namespace hive::edge::haproxy {
namespace {

constexpr Milliseconds kProbeDeadline{2'000};
constexpr Milliseconds kFirstPause{100};
constexpr Milliseconds kLongestPause{2'000};
// PROXY v2 header of a connection made by the proxy itself (command LOCAL, no addresses).
constexpr std::string_view kProxyLocal{"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16};

bool ready_in_time(int fd, short what, MonotonicTime until) {
  const auto left = std::chrono::duration_cast<Milliseconds>(until - SystemClock().now()).count();
  pollfd poll_fd{fd, what, 0};
  return left > 0 && ::poll(&poll_fd, 1, static_cast<int>(left)) == 1;
}

int connect_to(const ProbeTarget& target, MonotonicTime until) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(target.address.c_str(), std::to_string(target.port).c_str(), &hints, &found) !=
      0)
    return -1;
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  bool open =
      fd >= 0 && (::connect(fd, found->ai_addr, found->ai_addrlen) == 0 || errno == EINPROGRESS);
  ::freeaddrinfo(found);
  int error = 0;
  socklen_t size = sizeof(error);
  open = open && ready_in_time(fd, POLLOUT, until) &&
         ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  if (open) return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

bool answers_well(int fd, const ProbeTarget& target, MonotonicTime until) {
  const std::string request = "GET " + target.path + " HTTP/1.1\r\nHost: " + target.address +
                              "\r\nUser-Agent: hive-edge\r\nConnection: close\r\n\r\n";
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    return false;
  std::string answer;  // "HTTP/1.1 200"
  char buffer[64];
  while (answer.size() < 12) {
    if (!ready_in_time(fd, POLLIN, until)) return false;
    const ssize_t got = ::recv(fd, buffer, sizeof(buffer), 0);
    if (got <= 0) return false;
    answer.append(buffer, static_cast<std::size_t>(got));
  }
  return answer.rfind("HTTP/1.", 0) == 0 && (answer[9] == '2' || answer[9] == '3');
}

}  // namespace

bool probe(const ProbeTarget& target, Milliseconds deadline) {
  const MonotonicTime until = SystemClock().now() + deadline;
  const int fd = connect_to(target, until);
  if (fd < 0) return false;
  bool good = true;
  if (target.proxy_protocol)
    good = ::send(fd, kProxyLocal.data(), kProxyLocal.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(kProxyLocal.size());
  if (good && !target.path.empty()) good = answers_well(fd, target, until);
  ::close(fd);
  return good;
}

Prober::Prober(std::function<void()> on_ready, int threads) : on_ready_(std::move(on_ready)) {
  for (int i = 0; i < threads; ++i)
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
}

Prober::~Prober() {
  for (std::jthread& thread : threads_) thread.request_stop();
  wake_.notify_all();
  threads_.clear();
}

void Prober::watch(const std::vector<ProbeTarget>& targets) {
  const std::set<ProbeTarget> wanted(targets.begin(), targets.end());
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const auto& entry) { return !wanted.contains(entry.first); });
    for (const ProbeTarget& target : wanted) entries_.try_emplace(target);
  }
  wake_.notify_all();
}

bool Prober::ready(const ProbeTarget& target) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(target);
  return found != entries_.end() && found->second.ready;
}

void Prober::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    auto next = entries_.end();
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry)
      if (!entry->second.ready && !entry->second.running &&
          (next == entries_.end() || entry->second.due < next->second.due))
        next = entry;
    if (next == entries_.end()) {
      wake_.wait_for(lock, kLongestPause);
      continue;
    }
    if (next->second.due > SystemClock().now()) {
      wake_.wait_until(lock, next->second.due);
      continue;
    }
    const ProbeTarget target = next->first;
    next->second.running = true;
    lock.unlock();
    const bool good = probe(target, kProbeDeadline);
    lock.lock();
    const auto entry = entries_.find(target);
    if (entry == entries_.end()) continue;
    entry->second.running = false;
    entry->second.ready = good;
    if (!good) {
      const auto pause = kFirstPause * (1 << std::min(entry->second.failures++, 6));
      entry->second.due = SystemClock().now() + std::min<Milliseconds>(pause, kLongestPause);
      continue;
    }
    lock.unlock();
    on_ready_();
    lock.lock();
  }
}

}  // namespace hive::edge::haproxy
