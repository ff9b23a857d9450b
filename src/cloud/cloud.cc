#include "cloud/cloud.h"

namespace hive::cloud {

std::string_view to_string(InstanceState state) {
  switch (state) {
    case InstanceState::kPending:
      return "pending";
    case InstanceState::kRunning:
      return "running";
    case InstanceState::kStopped:
      return "stopped";
    case InstanceState::kTerminated:
      return "terminated";
  }
  return "unknown";
}

Status Cloud::release_hold(const Instance&) {
  return fail(Errc::kUnsupported, "this cloud holds no instances");
}
Status Cloud::keep_hold(const Instance&) {
  return fail(Errc::kUnsupported, "this cloud holds no instances");
}
Status Cloud::give_up_hold(const Instance&) {
  return fail(Errc::kUnsupported, "this cloud holds no instances");
}

Result<WorkerGroup> Cloud::worker_group() {
  return fail(Errc::kUnsupported, "this cloud keeps no group of workers");
}
Status Cloud::raise_workers(int) {
  return fail(Errc::kUnsupported, "this cloud keeps no group of workers");
}
Status Cloud::forgo_workers() {
  return fail(Errc::kUnsupported, "this cloud keeps no group of workers");
}

Result<BalancerFigures> Cloud::balancer_figures(const std::set<BalancerFigure>&) {
  return fail(Errc::kUnsupported,
              "this cluster's balancer measures nothing by itself: CloudWatch is AWS's");
}

std::string_view to_string(TargetHealth health) {
  switch (health) {
    case TargetHealth::kInitial:
      return "initial";
    case TargetHealth::kInService:
      return "in-service";
    case TargetHealth::kOutOfService:
      return "out-of-service";
    case TargetHealth::kDraining:
      return "draining";
  }
  return "unknown";
}

}  // namespace hive::cloud
