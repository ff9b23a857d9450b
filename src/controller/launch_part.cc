#include "controller/launch_part.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "controller/cloud_retry.h"
#include "controller/drain_part.h"
#include "controller/kind_base.h"
#include "controller/node_leave_part.h"

namespace hive::controller {
namespace {

constexpr std::int64_t kJoinAgainMs = 1'000;   // while the engine does not answer yet
constexpr std::int64_t kJoinTakesMs = 30'000;  // until a node that was let in is asked again
constexpr std::int64_t kEndAgainMs = 5'000;
constexpr std::int64_t kRegisterAgainMs = 5'000;
constexpr std::int64_t kRegisterMs = 60'000;
constexpr std::int64_t kPauseMs = 2'500;  // doubled for each attempt

// A manager of that name that is down, and whose machine is none any more.
const model::Node* fallen(const World& world, const std::string& name) {
  for (const auto& [id, node] : world.snapshot.nodes)
    if (node.hostname == name && node.state == model::NodeState::kDown) return &node;
  return nullptr;
}

std::vector<std::string> manager_addresses(const model::Snapshot& snapshot) {
  std::vector<std::string> out;
  for (const auto& [id, node] : snapshot.nodes)
    if (node.role == model::Role::kManager && node.state == model::NodeState::kReady)
      if (const auto address = reachable_address(node); !address.empty())
        out.push_back(address + ":2377");
  return out;
}

struct Launch {
  const LaunchAsk& ask;
  OperationStep& out;
  const OperationRecord& record = ask.record;
  const OperationInput& input = ask.input;
  const World& world = input.world;
  const std::string& name = ask.name;
  const bool manager = ask.role == model::Role::kManager;

  std::int64_t now() const { return world.now_unix_ms; }
  std::int64_t at(const char* key) const { return json_int(out.state, key); }
  bool failed_to(const char* what) const {
    return input.failure && input.failure->what.starts_with(what);
  }

  void run() {
    out.look_again = kNodesLookAgain;
    if (!world.cloud) {
      out.progress.doing = "waits for the cloud's word";
      return;
    }
    const auto* instance = instance_named(world, name);
    const auto* node = instance == nullptr ? nullptr : node_of(world, *instance);
    if (node != nullptr && node->state == model::NodeState::kReady) return joined(*instance, *node);
    if (instance != nullptr) out.state["seen"] = true;
    if (json_bool(out.state, "ending") || record.cancelled) return clear_away(instance, node);
    if (instance == nullptr) return start();
    if (instance->state == cloud::InstanceState::kStopped)
      return give_up_on(instance, node, "it stopped while it booted");
    if (now() - at("since_unix_ms") > ask.timeout_ms)
      return give_up_on(
          instance, node,
          "it is no ready node after " + took(now() - at("since_unix_ms")) +
              (json_string(out.state, "why").empty() ? "" : ": " + json_string(out.state, "why")));
    join(*instance);
  }

  // --- the instance
  void start() {
    if (const auto* left = manager ? fallen(world, name) : nullptr; left != nullptr) {
      (void)node_leave_part(world, left->id, "its machine is gone", out);
      return;
    }
    if (json_bool(out.state, "seen")) {
      out.notes.emplace_back("its machine is gone before it was a ready node");
      return next_attempt("it is gone");
    }
    if (failed_to("start")) {
      if (input.failure->error.code == Errc::kConflict)
        return next_attempt(input.failure->error.message);
      if (!ask_cloud_again(record, input.failure->error, now(), out)) return;
    }
    if (out.state.contains("retry_unix_ms") && now() < at("retry_unix_ms")) {
      out.progress.doing = "waits to ask the cloud again: " + json_string(out.state, "why");
      return;
    }
    out.progress.doing = "the cloud starts it";
    const bool asked = at("asked_unix_ms") > 0 && !out.state.contains("retry_unix_ms");
    if (asked && now() - at("asked_unix_ms") < kCloudTellsMs) return;
    out.state.erase("retry_unix_ms");
    if (!out.state.contains("asking_unix_ms")) out.state["asking_unix_ms"] = now();
    out.state["asked_unix_ms"] = now();
    out.state["since_unix_ms"] = now();
    out.actions.push_back({"start instance " + name, ask.reason, start_action()});
  }

  std::function<Status(Outside&)> start_action() const {
    cloud::LaunchRequest request{
        .role = manager ? "manager" : "worker",
        .hostname = name,
        .user_data = "",
        .standard_user_data = true,
        .idempotency_token = ask.token + "-" + std::to_string(at("attempt"))};
    return [request = std::move(request), max = ask.max_workers](Outside& outside) -> Status {
      HIVE_ASSIGN(const auto cloud, outside.cloud());
      return request.role == "manager" ? start_manager(*cloud, request, outside.tell)
                                       : start_worker(*cloud, request, max);
    };
  }

  // Looked at again here, since the bound counts more than the look that the step was made of.
  static Status start_worker(cloud::Cloud& cloud, const cloud::LaunchRequest& request, int max) {
    HIVE_ASSIGN(const auto instances, cloud.list_instances());
    const bool there = std::any_of(instances.begin(), instances.end(), [&](const auto& one) {
      return one.hostname == request.hostname;
    });
    if (!there && max > 0 && count_workers(instances) >= max)
      return fail(Errc::kFailedPrecondition,
                  "there are as many workers as x-hive.workers.max allows: " + std::to_string(max));
    HIVE_TRY(cloud.launch(request));
    return {};
  }

  // One that somebody else has just launched by that name does as well.
  static Status start_manager(cloud::Cloud& cloud, const cloud::LaunchRequest& request,
                              const std::function<void(const std::string&)>& tell) {
    const auto launched = cloud.launch(request);
    if (launched) {
      if (!launched->detour.empty()) tell(launched->detour);
      return {};
    }
    if (launched.error().code != Errc::kAlreadyExists) return tl::unexpected(launched.error());
    return {};
  }

  // --- the node
  void join(const cloud::Instance& instance) {
    out.progress.doing = "waits until it has booted";
    if (failed_to("let")) {
      out.state["why"] = input.failure->error.message;
      out.state.erase("let_in_unix_ms");
      out.state["join_unix_ms"] = now();
      return;
    }
    if (out.state.contains("let_in_unix_ms")) out.progress.doing = "waits until it is ready";
    const auto pause = out.state.contains("let_in_unix_ms") ? kJoinTakesMs : kJoinAgainMs;
    if (now() - at("join_unix_ms") < pause) return;
    out.state["join_unix_ms"] = now();
    out.state["let_in_unix_ms"] = now();
    out.actions.push_back(
        {"let " + name + " join", "its engine answers",
         [id = instance.id, manager = manager,
          managers = manager_addresses(world.snapshot)](Outside& outside) -> Status {
           HIVE_ASSIGN(const auto tokens, outside.engine.join_tokens());
           HIVE_ASSIGN(const auto cloud, outside.cloud());
           return cloud->join(id, {manager ? tokens.manager : tokens.worker, managers});
         }});
  }

  // It is a node; what is left is the cloud's balancer, which is no reason to end it.
  void joined(const cloud::Instance& instance, const model::Node& node) {
    if (!out.state.contains("ready_unix_ms")) out.state["ready_unix_ms"] = now();
    if (manager && node.manager_reachability != "reachable") return wait_until_reachable();
    const bool there = !wants_balancer(instance) || behind_balancer(instance);
    const bool late = now() - at("ready_unix_ms") > kRegisterMs;
    if (there || late) {
      out = end_step(std::move(out), OperationOutcome::kSucceeded,
                     "ready after " + took(at("ready_unix_ms") - at("since_unix_ms")) +
                         (there ? "" : ", but the cloud's balancer does not take it"));
      return;
    }
    out.progress.doing = "the cloud's balancer takes it";
    if (now() - at("registered_unix_ms") < kRegisterAgainMs) return;
    out.state["registered_unix_ms"] = now();
    if (!input.failure) out.actions.push_back(register_action(instance, "it is a ready node"));
  }

  // Ready, it may have tasks: it is not ended.
  void wait_until_reachable() {
    out.progress.doing = "waits until the other managers reach it";
    if (now() - at("ready_unix_ms") > ask.timeout_ms)
      out = end_step(std::move(out), OperationOutcome::kFailed,
                     name + " is a ready node, but no manager that the others reach");
  }

  bool behind_balancer(const cloud::Instance& instance) const {
    const auto& targets = world.cloud->balancer.targets;
    return std::any_of(targets.begin(), targets.end(),
                       [&](const auto& target) { return target.instance_id == instance.id; });
  }
  // A manager, where other managers are behind it.
  bool wants_balancer(const cloud::Instance& instance) const {
    if (!world.cloud->has_balancer || !manager) return world.cloud->has_balancer;
    const auto& all = world.cloud->instances;
    return std::any_of(all.begin(), all.end(), [&](const cloud::Instance& other) {
      return other.role == "manager" && other.id != instance.id && behind_balancer(other);
    });
  }

  // --- one that did not come
  void give_up_on(const cloud::Instance* instance, const model::Node* node,
                  const std::string& why) {
    out.state["ending"] = true;
    out.state["why"] = why;
    out.notes.push_back(why + "; it is ended");
    clear_away(instance, node);
  }

  void clear_away(const cloud::Instance* instance, const model::Node* node) {
    out.progress.doing = "the cloud ends it";
    if (instance == nullptr && !pending_start()) {
      if (record.cancelled) {
        out = end_step(std::move(out), OperationOutcome::kCancelled, "asked to end");
        return;
      }
      return next_attempt(json_string(out.state, "why"));
    }
    if (node != nullptr) {
      (void)node_leave_part(world, node->id, "it never was ready", out);
      return;
    }
    // As often as it takes: one that was left behind would keep its name from all others.
    if (failed_to("end")) {
      out.state["ended_unix_ms"] = now() - kCloudTellsMs + kEndAgainMs;
      return;
    }
    if (instance == nullptr ||
        (out.state.contains("ended_unix_ms") && now() - at("ended_unix_ms") < kCloudTellsMs))
      return;
    out.state["ended_unix_ms"] = now();
    out.actions.push_back({"end instance " + name, json_string(out.state, "why", "asked to end"),
                           [id = instance->id, name = name](Outside& outside) -> Status {
                             HIVE_ASSIGN(const auto nodes, outside.engine.list_nodes());
                             for (const auto& one : nodes)
                               if (one.hostname == name && one.state == model::NodeState::kReady)
                                 return fail(Errc::kConflict, name + " has just joined");
                             HIVE_ASSIGN(const auto cloud, outside.cloud());
                             auto done = cloud->terminate(id);
                             if (!done && done.error().code != Errc::kNotFound) return done;
                             return {};
                           }});
  }

  // A start was asked for, and the cloud's list may not show it yet.
  bool pending_start() const {
    return !json_bool(out.state, "seen") && at("asked_unix_ms") > 0 &&
           !out.state.contains("retry_unix_ms") && now() - at("asked_unix_ms") < kCloudTellsMs;
  }

  void next_attempt(const std::string& why) {
    const auto attempt = at("attempt");
    if (attempt >= kLaunchAttempts) {
      out = end_step(
          std::move(out), OperationOutcome::kFailed,
          std::to_string(attempt) + " instances were started and none became a node: " + why);
      return;
    }
    out.state = Json{
        {"attempt", attempt + 1}, {"why", why}, {"retry_unix_ms", now() + (kPauseMs << attempt)}};
    out.progress.doing = "tries another";
  }
};

}  // namespace

void launch_part(const LaunchAsk& ask, OperationStep& step) { Launch{ask, step}.run(); }

const cloud::Instance* instance_named(const World& world, const std::string& name) {
  for (const auto& instance : world.cloud->instances)
    if (instance.hostname == name) return &instance;
  return nullptr;
}

int count_workers(const std::vector<cloud::Instance>& instances) {
  return static_cast<int>(
      std::count_if(instances.begin(), instances.end(), [](const cloud::Instance& one) {
        return one.role == "worker" && one.state != cloud::InstanceState::kTerminated;
      }));
}

}  // namespace hive::controller
