#include "controller/order_book.h"

namespace hive::controller {
namespace {

constexpr Milliseconds kTellAgain{1'000};
constexpr std::size_t kMaxOut = 50'000;

}  // namespace

void OrderBook::published(const model::RoutingTable& table, MonotonicTime now) {
  std::map<std::string, InTable> in;
  for (const auto& backend : table.backends)
    for (const auto& endpoint : backend.endpoints) {
      const auto before = in_since_.find(endpoint.task_id);
      in[endpoint.task_id] =
          before == in_since_.end() ? InTable{table.revision, now} : before->second;
    }
  for (const auto& [task, since] : in_since_)
    if (!in.contains(task)) out_since_[task] = table.revision;
  for (const auto& [task, since] : in) out_since_.erase(task);
  // Tasks are named once in a cluster's life: the oldest are of no interest any more.
  while (out_since_.size() > kMaxOut) out_since_.erase(out_since_.begin());
  in_since_ = std::move(in);
}

std::vector<model::StopRecord> OrderBook::heard(const agent::Report& report, MonotonicTime now) {
  std::vector<model::StopRecord> ended;
  std::map<std::string, Heard> current;
  auto& before = stops_heard_[report.node_id];
  for (const model::StopRecord& stop : report.stops) {
    const auto known = before.find(stop.container_id);
    Heard heard = known == before.end() ? Heard{now, false} : known->second;
    if (stop.step == model::StopStep::kDone && !heard.recorded) {
      ended.push_back(stop);
      heard.recorded = true;
    }
    current[stop.container_id] = heard;
  }
  before = std::move(current);
  return ended;
}

std::optional<agent::NodeOrders> OrderBook::due(const std::string& node_id,
                                                const model::Snapshot& snapshot,
                                                const model::RoutingTable& table,
                                                const std::map<std::string, AgentSight>& agents,
                                                MonotonicTime now) {
  const OrdersInput input{
      snapshot,  table,
      agents,    out_since_,
      in_since_, now,
      floors_,   stops_,
      awaiting_, [this](const model::Service& service) {
        return policies_.of(service); }};
  agent::NodeOrders orders = orders_of(input, node_id);
  if (const auto pulls = pulls_.find(node_id); pulls != pulls_.end()) orders.pulls = pulls->second;
  const auto agent = agents.find(node_id);
  bool stopping = agent != agents.end() && agent->second.report.departs_in_ms > 0;
  for (const auto& [container, heard] : stops_heard_[node_id]) {
    stopping = stopping || !heard.recorded;
    if (heard.at < snapshot.taken_at) orders.known.push_back(container);
    if (heard.recorded) orders.recorded.push_back(container);
  }
  Told& told = told_[node_id];
  orders.revision = told.orders.revision;
  const bool same = told.orders == orders && told.at != MonotonicTime{};
  if (same && !(stopping && now - told.at >= kTellAgain)) return std::nullopt;
  ++orders.revision;
  told = {orders, now};
  return orders;
}

}  // namespace hive::controller
