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
  Status join(const std::string& id, const SwarmPlace& place) override {
    return to_.join(id, place);
  }
  Status ensure_balancer(const BalancerSpec& spec) override { return to_.ensure_balancer(spec); }
  Status register_instance(const std::string& id) override { return to_.register_instance(id); }
  Status deregister_instance(const std::string& id) override { return to_.deregister_instance(id); }
  Result<BalancerStatus> balancer() override { return to_.balancer(); }

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

Result<Instance> FakeCloud::launch(const LaunchRequest& request) {
  if (const auto known = tokens_.find(request.idempotency_token); known != tokens_.end())
    if (const Instance* there = find(known->second)) return *there;
  if (!fail_launches.empty()) {
    Error error = fail_launches.front();
    fail_launches.pop_front();
    return tl::unexpected(std::move(error));
  }
  for (const auto& one : instances)
    if (one.hostname == request.hostname)
      return fail(Errc::kAlreadyExists, "there is an instance of that name");
  const Instance made = add(request.hostname, request.role);
  tokens_[request.idempotency_token] = made.id;
  launches.push_back(request);
  if (starts_hung) hung.insert(made.id);
  return made;
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
  const Instance* one = find(id);
  if (one == nullptr) return {};
  if (on_terminate) on_terminate(*one);
  ++terminations;
  std::erase_if(status.targets, [&](const auto& target) { return target.instance_id == id; });
  std::erase_if(instances, [&](const Instance& each) { return each.id == id; });
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
  status.targets.push_back({id, TargetHealth::kInService, 0, ""});
  return {};
}

Status FakeCloud::deregister_instance(const std::string& id) {
  HIVE_TRY(other());
  std::erase_if(status.targets, [&](const auto& target) { return target.instance_id == id; });
  return {};
}

}  // namespace hive::cloud::fake
