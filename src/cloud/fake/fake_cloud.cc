#include "cloud/fake/fake_cloud.h"

#include <algorithm>

namespace hive::cloud::fake {
namespace {

class Client final : public Cloud {
 public:
  explicit Client(Cloud& to) : to_(to) {}
  Result<Instance> launch(const LaunchRequest& request) override { return to_.launch(request); }
  Result<std::vector<Instance>> list_instances() override { return to_.list_instances(); }
  Status start(const std::string& id) override { return to_.start(id); }
  Status stop(const std::string& id) override { return to_.stop(id); }
  Status terminate(const std::string& id) override { return to_.terminate(id); }
  Status power_off(const std::string& id) override { return to_.power_off(id); }
  Result<std::string> console_output(const std::string& id, std::size_t most) override {
    return to_.console_output(id, most);
  }
  Status release_hold(const Instance& one) override { return to_.release_hold(one); }
  Status keep_hold(const Instance& one) override { return to_.keep_hold(one); }
  Status give_up_hold(const Instance& one) override { return to_.give_up_hold(one); }
  Result<WorkerGroup> worker_group() override { return to_.worker_group(); }
  Status raise_workers(int to) override { return to_.raise_workers(to); }
  Status forgo_workers() override { return to_.forgo_workers(); }
  Status join(const std::string& id, const SwarmPlace& place) override {
    return to_.join(id, place);
  }
  Status ensure_balancer(const BalancerSpec& spec) override { return to_.ensure_balancer(spec); }
  Status register_instance(const std::string& id) override { return to_.register_instance(id); }
  Status deregister_instance(const std::string& id) override { return to_.deregister_instance(id); }
  Result<BalancerStatus> balancer() override { return to_.balancer(); }
  Result<BalancerFigures> balancer_figures(const std::set<BalancerFigure>& which) override {
    return to_.balancer_figures(which);
  }

 private:
  Cloud& to_;
};

}  // namespace

std::unique_ptr<Cloud> FakeCloud::client() { return std::make_unique<Client>(*this); }

Instance* FakeCloud::find(const std::string& id) {
  for (auto& one : instances)
    if (one.id == id) return &one;
  return nullptr;
}

Status FakeCloud::other() {
  if (fail_others.empty()) return {};
  Error error = fail_others.front();
  fail_others.pop_front();
  return tl::unexpected(std::move(error));
}

Result<BalancerFigures> FakeCloud::balancer_figures(const std::set<BalancerFigure>& which) {
  HIVE_TRY(other());
  if (!figures) return Cloud::balancer_figures(which);
  figures_asked.push_back(which);
  BalancerFigures out;
  for (const auto one : which) {
    const auto found = figures->find(one);
    out[one] = found == figures->end() ? Measured{.trouble = "it was not measured"} : found->second;
  }
  return out;
}

Instance& FakeCloud::add(const std::string& hostname, const std::string& role) {
  Instance one;
  one.id = "i-" + std::to_string(++made_);
  one.hostname = hostname;
  one.role = role;
  one.address = "10.0.0." + std::to_string(made_);
  one.state = InstanceState::kRunning;
  one.launched_unix_ms = made_;
  instances.push_back(one);
  return instances.back();
}

void FakeCloud::boot() {
  for (const auto& one : instances)
    if (!hung.contains(one.id)) booted_.insert(one.id);
}

void FakeCloud::die(const std::string& id) {
  std::erase_if(status.targets, [&](const auto& target) { return target.instance_id == id; });
  std::erase_if(instances, [&](const Instance& each) { return each.id == id; });
}

Result<Instance> FakeCloud::launch(const LaunchRequest& request) {
  if (group && request.role == "worker")
    return fail(Errc::kUnsupported, "this cloud names its machines itself");
  if (const auto known = tokens_.find(request.idempotency_token); known != tokens_.end()) {
    if (const Instance* there = find(known->second)) return *there;
    return fail(Errc::kConflict, "what this token made has ended");
  }
  if (!fail_launches.empty()) {
    Error error = fail_launches.front();
    fail_launches.pop_front();
    return tl::unexpected(std::move(error));
  }
  for (const auto& one : instances)
    if (one.hostname == request.hostname && !unlisted_.contains(one.id))
      return fail(Errc::kAlreadyExists, "there is an instance of that name");
  Instance made = add(request.hostname, request.role);
  tokens_[request.idempotency_token] = made.id;
  launches.push_back(request);
  if (starts_hung) hung.insert(made.id);
  if (lists_late) unlisted_.insert(made.id);
  if (lost_answers > 0) {
    --lost_answers;
    return fail(Errc::kDeadlineExceeded, "no answer");
  }
  made.detour = detour;
  return made;
}

Result<std::vector<Instance>> FakeCloud::list_instances() {
  std::vector<Instance> out;
  for (const auto& one : instances)
    if (!unlisted_.contains(one.id)) out.push_back(one);
  return out;
}

Status FakeCloud::start(const std::string& id) {
  HIVE_TRY(other());
  Instance* one = find(id);
  if (one == nullptr) return fail(Errc::kNotFound, "there is no instance " + id);
  one->state = InstanceState::kRunning;
  return {};
}

Status FakeCloud::stop(const std::string& id) {
  HIVE_TRY(other());
  Instance* one = find(id);
  if (one == nullptr) return fail(Errc::kNotFound, "there is no instance " + id);
  one->state = InstanceState::kStopped;
  return {};
}

Status FakeCloud::terminate(const std::string& id) {
  HIVE_TRY(other());
  Instance* one = find(id);
  if (one == nullptr || one->membership == Membership::kEnding) return {};
  if (one->membership == Membership::kNone) return end(id);
  if (group->desired > group->min) --group->desired;
  one->membership = Membership::kEnding;
  one->hold = Hold::kEnding;
  std::erase_if(status.targets, [&](const auto& target) { return target.instance_id == id; });
  return {};
}

Status FakeCloud::end(const std::string& id) {
  const Instance* one = find(id);
  if (on_terminate) on_terminate(*one);
  ++terminations;
  die(id);
  return {};
}

// --- its group

int FakeCloud::counted() const {
  return static_cast<int>(
      std::count_if(instances.begin(), instances.end(), [](const Instance& one) {
        return one.membership == Membership::kComing || one.membership == Membership::kServing;
      }));
}

Status FakeCloud::need_group() const {
  if (group) return {};
  return fail(Errc::kUnsupported, "this cloud keeps no group");
}

void FakeCloud::fit() {
  while (counted() < group->desired && !no_capacity) {
    Instance& made = add("", "worker");
    made.hostname = "shop-worker-" + made.id;
    made.membership = Membership::kComing;
    made.hold = Hold::kLaunching;
    if (starts_hung) hung.insert(made.id);
  }
  group->shortage = counted() < group->desired ? "no m5.large is left" : "";
  // A list of its own: whoever is told may look at the instances.
  for (const Instance& one : std::vector<Instance>(instances))
    if (one.hold == Hold::kLaunching && booted_.contains(one.id) && joined_.insert(one.id).second &&
        on_join)
      on_join(one, {});
}

Result<WorkerGroup> FakeCloud::worker_group() {
  HIVE_TRY(need_group());
  WorkerGroup out = *group;
  if (counted() >= out.desired) out.shortage.clear();
  return out;
}

Status FakeCloud::raise_workers(int to) {
  HIVE_TRY(need_group());
  if (!fail_launches.empty()) {
    Error error = fail_launches.front();
    fail_launches.pop_front();
    return tl::unexpected(std::move(error));
  }
  if (group->desired >= to) return {};
  if (to > group->max) return fail(Errc::kFailedPrecondition, "the group takes no more");
  group->desired = to;
  raises.push_back(to);
  return {};
}

Status FakeCloud::forgo_workers() {
  HIVE_TRY(need_group());
  HIVE_TRY(other());
  group->desired = std::min(group->desired, std::max(counted(), group->min));
  return {};
}

Status FakeCloud::release_hold(const Instance& instance) {
  HIVE_TRY(need_group());
  HIVE_TRY(other());
  Instance* one = find(instance.id);
  if (one == nullptr || one->hold != instance.hold || one->hold == Hold::kNone) return {};
  if (one->hold == Hold::kEnding) return end(one->id);
  one->hold = Hold::kNone;
  one->membership = Membership::kServing;
  status.targets.push_back({one->id, TargetHealth::kInService, 0, ""});
  return {};
}

Status FakeCloud::keep_hold(const Instance&) {
  HIVE_TRY(need_group());
  return other();
}

Status FakeCloud::give_up_hold(const Instance& instance) {
  HIVE_TRY(need_group());
  HIVE_TRY(other());
  Instance* one = find(instance.id);
  if (one == nullptr || one->hold != Hold::kLaunching) return {};
  one->membership = Membership::kEnding;
  one->hold = Hold::kEnding;
  ++given_up;
  return {};
}

Status FakeCloud::join(const std::string& id, const SwarmPlace& place) {
  HIVE_TRY(other());
  const Instance* one = find(id);
  if (one == nullptr) return fail(Errc::kNotFound, "there is no instance " + id);
  if (!booted_.contains(id)) return fail(Errc::kUnavailable, "its engine does not answer yet");
  if (joined_.insert(id).second && on_join) on_join(*one, place);
  return {};
}

Status FakeCloud::register_instance(const std::string& id) {
  HIVE_TRY(other());
  if (find(id) == nullptr) return fail(Errc::kNotFound, "there is no instance " + id);
  std::erase_if(status.targets, [&](const auto& target) { return target.instance_id == id; });
  status.targets.push_back({id, TargetHealth::kInService, 0, ""});
  return {};
}

Status FakeCloud::deregister_instance(const std::string& id) {
  HIVE_TRY(other());
  std::erase_if(status.targets, [&](const auto& target) { return target.instance_id == id; });
  return {};
}

}  // namespace hive::cloud::fake
