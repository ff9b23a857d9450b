#include "controller/instance_ready_kind.h"

#include <algorithm>

#include "base/text.h"
#include "controller/drain_part.h"
#include "controller/kind_base.h"
#include "controller/launch_part.h"
#include "controller/node_images.h"

namespace hive::controller {
namespace {

const cloud::Instance* instance_in(const World& world, const std::string& id) {
  if (world.cloud)
    for (const auto& one : world.cloud->instances)
      if (one.id == id) return &one;
  return nullptr;
}

OperationAction give_up_action(const cloud::Instance& instance, const std::string& why) {
  return {"give up " + instance.hostname, why, [held = instance](Outside& outside) -> Status {
            HIVE_ASSIGN(const auto nodes, outside.engine.list_nodes());
            // What is ready has tasks a moment later.
            for (const auto& node : nodes)
              if (node.hostname == held.hostname && node.state == model::NodeState::kReady)
                return {};
            HIVE_ASSIGN(const auto cloud, outside.cloud());
            return cloud->give_up_hold(held);
          }};
}

// What it still lacks but images; empty when it can serve.
std::string lacks(const World& world, const cloud::Instance& instance) {
  const auto* node = node_of(world, instance);
  if (node == nullptr) return "until it has joined the Swarm";
  if (node->state != model::NodeState::kReady) return "until its node is ready";
  return world.reports.contains(node->id) ? "" : "until its agent reports";
}

// True when its images are there, or are not waited for any longer.
bool has_images(const World& world, const model::Node& node, OperationStep& out) {
  if (json_bool(out.state, "images")) return true;
  const agent::Report& report = world.reports.at(node.id);
  const auto images = images_for(world.snapshot, node);
  if (!report.pulls_images && !images.empty())
    out.notes.emplace_back("its agent is of an older version: it fetches no images beforehand");
  const ImagesSight sight = report.pulls_images ? look_at_images(images, report) : ImagesSight{};
  if (!out.state.contains("images_since_unix_ms"))
    out.state["images_since_unix_ms"] = world.now_unix_ms;
  const auto waited = world.now_unix_ms - json_int(out.state, "images_since_unix_ms");
  if (!sight.missing.empty() && waited < kImagesMs) {
    out.pulls[node.id] = images;
    out.progress.doing = "waits for images: " + join(sight.missing, ", ");
    out.progress.of = images.size();
    out.progress.done = images.size() - sight.missing.size();
    return false;
  }
  for (const auto& one : sight.given_up)
    out.notes.push_back("it serves without an image that it could not fetch: " + one);
  if (!sight.missing.empty())
    out.notes.push_back("it serves without images that it has not fetched in " +
                        format_duration(Milliseconds(kImagesMs)) + ": " +
                        join(sight.missing, ", "));
  out.state["images"] = true;
  return true;
}

class InstanceReadyKind final : public OperationKind {
 public:
  std::string_view name() const override { return "instance_ready"; }

  Result<Json> check(const Json& request, const World& world) const override {
    const auto* instance = instance_in(world, json_string(request, "instance"));
    if (instance == nullptr || instance->hold != cloud::Hold::kLaunching)
      return fail(Errc::kFailedPrecondition,
                  "the cloud holds no new instance '" + json_string(request, "instance") + "'");
    return Json{{"instance", instance->id}, {"name", instance->hostname}};
  }
  std::string subject(const Json& request, const World&) const override {
    return "instance " + json_string(request, "name");
  }
  std::vector<std::string> claims(const OperationRecord& record) const override {
    return {"ready:" + json_string(record.request, "instance")};
  }

  std::vector<OperationRequest> propose(const World& world,
                                        const std::vector<OperationRecord>&) const override {
    std::vector<OperationRequest> out;
    if (!world.cloud) return out;
    for (const auto& instance : world.cloud->instances)
      if (instance.hold == cloud::Hold::kLaunching)
        out.push_back(
            {"ready-" + instance.id, std::string(name()), "hive", Json{{"instance", instance.id}}});
    return out;
  }

  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state = record.state.is_null() ? Json::object() : record.state;
    if (record.cancelled) return end_step(out, OperationOutcome::kCancelled, "asked to end");
    out.progress.doing = "waits for the cloud's word";
    if (!input.world.cloud) return out;
    const auto* instance = instance_in(input.world, json_string(record.request, "instance"));
    if (instance == nullptr || instance->membership == cloud::Membership::kEnding)
      return end_step(out, OperationOutcome::kFailed, "it ended before it could serve");
    if (instance->hold != cloud::Hold::kLaunching)
      return end_step(out, OperationOutcome::kSucceeded, "in service");
    if (const auto what = lacks(input.world, *instance); !what.empty()) {
      out.progress.doing = "waits " + what;
      const auto most = std::max(kLeastJoinMs, input.world.settings.workers.join_timeout_ms);
      const bool late = input.world.now_unix_ms - record.created_unix_ms > most &&
                        !has_ready_node(input.world, *instance);
      const auto given_up_at = json_int(out.state, "given_up_unix_ms");
      if (!late || (!input.failure && input.world.now_unix_ms - given_up_at < kCloudTellsMs))
        return out;
      out.state["given_up_unix_ms"] = input.world.now_unix_ms;
      out.actions.push_back(give_up_action(*instance, "it is no ready node in time"));
      return out;
    }
    if (!has_images(input.world, *node_of(input.world, *instance), out)) return out;
    out.progress.doing = "the cloud puts it into service";
    const auto told_at = json_int(out.state, "told_unix_ms");
    if (!input.failure && input.world.now_unix_ms - told_at < kCloudTellsMs) return out;
    out.state["told_unix_ms"] = input.world.now_unix_ms;
    out.actions.push_back({"put " + instance->hostname + " into service",
                           "its node is ready, its agent reports, and its images are there",
                           [held = *instance](Outside& outside) -> Status {
                             HIVE_ASSIGN(const auto cloud, outside.cloud());
                             return cloud->release_hold(held);
                           }});
    return out;
  }
};

}  // namespace

std::unique_ptr<OperationKind> make_instance_ready_kind() {
  return std::make_unique<InstanceReadyKind>();
}

}  // namespace hive::controller
