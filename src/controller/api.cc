#include "controller/api.h"

#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <charconv>

#include "controller/assets.h"
#include "controller/autoscale_api.h"
#include "controller/decision_metrics.h"
#include "controller/operations_api.h"

namespace hive::controller {
namespace {

using net::ServerRequest;
using net::ServerResponse;

constexpr std::size_t kMostEvents = 10'000;  // what a history keeps

std::int64_t number(const ServerRequest& request, const char* name, std::int64_t fallback) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return fallback;
  std::int64_t out = fallback;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), out);
  return out;
}

ServerResponse events(Controller& controller, const ServerRequest& request) {
  const auto limit = std::clamp<std::int64_t>(number(request, "limit", 100), 1, 1'000);
  const auto wanted = [&request](const char* name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string() : found->second;
  };
  const std::string kind = wanted("kind");
  const std::string subject = wanted("subject");
  const auto since = number(request, "since", 0);
  const bool all = kind.empty() && subject.empty();
  auto found =
      controller.history().list(since, all ? static_cast<std::size_t>(limit) : kMostEvents);
  std::erase_if(found, [&](const auto& event) {
    return !event.kind.starts_with(kind) || (!subject.empty() && event.subject != subject);
  });
  if (static_cast<std::int64_t>(found.size()) > limit)
    found.erase(found.begin(), found.end() - limit);
  Json list = Json::array();
  for (const auto& event : found)
    list.push_back({{"id", event.id},
                    {"unix_ms", event.unix_ms},
                    {"kind", event.kind},
                    {"subject", event.subject},
                    {"reason", event.reason}});
  return json_response(list);
}

ServerResponse metrics(const Api& api) {
  auto& controller = api.controller;
  prometheus::Registry registry;
  const auto set = [&registry](const char* name, const char* help, double value) {
    prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({}).Set(value);
  };
  const auto counters = controller.counters();
  const auto count = [](auto value) { return static_cast<double>(value); };
  const Json status = controller.status();
  set("hive_tick_seconds", "Duration of the last look at the engine",
      count(counters.last_tick.count()) / 1'000);
  set("hive_ticks", "Looks at the engine since the start", count(counters.ticks_total));
  set("hive_tick_failures", "Looks that failed", count(counters.tick_failures_total));
  set("hive_snapshot_age_seconds", "Age of the model", count(controller.age().count()) / 1'000);
  set("hive_tasks", "Tasks that Swarm lists", count(json_int(status, "tasks")));
  set("hive_nodes", "Nodes that Swarm lists", count(json_int(status, "nodes")));
  set("hive_agents_connected", "Open streams of agents", count(counters.agents));
  set("hive_dashboards_connected", "Open streams of dashboards", count(counters.dashboards));
  set("hive_agent_reports", "Reports received", count(counters.reports_total));
  set("hive_routing_tables", "Routing tables published", count(counters.tables_total));
  set("hive_active", "1 while this controller is the one that acts", controller.acts() ? 1 : 0);
  if (controller.acts()) {
    add_autoscale_metrics(registry, api.autoscaling.list());
    add_worker_metrics(registry, api.instances.state());
  }
  ServerResponse out;
  out.content_type = "text/plain; version=0.0.4";
  out.body = prometheus::TextSerializer().Serialize(registry.Collect());
  return out;
}

ServerResponse read(const Api& api, const ServerRequest& request) {
  auto& controller = api.controller;
  const auto& path = request.path;
  if (path == "/healthz") return ServerResponse::json("{\"ok\":true}\n");
  if (path == "/v1/status") return json_response(controller.status());
  if (path == "/v1/nodes") return json_response(controller.part("nodes"));
  if (path == "/v1/services") return json_response(controller.part("services"));
  if (path == "/v1/tasks") return json_response(controller.part("tasks"));
  if (path == "/v1/balancer") return json_response(controller.balancer());
  if (path == "/v1/stops") return json_response(controller.stops());
  if (path == "/v1/snapshot") return json_response(controller.whole());
  if (path == "/v1/routing") return ServerResponse::json(agent::encode_table(controller.table()));
  if (path == "/v1/events") return events(controller, request);
  if (path == "/metrics") return metrics(api);
  if (path == "/v1/stream") {
    ServerResponse out;
    out.on_stream = [&controller](std::shared_ptr<net::EventStream> stream) {
      controller.add_dashboard(std::move(stream));
    };
    return out;
  }
  if (const Asset* asset = find_asset(path)) {
    ServerResponse out;
    out.content_type = asset->content_type;
    out.headers.emplace(
        "Content-Security-Policy",
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:");
    out.body = asset->content;
    return out;
  }
  return ServerResponse::error(404, "no such path, see /v1/status");
}

ServerResponse agent_door(const Api& api, const ServerRequest& request) {
  auto& controller = api.controller;
  const auto& peer = request.peer;
  if (peer.ou != "swarm-manager" && peer.ou != "swarm-worker")
    return ServerResponse::error(403, "the certificate is not one of a swarm node");
  if (!controller.knows_node(peer.cn))
    return ServerResponse::error(403, "node " + peer.cn + " is not in this swarm");
  if (is_operations_path(request.path)) {
    if (peer.ou != "swarm-manager")
      return ServerResponse::error(403, "operations are asked for by managers alone");
    return answer_operations(controller, api.operations, request);
  }
  if (is_autoscale_path(request.path) && peer.ou == "swarm-manager" && request.method == "GET")
    return answer_autoscale(api, request);
  if (request.path == agent::kStreamPath && request.method == "GET") {
    if (!controller.acts()) return not_leader(controller);
    ServerResponse out;
    out.on_stream = [&controller, node = peer.cn](std::shared_ptr<net::EventStream> stream) {
      controller.add_agent(node, std::move(stream));
    };
    return out;
  }
  if (request.path != agent::kReportPath) return ServerResponse::error(404, "no such path");
  if (request.method != "POST") return ServerResponse::error(405, "reports are posted");
  const auto report = agent::decode_report(request.body);
  if (!report) return ServerResponse::error(400, report.error().message);
  if (report->node_id != peer.cn)
    return ServerResponse::error(403, "the report is of another node than the certificate");
  controller.report(*report);
  return ServerResponse::json("{}\n");
}

ServerResponse root_door(const Api& api, const ServerRequest& request) {
  auto& controller = api.controller;
  if (request.peer.unix_uid != 0U) return ServerResponse::error(403, "only root may do that");
  if (is_operations_path(request.path)) {
    return controller.acts() ? answer_operations(controller, api.operations, request)
                             : forward_operations(controller, api.certificates, request);
  }
  if (request.method == "GET" && is_autoscale_path(request.path))
    return controller.acts() ? answer_autoscale(api, request)
                             : forward_operations(controller, api.certificates, request);
  if (request.method == "GET") return read(api, request);
  if (request.path == "/v1/refresh" && request.method == "POST") {
    controller.kick();
    return ServerResponse::json("{}\n");
  }
  return ServerResponse::error(404, "no such path");
}

}  // namespace

ServerResponse answer(const Api& api, const ServerRequest& request) {
  if (request.peer.listener == kAgentDoor) return agent_door(api, request);
  if (request.peer.listener == kRootDoor) return root_door(api, request);
  if (request.method != "GET" && request.method != "HEAD") {
    auto out = ServerResponse::error(405, "this port only reads");
    out.headers.emplace("Allow", "GET, HEAD");
    return out;
  }
  if (is_operations_path(request.path))
    return answer_operations(api.controller, api.operations, request);
  if (is_autoscale_path(request.path)) return answer_autoscale(api, request);
  return read(api, request);
}

}  // namespace hive::controller
