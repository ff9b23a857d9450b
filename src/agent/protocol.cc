#include "agent/protocol.h"

#include <algorithm>
#include <set>

#include "agent/json_reader.h"

namespace hive::agent {
namespace {

using model::Backend;
using model::BackendStats;
using model::Endpoint;
using model::EndpointStats;
using model::Listener;
using model::Route;
using model::RoutingTable;
using model::StopRecord;

void read_endpoint(const Json& json, const std::string& place, Endpoint& into, std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("task_id", into.task_id, 256);
  reader.text("service_id", into.service_id, 256);
  reader.text("node_id", into.node_id, 256);
  reader.text("name", into.name, 512);
  reader.text("address", into.address, 256);
  reader.number("port", into.port);
  reader.flag("admit", into.admit);
  reader.flag("canary", into.canary);
  reader.require(!into.task_id.empty(), "task_id", "is missing");
  reader.require(!into.address.empty(), "address", "is missing");
  reader.require(into.port != 0, "port", "is missing or 0");
}

void read_route(const Json& json, const std::string& place, Route& into, std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.number("listener_port", into.listener_port);
  reader.text("host", into.host, 256);
  reader.text("path_prefix", into.path_prefix, 2048);
  reader.text("backend", into.backend, 256);
  reader.require(!into.backend.empty(), "backend", "is missing");
}

void read_backend(const Json& json, const std::string& place, Backend& into, std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("name", into.name, 256);
  reader.text("mode", into.mode, 8);
  reader.text("sticky_cookie", into.sticky_cookie, 256);
  reader.text("probe_path", into.probe_path, 2048);
  reader.number("max_connections_per_task", into.max_connections_per_task);
  reader.flag("proxy_protocol", into.proxy_protocol);
  reader.number("connect_timeout_ms", into.connect_timeout_ms);
  reader.number("response_timeout_ms", into.response_timeout_ms);
  reader.number("canary_percent", into.canary_percent);
  reader.list("endpoints", into.endpoints, 100'000, read_endpoint);
  reader.require(!into.name.empty(), "name", "is missing");
  reader.require(into.mode == "http" || into.mode == "tcp", "mode", "must be http or tcp");
  reader.require(into.canary_percent <= 100, "canary_percent", "must be at most 100");
}

void read_listener(const Json& json, const std::string& place, Listener& into, std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.number("port", into.port);
  reader.text("mode", into.mode, 8);
  reader.text("certificate_pem", into.certificate_pem);
  reader.flag("accept_proxy", into.accept_proxy);
  reader.require(into.port != 0, "port", "is missing or 0");
  reader.require(into.mode == "http" || into.mode == "tcp", "mode", "must be http or tcp");
}

void read_stats(const Json& json, const std::string& place, EndpointStats& into,
                std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("task_id", into.task_id, 256);
  reader.number("requests_total", into.requests_total);
  reader.number("errors_5xx_total", into.errors_5xx_total);
  reader.number("connection_errors_total", into.connection_errors_total);
  reader.number("bytes_in_total", into.bytes_in_total);
  reader.number("bytes_out_total", into.bytes_out_total);
  reader.number("in_flight", into.in_flight);
  reader.number("queued", into.queued);
  reader.number("response_time_ms", into.response_time_ms);
  reader.number("rate", into.rate);
}

void read_backend_stats(const Json& json, const std::string& place, BackendStats& into,
                        std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("name", into.name, 256);
  reader.number("rate", into.rate);
  reader.number("queued", into.queued);
}

void read_usage(const Json& json, const std::string& place, TaskUsage& into, std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("task_id", into.task_id, 256);
  reader.number("cpu_millicores", into.cpu_millicores);
  reader.number("memory_bytes", into.memory_bytes);
  reader.number("age_ms", into.age_ms);
}

void read_port(const Json& json, const std::string& place, model::Port& into, std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("protocol", into.protocol, 16);
  reader.number("target", into.target);
  reader.number("published", into.published);
  into.mode = model::PublishMode::kHost;
}

void read_container(const Json& json, const std::string& place, ContainerReport& into,
                    std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("task_id", into.task_id, 256);
  reader.text("container_id", into.container_id, 256);
  reader.text("state", into.state, 64);
  reader.text("health", into.health, 64);
  reader.text("init", into.init, 256);
  reader.list("ports", into.ports, 1'000, read_port);
}

void read_note(const Json& json, const std::string& place, Note& into, std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("kind", into.kind, 256);
  reader.text("subject", into.subject, 4096);
  reader.text("reason", into.reason, 4096);
}

void read_took(const Json& json, const std::string& place, std::int64_t& into, std::string& fault) {
  if (json.is_number_integer())
    into = json.get<std::int64_t>();
  else if (fault.empty())
    fault = place + " must be a whole number";
}

void read_stop_record(const Json& json, const std::string& place, StopRecord& into,
                      std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("task_id", into.task_id, 256);
  reader.text("service_id", into.service_id, 256);
  reader.text("container_id", into.container_id, 256);
  reader.text("order_id", into.order_id, 256);
  reader.text("by", into.by, 1024);
  reader.text("reason", into.reason, 4096);
  std::string step;
  reader.text("step", step, 64);
  into.step = model::stop_step_from(step);
  reader.number("started_unix_ms", into.started_unix_ms);
  reader.number("ended_unix_ms", into.ended_unix_ms);
  std::vector<std::int64_t> took;
  reader.list("took_ms", took, 64, read_took);
  for (std::size_t i = 0; i < std::min(took.size(), into.took_ms.size()); ++i)
    into.took_ms[i] = took[i];
  reader.number("connections_at_start", into.connections_at_start);
  reader.number("bytes_delivered", into.bytes_delivered);
  reader.number("bytes_missing", into.bytes_missing);
  reader.list("given_up", into.given_up, 100, read_text);
  reader.number("exit_code", into.exit_code);
  reader.require(!into.container_id.empty(), "container_id", "is missing");
}

const char* word_of(PullState state) {
  switch (state) {
    case PullState::kPulled:
      return "pulled";
    case PullState::kFailed:
      return "failed";
    case PullState::kPulling:
      break;
  }
  return "pulling";
}

void read_pull_report(const Json& json, const std::string& place, PullReport& into,
                      std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("image", into.image, 4'096);
  std::string state;
  reader.text("state", state, 64);
  // A word of a later version is taken for one that says: not yet.
  if (state == word_of(PullState::kPulled)) into.state = PullState::kPulled;
  if (state == word_of(PullState::kFailed)) into.state = PullState::kFailed;
  reader.number("tries", into.tries);
  reader.text("why", into.why, 65'536);
  reader.require(!into.image.empty(), "image", "is missing");
}

void read_event(const Json& json, const std::string& place, ContainerEvent& into,
                std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("task_id", into.task_id, 256);
  reader.text("container_id", into.container_id, 256);
  reader.text("action", into.action, 256);
  reader.number("time_ns", into.time_ns);
}

// What the parts must be to each other.
std::string contradiction(const RoutingTable& table) {
  std::set<std::string> backends;
  for (const Backend& backend : table.backends) {
    if (!backends.insert(backend.name).second) return "two backends are named " + backend.name;
    std::set<std::string> tasks;
    for (const Endpoint& endpoint : backend.endpoints)
      if (!tasks.insert(endpoint.task_id).second)
        return "backend " + backend.name + " has task " + endpoint.task_id + " twice";
  }
  std::set<std::uint16_t> ports;
  for (const Listener& listener : table.listeners)
    if (!ports.insert(listener.port).second)
      return "two listeners are on port " + std::to_string(listener.port);
  for (const Route& route : table.routes) {
    if (!backends.contains(route.backend)) return "a route leads to no backend: " + route.backend;
    if (!ports.contains(route.listener_port))
      return "a route is on no listener: port " + std::to_string(route.listener_port);
  }
  return "";
}

Json endpoint_json(const Endpoint& endpoint) {
  return {{"task_id", endpoint.task_id}, {"service_id", endpoint.service_id},
          {"node_id", endpoint.node_id}, {"name", endpoint.name},
          {"address", endpoint.address}, {"port", endpoint.port},
          {"admit", endpoint.admit},     {"canary", endpoint.canary}};
}

Json backend_json(const Backend& backend) {
  Json endpoints = Json::array();
  for (const Endpoint& endpoint : backend.endpoints) endpoints.push_back(endpoint_json(endpoint));
  return {{"name", backend.name},
          {"mode", backend.mode},
          {"sticky_cookie", backend.sticky_cookie},
          {"probe_path", backend.probe_path},
          {"max_connections_per_task", backend.max_connections_per_task},
          {"proxy_protocol", backend.proxy_protocol},
          {"connect_timeout_ms", backend.connect_timeout_ms},
          {"response_timeout_ms", backend.response_timeout_ms},
          {"canary_percent", backend.canary_percent},
          {"endpoints", std::move(endpoints)}};
}

Json stats_json(const EndpointStats& stats) {
  return {{"task_id", stats.task_id},
          {"requests_total", stats.requests_total},
          {"errors_5xx_total", stats.errors_5xx_total},
          {"connection_errors_total", stats.connection_errors_total},
          {"bytes_in_total", stats.bytes_in_total},
          {"bytes_out_total", stats.bytes_out_total},
          {"in_flight", stats.in_flight},
          {"queued", stats.queued},
          {"response_time_ms", stats.response_time_ms},
          {"rate", stats.rate}};
}

Json stop_json(const StopRecord& stop) {
  return {{"task_id", stop.task_id},
          {"service_id", stop.service_id},
          {"container_id", stop.container_id},
          {"order_id", stop.order_id},
          {"by", stop.by},
          {"reason", stop.reason},
          {"step", model::to_string(stop.step)},
          {"started_unix_ms", stop.started_unix_ms},
          {"ended_unix_ms", stop.ended_unix_ms},
          {"took_ms", stop.took_ms},
          {"connections_at_start", stop.connections_at_start},
          {"bytes_delivered", stop.bytes_delivered},
          {"bytes_missing", stop.bytes_missing},
          {"given_up", stop.given_up},
          {"exit_code", stop.exit_code}};
}

Json container_json(const ContainerReport& container) {
  Json ports = Json::array();
  for (const model::Port& port : container.ports)
    ports.push_back(
        {{"protocol", port.protocol}, {"target", port.target}, {"published", port.published}});
  return {{"task_id", container.task_id}, {"container_id", container.container_id},
          {"state", container.state},     {"health", container.health},
          {"init", container.init},       {"ports", std::move(ports)}};
}

}  // namespace

std::string encode_table(const RoutingTable& table) {
  Json listeners = Json::array();
  for (const Listener& listener : table.listeners)
    listeners.push_back({{"port", listener.port},
                         {"mode", listener.mode},
                         {"certificate_pem", listener.certificate_pem},
                         {"accept_proxy", listener.accept_proxy}});
  Json routes = Json::array();
  for (const Route& route : table.routes)
    routes.push_back({{"listener_port", route.listener_port},
                      {"host", route.host},
                      {"path_prefix", route.path_prefix},
                      {"backend", route.backend}});
  Json backends = Json::array();
  for (const Backend& backend : table.backends) backends.push_back(backend_json(backend));
  return dump_json({{"revision", table.revision},
                    {"controller_node_id", table.controller_node_id},
                    {"listeners", std::move(listeners)},
                    {"routes", std::move(routes)},
                    {"backends", std::move(backends)}});
}

Result<RoutingTable> decode_table(std::string_view text) {
  HIVE_ASSIGN(const Json json, parse_message(text, "routing table"));
  RoutingTable table;
  std::string fault;
  JsonReader reader(json, "", fault);
  reader.number("revision", table.revision);
  reader.text("controller_node_id", table.controller_node_id, 256);
  reader.list("listeners", table.listeners, 1'000, read_listener);
  reader.list("routes", table.routes, 20'000, read_route);
  reader.list("backends", table.backends, 10'000, read_backend);
  if (fault.empty()) fault = contradiction(table);
  if (!fault.empty()) return fail(Errc::kCorrupt, "routing table: " + fault);
  return table;
}

std::string encode_report(const Report& report) {
  Json stats = Json::array();
  for (const EndpointStats& one : report.stats) stats.push_back(stats_json(one));
  Json backends = Json::array();
  for (const BackendStats& one : report.backends)
    backends.push_back({{"name", one.name}, {"rate", one.rate}, {"queued", one.queued}});
  Json usage = Json::array();
  for (const TaskUsage& one : report.usage)
    usage.push_back({{"task_id", one.task_id},
                     {"cpu_millicores", one.cpu_millicores},
                     {"memory_bytes", one.memory_bytes},
                     {"age_ms", one.age_ms}});
  Json containers = Json::array();
  for (const ContainerReport& one : report.containers) containers.push_back(container_json(one));
  Json notes = Json::array();
  for (const Note& one : report.notes)
    notes.push_back({{"kind", one.kind}, {"subject", one.subject}, {"reason", one.reason}});
  Json stops = Json::array();
  for (const StopRecord& one : report.stops) stops.push_back(stop_json(one));
  Json pulls = Json::array();
  for (const PullReport& one : report.pulls)
    pulls.push_back({{"image", one.image},
                     {"state", word_of(one.state)},
                     {"tries", one.tries},
                     {"why", one.why}});
  Json events = Json::array();
  for (const ContainerEvent& one : report.events)
    events.push_back({{"task_id", one.task_id},
                      {"container_id", one.container_id},
                      {"action", one.action},
                      {"time_ns", one.time_ns}});
  return dump_json({{"node_id", report.node_id},
                    {"revision_applied", report.revision_applied},
                    {"controller_node_id", report.controller_node_id},
                    {"edge", report.edge},
                    {"engine_init", report.engine_init},
                    {"stats", std::move(stats)},
                    {"backends", std::move(backends)},
                    {"usage", std::move(usage)},
                    {"containers", std::move(containers)},
                    {"events", std::move(events)},
                    {"not_ready", report.not_ready},
                    {"notes", std::move(notes)},
                    {"leaving", report.leaving},
                    {"stops", std::move(stops)},
                    {"departs_in_ms", report.departs_in_ms},
                    {"pulls_images", report.pulls_images},
                    {"pulls", std::move(pulls)}});
}

Result<Report> decode_report(std::string_view text) {
  HIVE_ASSIGN(const Json json, parse_message(text, "agent report"));
  Report report;
  std::string fault;
  JsonReader reader(json, "", fault);
  reader.text("node_id", report.node_id, 256);
  reader.number("revision_applied", report.revision_applied);
  reader.text("controller_node_id", report.controller_node_id, 256);
  reader.text("edge", report.edge, 65'536);
  reader.text("engine_init", report.engine_init, 4'096);
  reader.list("stats", report.stats, 200'000, read_stats);
  reader.list("backends", report.backends, 10'000, read_backend_stats);
  reader.list("usage", report.usage, 20'000, read_usage);
  reader.list("containers", report.containers, 20'000, read_container);
  reader.list("events", report.events, kMaxReportEvents, read_event);
  reader.list("not_ready", report.not_ready, 100'000, read_text);
  reader.list("notes", report.notes, kMaxReportNotes, read_note);
  reader.list("leaving", report.leaving, 20'000, read_text);
  reader.list("stops", report.stops, kMaxReportStops, read_stop_record);
  reader.number("departs_in_ms", report.departs_in_ms);
  reader.flag("pulls_images", report.pulls_images);
  reader.list("pulls", report.pulls, 1'000, read_pull_report);
  reader.require(!report.node_id.empty(), "node_id", "is missing");
  if (!fault.empty()) return fail(Errc::kCorrupt, "agent report: " + fault);
  return report;
}

}  // namespace hive::agent
