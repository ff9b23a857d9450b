// The part of an operation that empties a node: no new tasks, out of the cloud's balancer, every
// service's tasks moved away (move_part.h), and then Swarm's own drain for what is left there.
// A node that somebody else set to drain is emptied the same way, while its stops are held.
#pragma once

#include <string>
#include <vector>

#include "controller/operation.h"

namespace hive::controller {

struct DrainAsk {
  const OperationRecord& record;
  const OperationInput& input;
  std::string node_id;
  std::string reason;
  std::int64_t deadline_unix_ms = 0;  // then Swarm's drain takes what is still there
};

// Adds to the step; `state` is this part's own, null at first. True when nothing of a task is left
// on the node and the cloud's balancer sends it nothing, or the node does not answer at all.
bool drain_part(const DrainAsk& ask, Json& state, OperationStep& step);

// Puts back what a drain that was cancelled has changed; true when it is done.
bool undrain_part(const DrainAsk& ask, Json& state, OperationStep& step);

// "moved 3 tasks of 2 services": what was done, for the result.
std::string drained_what(const Json& state);

// Services and nodes that the part holds, from its state.
std::vector<std::string> drain_claims(const Json& state);

// The service's replicas without those that the drain in this operation's state has put on top.
std::uint64_t replicas_before_surge(const Json& operation_state, const model::Service& service);

// The cloud's instance that the node runs on; null without a cloud or a match.
const cloud::Instance* instance_of(const World& world, const model::Node& node);
// The node that runs on the instance, one of the world's cloud; null when none does.
const model::Node* node_of(const World& world, const cloud::Instance& instance);
// A node that Swarm calls ready runs on it.
bool has_ready_node(const World& world, const cloud::Instance& instance);

OperationAction register_action(const cloud::Instance& instance, std::string reason);

// Tasks that Swarm has told to stop since the node drains, and that still run there.
bool drains_by_swarm(const model::Snapshot& snapshot, const std::string& node_id);

}  // namespace hive::controller
