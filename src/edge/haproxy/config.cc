#include "edge/haproxy/config.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "base/short_hash.h"

namespace hive::edge::haproxy {
namespace {

using model::Backend;
using model::Listener;
using model::Route;
using model::RoutingTable;

bool only(std::string_view text, std::string_view also) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || also.find(c) != also.npos;
  });
}

// What single quotes of the configuration hold unchanged.
bool quotable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '\'';
  });
}

bool is_ip(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

const Backend* find_backend(const RoutingTable& table, const std::string& name) {
  for (const Backend& backend : table.backends)
    if (backend.name == name) return &backend;
  return nullptr;
}

Status validate_backend(const Backend& backend) {
  if (backend.name.empty() || !only(backend.name, "-_."))
    return fail(Errc::kInvalidArgument,
                "service name \"" + backend.name +
                    "\": only letters, digits, '-', '_' and '.' can be served");
  const std::string who = "service " + backend.name + ": ";
  if (!only(backend.sticky_cookie, "-_."))
    return fail(Errc::kInvalidArgument,
                who + "the sticky cookie's name may have letters, digits, '-', '_', '.' only");
  if (!backend.probe_path.empty() &&
      (backend.probe_path.front() != '/' || !quotable(backend.probe_path)))
    return fail(Errc::kInvalidArgument,
                who + "the probe path must begin with '/' and have no space or quote");
  return {};
}

Status validate_endpoint(const Backend& backend, const model::Endpoint& endpoint) {
  if (is_ip(endpoint.address)) return {};
  return fail(Errc::kInvalidArgument, "service " + backend.name + ": task " + endpoint.task_id +
                                          " has address \"" + endpoint.address +
                                          "\", which is no IP address");
}

Status validate_listener(const Listener& listener, const ConfigOptions& options) {
  const std::string who = "listener " + std::to_string(listener.port) + ": ";
  if (listener.port == options.health_port)
    return fail(Errc::kInvalidArgument, who + "that is the edge's own health port; choose another");
  if (!quotable(listener.certificate_pem))
    return fail(Errc::kInvalidArgument, who + "the certificate's path has a space or quote");
  return {};
}

Status validate_route(const RoutingTable& table, const Route& route) {
  const std::string who = "route to " + route.backend + ": ";
  const Backend* backend = find_backend(table, route.backend);
  if (backend == nullptr) return fail(Errc::kInvalidArgument, who + "there is no such service");
  if (!only(route.host, "-_.*"))
    return fail(Errc::kInvalidArgument, who + "host \"" + route.host + "\" is no host name");
  if (route.host.find('*') != std::string::npos &&
      (route.host.rfind("*.", 0) != 0 || route.host.find('*', 1) != std::string::npos))
    return fail(Errc::kInvalidArgument,
                who + "host \"" + route.host + "\": '*' may stand for the first label only");
  if (!route.path_prefix.empty() &&
      (route.path_prefix.front() != '/' || !quotable(route.path_prefix)))
    return fail(Errc::kInvalidArgument, who + "path \"" + route.path_prefix +
                                            "\" must begin with '/' and have no space or quote");
  for (const Listener& listener : table.listeners)
    if (listener.port == route.listener_port && listener.mode == "http" && backend->mode == "tcp")
      return fail(Errc::kInvalidArgument,
                  who + "the service is tcp and listener " + std::to_string(listener.port) +
                      " is http; give it a listener of its own with mode tcp");
  return {};
}

int host_rank(const Route& route) {
  if (route.host.empty()) return 2;
  return route.host.front() == '*' ? 1 : 0;
}

// " if h3 p3" with the ACL lines before it; empty for a route that matches everything.
std::string conditions(std::string& out, const Route& route, std::size_t index) {
  std::string names;
  if (!route.host.empty()) {
    const bool wild = route.host.front() == '*';
    out += fmt::format("  acl h{} req.hdr(host),field(1,:),lower -m {} -- {}\n", index,
                       wild ? "end" : "str", lower(wild ? route.host.substr(1) : route.host));
    names += fmt::format(" h{}", index);
  }
  if (route.path_prefix.size() > 1) {
    // A prefix ends at a '/': /api takes /api and /api/x, not /apix.
    std::string prefix = route.path_prefix;
    if (prefix.back() == '/') prefix.pop_back();
    if (route.path_prefix.back() != '/')
      out += fmt::format("  acl p{} path -- '{}'\n", index, prefix);
    out += fmt::format("  acl p{} path_beg -- '{}/'\n", index, prefix);
    names += fmt::format(" p{}", index);
  }
  return names;
}

void render_route(std::string& out, const Route& route, const Backend& backend, std::size_t index,
                  bool http) {
  const std::string match = http ? conditions(out, route, index) : "";
  const std::string local = local_name(backend.name);
  const std::string all = all_name(backend.name);
  if (http && !backend.sticky_cookie.empty())
    out += fmt::format("  use_backend {} if{} {{ req.cook({}) -m found }}\n", all, match,
                       backend.sticky_cookie);
  // A share of all requests at every edge, whichever node the canary is on. Who is a task's by his
  // cookie stays there.
  const std::string canary = canary_name(backend.name);
  if (backend.canary_percent > 0)
    out += fmt::format("  use_backend {} if{} {{ rand(100) lt {} }} {{ nbsrv({}) gt 0 }}\n", canary,
                       match, backend.canary_percent, canary);
  const std::string here = fmt::format("  use_backend {} if{} {{ nbsrv({}) gt 0 }}", local, match,
                                       own_name(backend.name));
  if (asks_own_first(backend) && backend.max_connections_per_task > 0)
    // What own tasks have no room for goes to the other nodes', and waits here if there are none.
    out +=
        fmt::format("{} {{ be_conn_free({}) gt 0 }}\n  use_backend {} if{} {{ nbsrv({}) gt 0 }}\n",
                    here, local, all, match, all);
  if (asks_own_first(backend)) out += here + "\n";
  out += match.empty() ? fmt::format("  use_backend {}\n", all)
                       : fmt::format("  use_backend {} if{}\n", all, match);
}

std::string successor(const ConfigOptions& options, const Listener& listener) {
  return fmt::format("unix@{}.{}", options.successor_socket, listener.port);
}

void render_listener(std::string& out, const RoutingTable& table, const Listener& listener,
                     const ConfigOptions& options) {
  const bool http = listener.mode == "http";
  out += fmt::format("\nfrontend listener.{}\n  mode {}\n  bind :{}", listener.port, listener.mode,
                     listener.port);
  if (listener.accept_proxy) out += " accept-proxy";
  if (!listener.certificate_pem.empty())
    out +=
        fmt::format(" ssl crt '{}'{}", listener.certificate_pem, http ? " alpn h2,http/1.1" : "");
  out += "\n";
  if (http) {
    out += fmt::format("  bind {} mode 600 accept-proxy\n", successor(options, listener));
    // A balancer in front that ended TLS has said so already; otherwise we are the first to know.
    out +=
        "  http-request add-header X-Forwarded-For %[src] unless { stopping }\n"
        "  http-request set-header X-Forwarded-Proto https if { ssl_fc }\n"
        "  http-request set-header X-Forwarded-Proto http if !{ ssl_fc } "
        "!{ req.hdr(X-Forwarded-Proto) -m found }\n";
    out += fmt::format("  use_backend hive.successor.{} if {{ stopping }}\n", listener.port);
  }
  const std::vector<Route> routes = ordered_routes(table, listener.port);
  for (std::size_t i = 0; i < routes.size(); ++i)
    render_route(out, routes[i], *find_backend(table, routes[i].backend), i, http);
  if (http) out += "  default_backend hive.nothing\n";
}

// A process that was replaced knows the tasks of then, and takes no commands any more. What still
// comes, on connections that were idle, it gives to the one that replaced it, with the client's
// address.
void render_successor(std::string& out, const Listener& listener, const ConfigOptions& options) {
  if (listener.mode != "http") return;
  out += fmt::format(
      "\nbackend hive.successor.{}\n  mode http\n  retries 3\n  retry-on conn-failure\n"
      "  server next {} send-proxy-v2\n",
      listener.port, successor(options, listener));
}

// By a hash of the name, since a socket's path is short.
std::string regulars(const ConfigOptions& options, const Backend& backend) {
  return fmt::format("unix@{}.{}", options.regulars_socket, short_hash(backend.name));
}

// A task that nobody can reach is found out by the first requests, before any table says so. Among
// several tasks HAProxy goes on to another; a canary, and a task of the edge's own node, is mostly
// alone, and has those of all nodes behind it.
void render_regulars(std::string& out, const Backend& backend, const ConfigOptions& options) {
  out += fmt::format(
      "\nfrontend hive.regulars.{}\n  mode {}\n  bind {} mode 600 accept-proxy\n"
      "  default_backend {}\n",
      backend.name, backend.mode, regulars(options, backend), all_name(backend.name));
}

std::string render_server(std::size_t index, const Slot& slot) {
  return fmt::format("  server s{} {}:{} weight {}{}\n", index + 1, slot.address, slot.port,
                     slot.weight, slot.state == SlotState::kMaint ? " disabled" : "");
}

void render_servers(std::string& out, const Backend& backend, const std::vector<Slot>& slots,
                    bool canary) {
  std::string flags = "check inter 2s fastinter 500ms fall 3 rise 1";
  if (backend.max_connections_per_task > 0)
    flags += fmt::format(" maxconn {}", backend.max_connections_per_task);
  if (backend.proxy_protocol) flags += " send-proxy-v2";
  if (backend.mode == "http") flags += " pool-purge-delay 1s";
  if (canary) flags += " observe layer4 error-limit 1 on-error mark-down";
  out += "  default-server " + flags + "\n";
  for (std::size_t i = 0; i < slots.size(); ++i) out += render_server(i, slots[i]);
}

void render_backend(std::string& out, const Backend& backend, const std::string& name,
                    const std::vector<Slot>& slots, const ConfigOptions& options) {
  const bool canary = name == canary_name(backend.name);
  const bool all = name == all_name(backend.name);
  out += fmt::format(
      "\nbackend {}\n  mode {}\n  balance leastconn\n  timeout connect {}ms\n"
      "  timeout server {}ms\n  timeout queue 30s\n  timeout check 2s\n",
      name, backend.mode, backend.connect_timeout_ms, backend.response_timeout_ms);
  // Only a connection that never opened is tried again, elsewhere: a request is never replayed.
  out += "  option redispatch 1\n  retries 3\n";
  if (backend.mode == "http") {
    out += "  retry-on conn-failure\n  http-reuse safe\n";
    if (!backend.sticky_cookie.empty())
      // The cookie is a hash of key and address, so every edge gives a task the same one.
      out += fmt::format(
          "  cookie {} insert indirect nocache httponly dynamic{}\n  dynamic-cookie-key hive.{}\n",
          backend.sticky_cookie, all ? "" : " preserve", backend.name);
  }
  if (!backend.probe_path.empty())
    out += fmt::format(
        "  option httpchk\n  http-check send meth GET uri '{}' ver HTTP/1.1 hdr Host localhost\n"
        "  http-check expect status 200-399\n",
        backend.probe_path);
  render_servers(out, backend, slots, canary);
  if (!all)
    out += fmt::format("  server {} {} no-check observe none maxconn 0 send-proxy-v2 backup\n",
                       kRegulars, regulars(options, backend));
}

void render_own(std::string& out, const Backend& backend, const Slot& slot) {
  out += fmt::format("\nbackend {}\n  mode {}\n{}", own_name(backend.name), backend.mode,
                     render_server(0, slot));
}

}  // namespace

std::string local_name(const std::string& backend) { return "b." + backend + ".local"; }
std::string all_name(const std::string& backend) { return "b." + backend + ".all"; }
std::string canary_name(const std::string& backend) { return "b." + backend + ".canary"; }
std::string own_name(const std::string& backend) { return "b." + backend + ".own"; }

bool asks_own_first(const Backend& backend) {
  return backend.sticky_cookie.empty() || backend.max_connections_per_task == 0;
}

std::vector<std::string> names_of(const Backend& backend) {
  std::vector<std::string> names{local_name(backend.name), all_name(backend.name)};
  if (backend.canary_percent > 0) names.push_back(canary_name(backend.name));
  return names;
}

std::vector<std::string> drop_faults(RoutingTable& table, const ConfigOptions& options) {
  std::vector<std::string> faults;
  const auto faulty = [&](const Status& status) {
    if (!status) faults.push_back(status.error().message);
    return !status.has_value();
  };
  std::erase_if(table.backends,
                [&](const Backend& backend) { return faulty(validate_backend(backend)); });
  for (Backend& backend : table.backends)
    std::erase_if(backend.endpoints, [&](const model::Endpoint& endpoint) {
      return faulty(validate_endpoint(backend, endpoint));
    });
  std::erase_if(table.listeners, [&](const Listener& listener) {
    return faulty(validate_listener(listener, options));
  });
  std::erase_if(table.routes,
                [&](const Route& route) { return faulty(validate_route(table, route)); });
  return faults;
}

std::vector<Route> ordered_routes(const RoutingTable& table, std::uint16_t port) {
  std::vector<Route> routes;
  std::copy_if(table.routes.begin(), table.routes.end(), std::back_inserter(routes),
               [&](const Route& route) { return route.listener_port == port; });
  const auto length = [](const Route& route) {  // "/" says no more than nothing
    return route.path_prefix.size() <= 1 ? 0 : route.path_prefix.size();
  };
  std::stable_sort(routes.begin(), routes.end(), [&](const Route& a, const Route& b) {
    if (length(a) != length(b)) return length(a) > length(b);
    if (host_rank(a) != host_rank(b)) return host_rank(a) < host_rank(b);
    return a.host.size() > b.host.size();
  });
  return routes;
}

std::string render_config(const RoutingTable& table, const ConfigOptions& options,
                          const SlotMap& slots) {
  // One thread: a command comes before or after a request's way to a server. With several, the last
  // own task may leave between the choice of its backend and that of a server: a 503.
  std::string out = fmt::format(
      "# Written by hive; changes are overwritten.\n"
      "global\n  nbthread 1\n  stats socket {} mode 600 level admin expose-fd listeners\n"
      "  stats timeout 10s\n  hard-stop-after {}s\n  spread-checks 20\n"
      // Idle connections are kept for longer than balancers in front do (AWS's: 60 s), so that no
      // request meets the end of its connection.
      "\ndefaults\n  timeout client 600s\n  timeout http-request 30s\n"
      "  timeout http-keep-alive 75s\n  timeout connect 5s\n  timeout server 600s\n"
      "  timeout tunnel 3600s\n  option http-keep-alive\n  option idle-close-on-response\n",
      options.stats_socket, options.hard_stop_after_s);
  out += fmt::format(
      "\nfrontend hive.health.in\n  mode http\n  bind :{}\n  monitor-uri /healthz\n"
      "  monitor fail if {{ nbsrv({}) lt 1 }}\n  http-request return status 404\n"
      "\nbackend {}\n  mode http\n  server up 127.0.0.1:1{}\n"
      "\nbackend hive.nothing\n  mode http\n"
      "  http-request return status 404 content-type text/plain string \"no service here\"\n",
      options.health_port, kHealthBackend, kHealthBackend, options.leaving ? " disabled" : "");
  for (const Listener& listener : table.listeners) {
    render_listener(out, table, listener, options);
    render_successor(out, listener, options);
  }
  for (const Backend& backend : table.backends) {
    for (const std::string& name : names_of(backend)) {
      const auto found = slots.find(name);
      render_backend(out, backend, name,
                     found == slots.end() ? std::vector<Slot>(kMinSlots) : found->second, options);
    }
    const auto own = slots.find(own_name(backend.name));
    render_own(out, backend, own == slots.end() || own->second.empty() ? Slot() : own->second[0]);
    render_regulars(out, backend, options);
  }
  return out;
}

}  // namespace hive::edge::haproxy
