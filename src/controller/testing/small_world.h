// A world for tests of operations' kinds: three nodes, a service of three tasks whose stops are
// held, an agent on each node, a cloud with a balancer. Tests change it by hand, as Swarm would.
#pragma once

#include <string>
#include <vector>

#include "controller/operation.h"
#include "decide/placement/exact_shrink.h"

namespace hive::controller::testing {

class SmallWorld {
 public:
  SmallWorld() {
    for (const char* id : {"a", "b", "c"}) {
      model::Node& node = world.snapshot.nodes[id];
      node.id = id;
      node.hostname = std::string("shop-") + id;
      node.state = model::NodeState::kReady;
      node.address = std::string("10.0.0.") + id;
      world.reports[id].node_id = id;
    }
    model::Service& web = world.snapshot.services["s"];
    web.id = "s";
    web.name = "shop_web";
    web.replicas = 3;
    web.start_first = true;
    for (const char* id : {"a", "b", "c"}) add_task(1 + (id[0] - 'a'), id);
    world.now_unix_ms = 1'000'000;
  }

  model::Service& web() { return world.snapshot.services.at("s"); }
  model::Node& node(const std::string& id) { return world.snapshot.nodes.at(id); }
  model::Task& task(std::int64_t slot) { return world.snapshot.tasks.at(task_id(slot)); }
  static std::string task_id(std::int64_t slot) { return "task-" + std::to_string(slot) + "-0"; }

  model::Task& add_task(std::int64_t slot, const std::string& node, const std::string& id = "") {
    model::Task& out = world.snapshot.tasks[id.empty() ? task_id(slot) : id];
    out.id = id.empty() ? task_id(slot) : id;
    out.service_id = "s";
    out.node_id = node;
    out.slot = slot;
    out.state = out.desired = model::TaskState::kRunning;
    out.created_unix_ms = 1'000 + slot;
    if (!node.empty())
      world.reports[node].containers.push_back({out.id, "c" + out.id, "running", "", "armed", {}});
    return out;
  }
  // Its container ended; Swarm plans another, and has found no node for it for a while.
  void replaced(std::int64_t slot) {
    model::Task& old = task(slot);
    old.state = model::TaskState::kComplete;
    old.desired = model::TaskState::kShutdown;
    forget(old);
    model::Task& next = add_task(slot, "", "task-" + std::to_string(slot) + "-1");
    next.state = next.desired = model::TaskState::kReady;
    next.created_unix_ms = world.now_unix_ms - decide::placement::kPlacingMs;
  }
  void removed(std::int64_t slot) {
    for (auto& [id, one] : world.snapshot.tasks)
      if (one.slot == slot) one.desired = model::TaskState::kRemove;
  }
  void with_cloud() {
    CloudLook look;
    look.has_balancer = true;
    for (const auto& [id, node] : world.snapshot.nodes) {
      cloud::Instance instance;
      instance.id = "i-" + id;
      instance.hostname = node.hostname;
      instance.address = node.address;
      instance.state = cloud::InstanceState::kRunning;
      look.instances.push_back(instance);
      look.balancer.targets.push_back({"i-" + id, cloud::TargetHealth::kInService, 0, ""});
    }
    world.cloud = std::move(look);
  }

  World world;

 private:
  void forget(const model::Task& task) {
    auto& containers = world.reports[task.node_id].containers;
    std::erase_if(containers, [&](const auto& one) { return one.task_id == task.id; });
  }
};

// An operation of one kind, stepped by hand: its state goes from one step to the next.
class Stepped {
 public:
  Stepped(std::unique_ptr<OperationKind> kind, World& world)
      : kind_(std::move(kind)), world_(world) {}
  Status begin(const Json& request) {
    HIVE_ASSIGN(record.request, kind_->check(request, world_));
    record.kind = kind_->name();
    record.subject = kind_->subject(record.request, world_);
    record.created_unix_ms = world_.now_unix_ms;
    record.by = "root";
    return {};
  }
  const OperationStep& step() {
    const OperationInput input{world_, std::nullopt, [](const std::string&) { return ""; }};
    last = kind_->step(record, input);
    record.state = last.state;
    return last;
  }
  std::vector<std::string> actions() const {
    std::vector<std::string> out;
    for (const auto& action : last.actions) out.push_back(action.what);
    return out;
  }
  std::vector<std::string> stops() const {
    std::vector<std::string> out;
    for (const auto& stop : last.stops) out.push_back(stop.task_id);
    return out;
  }
  std::vector<std::string> claims() const { return kind_->claims(record); }
  const OperationKind& kind() const { return *kind_; }

  OperationRecord record;
  OperationStep last;

 private:
  std::unique_ptr<OperationKind> kind_;
  World& world_;
};

}  // namespace hive::controller::testing
