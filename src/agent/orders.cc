#include "agent/orders.h"

#include <utility>

#include "agent/json_reader.h"

namespace hive::agent {
namespace {

constexpr std::size_t kMaxWords = 1'000;
constexpr std::int64_t kMaxMs = std::int64_t{7} * 24 * 3'600'000;

void milliseconds(JsonReader& reader, const char* key, Milliseconds& into) {
  std::int64_t ms = into.count();
  reader.number(key, ms);
  reader.require(ms >= 0 && ms <= kMaxMs, key, "is out of range");
  into = Milliseconds(ms);
}

void read_service(const Json& json, const std::string& place, ServiceOrders& into,
                  std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("name", into.name, 256);
  reader.number("grace_ms", into.grace_ms);
  milliseconds(reader, "drain_ms", into.stop.drain);
  milliseconds(reader, "hooks_ms", into.stop.hooks);
  milliseconds(reader, "stop_ms", into.stop.stop);
  milliseconds(reader, "flush_ms", into.stop.flush);
  reader.list("pre_stop", into.stop.pre_stop, kMaxWords, read_text);
  reader.list("stop_command", into.stop.stop_command, kMaxWords, read_text);
  reader.list("log_paths", into.logs.paths, kMaxWords, read_text);
  reader.flag("log_output", into.logs.output);
  reader.text("log_destination", into.logs.destination);
  model::FilebeatPlace filebeat;
  reader.text("filebeat_registry", filebeat.registry);
  reader.flag("filebeat_on_node", filebeat.on_node);
  reader.text("filebeat_stats_url", filebeat.stats_url);
  if (!filebeat.registry.empty()) into.logs.filebeat = std::move(filebeat);
}

void read_task(const Json& json, const std::string& place, TaskOrders& into, std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("service_id", into.service_id, 256);
  reader.number("slot", into.slot);
  reader.flag("desired_running", into.desired_running);
  reader.flag("await_replacement", into.await_replacement);
  reader.flag("routed", into.routed);
  reader.list("edges_behind", into.edges_behind, 10'000, read_text);
}

void read_stop_order(const Json& json, const std::string& place, StopOrder& into,
                     std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("id", into.id, 256);
  reader.text("task_id", into.task_id, 256);
  reader.text("by", into.by, 1024);
  reader.text("reason", into.reason, 4096);
  reader.flag("force", into.force);
  reader.require(!into.task_id.empty(), "task_id", "is missing");
}

void read_pull_order(const Json& json, const std::string& place, PullOrder& into,
                     std::string& fault) {
  JsonReader reader(json, place, fault);
  reader.text("image", into.image);
  reader.text("registry", into.registry);
  reader.text("username", into.username);
  std::string password;
  reader.text("password", password, 65'536);
  into.password = os::Secret(std::move(password));
  reader.require(!into.image.empty(), "image", "is missing");
}

Json pull_json(const PullOrder& pull) {
  return {{"image", pull.image},
          {"registry", pull.registry},
          {"username", pull.username},
          {"password", pull.password.reveal()}};
}

Json service_json(const ServiceOrders& service) {
  const model::FilebeatPlace filebeat = service.logs.filebeat.value_or(model::FilebeatPlace{});
  return {{"name", service.name},
          {"grace_ms", service.grace_ms},
          {"drain_ms", service.stop.drain.count()},
          {"hooks_ms", service.stop.hooks.count()},
          {"stop_ms", service.stop.stop.count()},
          {"flush_ms", service.stop.flush.count()},
          {"pre_stop", service.stop.pre_stop},
          {"stop_command", service.stop.stop_command},
          {"log_paths", service.logs.paths},
          {"log_output", service.logs.output},
          {"log_destination", service.logs.destination},
          {"filebeat_registry", filebeat.registry},
          {"filebeat_on_node", filebeat.on_node},
          {"filebeat_stats_url", filebeat.stats_url}};
}

Json task_json(const TaskOrders& task) {
  return {{"service_id", task.service_id},
          {"slot", task.slot},
          {"desired_running", task.desired_running},
          {"await_replacement", task.await_replacement},
          {"routed", task.routed},
          {"edges_behind", task.edges_behind}};
}

}  // namespace

std::string encode_orders(const NodeOrders& orders) {
  Json services = Json::object();
  for (const auto& [id, service] : orders.services) services[id] = service_json(service);
  Json tasks = Json::object();
  for (const auto& [id, task] : orders.tasks) tasks[id] = task_json(task);
  Json stops = Json::array();
  for (const StopOrder& stop : orders.stops)
    stops.push_back({{"id", stop.id},
                     {"task_id", stop.task_id},
                     {"by", stop.by},
                     {"reason", stop.reason},
                     {"force", stop.force}});
  Json pulls = Json::array();
  for (const PullOrder& pull : orders.pulls) pulls.push_back(pull_json(pull));
  return dump_json({{"revision", orders.revision},
                    {"controller_node_id", orders.controller_node_id},
                    {"node_name", orders.node_name},
                    {"schedulable", orders.schedulable},
                    {"services", std::move(services)},
                    {"tasks", std::move(tasks)},
                    {"stops", std::move(stops)},
                    {"pulls", std::move(pulls)},
                    {"known", orders.known},
                    {"recorded", orders.recorded}});
}

Result<NodeOrders> decode_orders(std::string_view text) {
  HIVE_ASSIGN(const Json json, parse_message(text, "orders"));
  NodeOrders orders;
  std::string fault;
  JsonReader reader(json, "", fault);
  reader.number("revision", orders.revision);
  reader.text("controller_node_id", orders.controller_node_id, 256);
  reader.text("node_name", orders.node_name, 256);
  reader.flag("schedulable", orders.schedulable);
  reader.map("services", orders.services, 10'000, read_service);
  reader.map("tasks", orders.tasks, 20'000, read_task);
  reader.list("stops", orders.stops, 20'000, read_stop_order);
  reader.list("pulls", orders.pulls, 1'000, read_pull_order);
  reader.list("known", orders.known, 20'000, read_text);
  reader.list("recorded", orders.recorded, 20'000, read_text);
  if (!fault.empty()) return fail(Errc::kCorrupt, "orders: " + fault);
  return orders;
}

}  // namespace hive::agent
