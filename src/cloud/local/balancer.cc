#include "cloud/local/balancer.h"

#include <fmt/core.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/log.h"
#include "base/text.h"
#include "cloud/local/api.h"
#include "cloud/local/daemon.h"
#include "os/file.h"
#include "os/file_stamp.h"
#include "os/process.h"

namespace hive::cloud::local {
namespace {

namespace fs = std::filesystem;

std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string backend_name(const ListenerSpec& listener) { return fmt::format("l{}", listener.port); }

std::string render_listener(const BalancerSpec& spec, const ListenerSpec& l,
                            const std::map<int, BalancerTarget>& targets) {
  const bool http = l.mode != "tcp";
  std::string out = fmt::format("frontend f{}\n  mode {}\n  bind {}:{}", l.port,
                                http ? "http" : "tcp", spec.bind_address, l.port);
  if (l.mode == "https") out += fmt::format(" ssl crt {}", l.certificate_pem);
  out += "\n";
  if (http) out += "  option forwardfor\n";
  if (l.mode == "https") out += "  http-request set-header X-Forwarded-Proto https\n";
  out += fmt::format("  default_backend {}\nbackend {}\n  mode {}\n  balance roundrobin\n",
                     backend_name(l), backend_name(l), http ? "http" : "tcp");
  out += fmt::format("  option httpchk GET {}\n", spec.health_path);
  // Only a connection that never opened is tried again, elsewhere: a request is never replayed.
  out += "  option redispatch 1\n  retries 3\n";
  if (http) out += "  retry-on conn-failure\n  http-reuse safe\n";
  const std::string check = fmt::format(
      "check port {} inter {} rise {} fall {}{}", spec.health_port, spec.health_interval_ms,
      spec.healthy_threshold, spec.unhealthy_threshold, l.send_proxy ? " send-proxy-v2" : "");
  for (int slot = 1; slot <= kBalancerSlots; ++slot) {
    const auto at = targets.find(slot);
    const bool used = at != targets.end() && !at->second.draining;
    out += fmt::format("  server s{} {}:{} {}{}\n", slot,
                       at != targets.end() ? at->second.address : "127.0.0.254", l.instance_port,
                       check, used ? "" : " disabled");
  }
  return out;
}

}  // namespace

std::string render_balancer(const BalancerSpec& spec, const std::map<int, BalancerTarget>& targets,
                            const std::string& socket, const std::string& state_file) {
  std::string out = fmt::format(
      "global\n  stats socket {} mode 600 level admin expose-fd listeners\n"
      "  server-state-file {}\n  log stdout format raw local0 notice\n"
      "defaults\n  log global\n  load-server-state-from-file global\n  timeout connect 3s\n"
      "  timeout client 60s\n  timeout server 60s\n  timeout check 2s\n"
      "  timeout http-request 15s\n"
      // Shorter than what the nodes' edges allow (75 s): no request is sent on a connection that
      // the other side is just closing. A reload closes idle connections only after their next
      // answer.
      "  timeout http-keep-alive 20s\n  option idle-close-on-response\n",
      socket, state_file);
  for (const auto& l : spec.listeners) out += render_listener(spec, l, targets);
  return out;
}

std::optional<int> slot_of(const std::map<int, BalancerTarget>& targets,
                           const std::string& instance_id) {
  for (const auto& [slot, target] : targets)
    if (target.instance_id == instance_id) return slot;
  for (int slot = 1; slot <= kBalancerSlots; ++slot)
    if (!targets.contains(slot)) return slot;
  return std::nullopt;
}

bool has_left(const BalancerTarget& target, std::optional<unsigned long> open,
              std::int64_t now_unix_ms) {
  return target.draining && (open == 0UL || now_unix_ms >= target.drain_until_unix_ms);
}

Status Balancer::save() {
  Json targets = Json::array();
  for (const auto& [slot, t] : targets_)
    targets.push_back({{"instance_id", t.instance_id},
                       {"address", t.address},
                       {"slot", slot},
                       {"draining", t.draining},
                       {"drain_until_unix_ms", t.drain_until_unix_ms}});
  const Json json{{"spec", to_json(spec_)}, {"targets", targets}, {"certificates", served_}};
  HIVE_TRY(os::make_directories(paths_.state / "balancer", 0700));
  return os::write_file_atomically(paths_.state / "balancer" / "balancer.json", json.dump(2), 0600);
}

Result<std::string> Balancer::command(const std::string& line) const {
  const std::string path = (paths_.run / "balancer.sock").string();
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (path.size() >= sizeof at.sun_path)
    return fail(Errc::kInvalidArgument, "socket path too long: " + path);
  std::memcpy(at.sun_path, path.c_str(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{5, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const void* generic = &at;
  std::string out;
  const std::string message = line + "\n";
  bool ok = ::connect(fd, static_cast<const sockaddr*>(generic), sizeof at) == 0 &&
            ::send(fd, message.data(), message.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(message.size());
  char buffer[16384];
  while (ok && out.size() < (8U << 20)) {
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got == 0) break;
    ok = got > 0;
    if (ok) out.append(buffer, static_cast<std::size_t>(got));
  }
  const int why = errno;
  ::close(fd);
  if (!ok)
    return fail(Errc::kUnavailable,
                fmt::format("the balancer's HAProxy does not answer: {}", std::strerror(why)));
  return out;
}

std::string Balancer::certificates() const {
  std::string out;
  for (const auto& l : spec_.listeners)
    if (l.mode == "https")
      out += fmt::format("{} {}\n", l.certificate_pem, os::file_stamp(l.certificate_pem));
  return out;
}

// The old process serves on with the old ones while HAProxy does not take the new.
void Balancer::serve_renewed_certificates() {
  const std::string now = certificates();
  if (!wanted_ || now == served_ || now == refused_) return;
  if (const auto done = run_haproxy(); done) {
    log::info("cloud", "the balancer serves its renewed certificates");
  } else {
    refused_ = now;
    log::warn("cloud", "a changed certificate is not served: {}", describe(done.error()));
  }
}

Status Balancer::run_haproxy() {
  const std::string read = certificates();
  const fs::path base = paths_.state / "balancer";
  const std::string config = (base / "haproxy.cfg").string();
  const std::string state_file = (base / "server-state").string();
  const std::string socket = (paths_.run / "balancer.sock").string();
  const pid_t old = running_daemon(paths_, "balancer");
  std::string server_state = "1\n";
  if (old != 0)
    if (auto shown = command("show servers state")) server_state = *shown;
  HIVE_TRY(os::write_file_atomically(state_file, server_state, 0600));
  HIVE_TRY(os::write_file_atomically(config, render_balancer(spec_, targets_, socket, state_file),
                                     0600));
  HIVE_TRY(os::run_ok({"haproxy", "-c", "-q", "-f", config}));
  std::vector<std::string> argv{"haproxy", "-db", "-f", config};
  // The old process hands its listening sockets over and ends when its connections do.
  if (old != 0) argv.insert(argv.end(), {"-x", socket, "-sf", std::to_string(old)});
  HIVE_ASSIGN(const pid_t pid, start_daemon(paths_, "balancer", argv));
  HIVE_ASSIGN(const auto since, os::start_time(pid));
  for (int i = 0; i < 500 && os::alive(pid, since); ++i) {
    const auto info = command("show info");
    if (info && info->find(fmt::format("\nPid: {}\n", pid)) != std::string::npos) {
      served_ = read;
      return save();
    }
    ::usleep(10'000);
  }
  return fail(Errc::kUnavailable, fmt::format("the balancer's HAProxy does not start; see {}",
                                              (paths_.state / "balancer.log").string()));
}

Status Balancer::adopt() {
  std::lock_guard lock(mutex_);
  const auto file = paths_.state / "balancer" / "balancer.json";
  const auto read = os::read_file(file, 1U << 20);
  if (!read && read.error().code != Errc::kNotFound) return tl::unexpected(read.error());
  const auto parsed = read ? parse_json(*read, file.string()) : Result<Json>(Json());
  if (!parsed || !parsed->is_object()) {
    if (read) log::warn("cloud", "{} is damaged; it is made anew", file.string());
    return recover();
  }
  const Json& json = *parsed;
  if (const Json* spec = json_member(json, "spec")) spec_ = balancer_spec_from(*spec);
  if (const Json* targets = json_member(json, "targets"))
    for (const auto& t : *targets) {
      BalancerTarget one{json_string(t, "instance_id"), json_string(t, "address"),
                         static_cast<int>(json_int(t, "slot")), json_bool(t, "draining"),
                         json_int(t, "drain_until_unix_ms")};
      targets_[one.slot] = one;
    }
  served_ = json_string(json, "certificates");
  wanted_ = true;
  if (running_daemon(paths_, "balancer") != 0) return {};
  return run_haproxy();
}

// Without its record, what HAProxy serves tells which instances are registered. The listeners come
// with the next ensure().
Status Balancer::recover() {
  if (running_daemon(paths_, "balancer") == 0) return {};
  HIVE_ASSIGN(const auto rows, servers());
  HIVE_ASSIGN(const auto instances, load_instances(paths_));
  for (const auto& [name, row] : rows) {
    const auto slot_at = name.rfind("/s");
    const auto state = row.find("status");
    const auto at = row.find("addr");
    if (slot_at == std::string::npos || state == row.end() || at == row.end() ||
        state->second.starts_with("MAINT"))
      continue;
    const int slot = std::atoi(name.c_str() + slot_at + 2);
    const std::string address = at->second.substr(0, at->second.rfind(':'));
    for (const auto& instance : instances)
      if (slot > 0 && instance.address == address)
        targets_[slot] = BalancerTarget{instance.id, address, slot, false, 0};
  }
  log::info("cloud", "{} instances are registered with the running balancer", targets_.size());
  return {};
}

Status Balancer::ensure(const BalancerSpec& spec) {
  std::lock_guard lock(mutex_);
  const bool runs = running_daemon(paths_, "balancer") != 0;
  if (wanted_ && runs && spec == spec_ && certificates() == served_) return {};
  for (const auto& l : spec.listeners) {
    // Of a balancer whose record was lost all ports may be its own.
    const bool ours = (runs && !wanted_) ||
                      (runs && spec.bind_address == spec_.bind_address &&
                       std::any_of(spec_.listeners.begin(), spec_.listeners.end(),
                                   [&](const ListenerSpec& old) { return old.port == l.port; }));
    if (!ours) HIVE_TRY(check_port_free(spec.bind_address, l.port));
    if (l.mode == "https") {
      if (const auto pem = os::read_file(l.certificate_pem); !pem)
        return annotate(pem.error(), fmt::format("the certificate of listener {}", l.port));
    }
  }
  const auto old_spec = spec_;
  spec_ = spec;
  auto done = save();
  if (done) done = run_haproxy();
  if (done) {
    wanted_ = true;
    return {};
  }
  spec_ = old_spec;
  std::error_code ignored;
  if (wanted_)
    (void)save();
  else
    fs::remove(paths_.state / "balancer" / "balancer.json", ignored);
  return done;
}

Status Balancer::fill_slot(const BalancerTarget& t) {
  for (const auto& l : spec_.listeners) {
    const std::string server = fmt::format("{}/s{}", backend_name(l), t.slot);
    // Down until its checks say otherwise: an enabled server counts as up before the first check.
    for (const auto& line :
         {fmt::format("set server {} addr {} port {}", server, t.address, l.instance_port),
          fmt::format("set server {} state ready", server),
          fmt::format("set server {} health down", server)})
      HIVE_TRY(command(line));
  }
  return {};
}

Status Balancer::register_target(const InstanceRecord& instance) {
  std::lock_guard lock(mutex_);
  if (!wanted_) return fail(Errc::kFailedPrecondition, "there is no balancer yet; ensure it first");
  const auto slot = slot_of(targets_, instance.id);
  if (!slot)
    return fail(Errc::kResourceExhausted,
                fmt::format("the balancer takes {} instances, no more", kBalancerSlots));
  if (const auto known = targets_.find(*slot); known != targets_.end() && !known->second.draining)
    return {};
  const BalancerTarget target{instance.id, instance.address, *slot, false, 0};
  targets_[*slot] = target;
  HIVE_TRY(save());
  return fill_slot(target);
}

Status Balancer::deregister(const std::string& instance_id) {
  std::lock_guard lock(mutex_);
  for (auto& [slot, t] : targets_) {
    if (t.instance_id != instance_id || t.draining) continue;
    t.draining = true;
    t.drain_until_unix_ms = unix_ms() + spec_.draining_timeout_ms;
    HIVE_TRY(save());
    for (const auto& l : spec_.listeners)
      HIVE_TRY(command(fmt::format("set server {}/s{} state drain", backend_name(l), slot)));
  }
  return {};
}

bool Balancer::has(const std::string& instance_id) {
  std::lock_guard lock(mutex_);
  return std::any_of(targets_.begin(), targets_.end(),
                     [&](const auto& entry) { return entry.second.instance_id == instance_id; });
}

// "show stat" by "backend/server", column name -> value.
Result<Balancer::ServerRows> Balancer::servers() const {
  HIVE_ASSIGN(const std::string csv, command("show stat -1 4 -1"));
  ServerRows out;
  std::vector<std::string> names;
  for (const auto& line : split(csv, '\n')) {
    const auto fields = split(line, ',');
    if (line.starts_with("# ")) {
      names = fields;
      names[0] = "pxname";
      continue;
    }
    if (fields.size() < 10 || names.empty()) continue;
    auto& row = out[fields[0] + "/" + fields[1]];
    for (std::size_t i = 0; i < fields.size() && i < names.size(); ++i) row[names[i]] = fields[i];
  }
  return out;
}

unsigned long Balancer::open_connections(const ServerRows& rows, const BalancerTarget& t) const {
  unsigned long open = 0;
  for (const auto& l : spec_.listeners) {
    const auto row = rows.find(fmt::format("{}/s{}", backend_name(l), t.slot));
    if (row != rows.end()) open += std::strtoul(row->second.at("scur").c_str(), nullptr, 10);
  }
  return open;
}

void Balancer::tick() {
  std::lock_guard lock(mutex_);
  serve_renewed_certificates();
  end_drains();
}

void Balancer::end_drains() {
  const bool draining = std::any_of(targets_.begin(), targets_.end(),
                                    [](const auto& entry) { return entry.second.draining; });
  ::waitpid(running_daemon(paths_, "balancer"), nullptr, WNOHANG);
  if (!draining) return;
  const auto rows = servers();
  for (auto at = targets_.begin(); at != targets_.end();) {
    const auto& t = at->second;
    std::optional<unsigned long> open;
    if (rows) open = open_connections(*rows, t);
    if (!has_left(t, open, unix_ms())) {
      ++at;
      continue;
    }
    for (const auto& l : spec_.listeners) {
      const auto server = fmt::format("{}/s{}", backend_name(l), t.slot);
      (void)command("set server " + server + " state maint");
      if (open != 0) (void)command("shutdown sessions server " + server);
    }
    at = targets_.erase(at);
    if (const auto saved = save(); !saved) log::warn("cloud", "{}", describe(saved.error()));
  }
}

Result<BalancerStatus> Balancer::status() {
  std::lock_guard lock(mutex_);
  if (!wanted_) return fail(Errc::kNotFound, "there is no balancer yet");
  BalancerStatus out;
  out.spec = spec_;
  out.address = spec_.bind_address == "0.0.0.0" ? "127.0.0.1" : spec_.bind_address;
  HIVE_ASSIGN(const auto rows, servers());
  for (const auto& [slot, t] : targets_) {
    TargetStatus one;
    one.instance_id = t.instance_id;
    one.health = TargetHealth::kInService;
    for (const auto& l : spec_.listeners) {
      const auto row = rows.find(fmt::format("{}/s{}", backend_name(l), slot));
      if (row == rows.end()) continue;
      const auto& columns = row->second;
      one.open_connections +=
          static_cast<std::uint32_t>(std::strtoul(columns.at("scur").c_str(), nullptr, 10));
      if (columns.at("status").starts_with("UP")) continue;
      one.health = TargetHealth::kOutOfService;
      one.reason = columns.at("status");
      if (const auto check = columns.find("check_status"); check != columns.end())
        one.reason += " " + check->second;
    }
    if (t.draining) one.health = TargetHealth::kDraining;
    out.targets.push_back(std::move(one));
  }
  return out;
}

}  // namespace hive::cloud::local
