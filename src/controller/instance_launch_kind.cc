#include "controller/instance_launch_kind.h"

#include <algorithm>

#include "controller/kind_base.h"
#include "controller/launch_part.h"

namespace hive::controller {
namespace {

class InstanceLaunchKind final : public OperationKind {
 public:
  std::string_view name() const override { return kInstanceLaunch; }

  Result<Json> check(const Json& request, const World& world) const override {
    if (!world.cloud)
      return fail(Errc::kUnavailable,
                  "the cloud does not answer this controller, or there is none");
    if (world.cloud->group)
      return fail(Errc::kFailedPrecondition,
                  "the cloud names its machines itself: 'workers_grow' makes its group larger");
    const auto max = json_int(request, "max");
    if (max > 0 && count_workers(world.cloud->instances) >= max)
      return fail(Errc::kFailedPrecondition,
                  "there are as many workers as x-hive.workers.max allows: " + std::to_string(max));
    std::string name = json_string(request, "name");
    if (name.empty()) name = free_worker_name(world, {});
    if (instance_named(world, name) != nullptr)
      return fail(Errc::kAlreadyExists, "there is an instance " + name + " already");
    const auto timeout = json_int(request, "timeout_ms", kJoinTimeoutMs);
    if (timeout <= 0) return fail(Errc::kInvalidArgument, "'timeout_ms' must be more than 0");
    return Json{{"name", name},
                {"max", max},
                {"timeout_ms", timeout},
                {"autoscaler", json_bool(request, "autoscaler")},
                {"replaces", json_string(request, "replaces")},
                {"attempt", json_int(request, "attempt")},
                {"reason", json_string(request, "reason", "it was asked for")}};
  }
  std::string subject(const Json& request, const World&) const override {
    return "instance " + json_string(request, "name");
  }
  std::vector<std::string> claims(const OperationRecord& record) const override {
    return {"instance:" + json_string(record.request, "name")};
  }
  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state = record.state.is_null() ? Json{{"attempt", 1}} : record.state;
    launch_part({.record = record,
                 .input = input,
                 .name = json_string(record.request, "name"),
                 .role = model::Role::kWorker,
                 .reason = json_string(record.request, "reason"),
                 .timeout_ms = json_int(record.request, "timeout_ms", kJoinTimeoutMs),
                 .max_workers = static_cast<int>(json_int(record.request, "max")),
                 .token = record.id},
                out);
    return out;
  }
};

}  // namespace

std::unique_ptr<OperationKind> make_instance_launch_kind() {
  return std::make_unique<InstanceLaunchKind>();
}

std::string free_worker_name(const World& world, const std::set<std::string>& taken) {
  std::set<std::string> names = taken;
  for (const auto& [id, node] : world.snapshot.nodes) names.insert(node.hostname);
  if (world.cloud)
    for (const auto& instance : world.cloud->instances) names.insert(instance.hostname);
  for (int number = 1;; ++number)
    if (auto name = world.settings.name + "-worker-" + std::to_string(number);
        !names.contains(name))
      return name;
}

}  // namespace hive::controller
