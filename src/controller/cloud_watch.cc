#include "controller/cloud_watch.h"

#include <algorithm>

#include "base/log.h"

namespace hive::controller {

Result<CloudLook> look_at_cloud(cloud::Cloud& cloud, const Clock& clock) {
  CloudLook out;
  out.taken_at = clock.now();
  HIVE_ASSIGN(out.instances, cloud.list_instances());
  auto group = cloud.worker_group();
  if (group)
    out.group = std::move(*group);
  else if (group.error().code != Errc::kUnsupported)
    return tl::unexpected(group.error());
  auto balancer = cloud.balancer();
  if (balancer) {
    out.has_balancer = true;
    out.balancer = std::move(*balancer);
  } else if (balancer.error().code != Errc::kNotFound) {
    return tl::unexpected(balancer.error());
  }
  return out;
}

Json balancer_json(const std::optional<CloudLook>& look) {
  if (!look || !look->has_balancer) return {{"known", false}};
  const cloud::BalancerStatus& balancer = look->balancer;
  Json listeners = Json::array();
  for (const auto& one : balancer.spec.listeners)
    listeners.push_back({{"port", one.port},
                         {"instance_port", one.instance_port},
                         {"mode", one.mode},
                         {"certificate", one.certificate_pem}});
  Json targets = Json::array();
  for (const auto& one : balancer.targets) {
    const auto instance =
        std::find_if(look->instances.begin(), look->instances.end(),
                     [&](const cloud::Instance& other) { return other.id == one.instance_id; });
    targets.push_back(
        {{"instance", one.instance_id},
         {"hostname", instance == look->instances.end() ? one.instance_id : instance->hostname},
         {"health", std::string(cloud::to_string(one.health))},
         {"open_connections", one.open_connections},
         {"reason", one.reason}});
  }
  return {{"known", true},
          {"address", balancer.address},
          {"listeners", std::move(listeners)},
          {"targets", std::move(targets)}};
}

CloudWatch::CloudWatch(CloudOpener open, std::function<bool()> needed, const Clock& clock)
    : CloudWatch(std::move(open), std::move(needed), clock, Options{}) {}

CloudWatch::CloudWatch(CloudOpener open, std::function<bool()> needed, const Clock& clock,
                       Options options)
    : open_(std::move(open)), needed_(std::move(needed)), clock_(clock), options_(options) {}

CloudWatch::~CloudWatch() { stop(); }

std::optional<CloudLook> CloudWatch::newest() const {
  const std::lock_guard lock(mutex_);
  if (!look_ || clock_.now() - look_->taken_at >= options_.fresh) return std::nullopt;
  return look_;
}

void CloudWatch::start() {
  thread_ = std::thread([this] { watch(); });
}

void CloudWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CloudWatch::watch() {
  Errc last = Errc::kUnsupported;  // no cloud is no news
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    auto look = open_().and_then(
        [&](const std::unique_ptr<cloud::Cloud>& cloud) { return look_at_cloud(*cloud, clock_); });
    if (!look && look.error().code != last)
      log::warn("cloud", "looking at the cloud: {}", describe(look.error()));
    last = look ? Errc::kUnsupported : look.error().code;
    lock.lock();
    if (look) look_ = std::move(*look);
    // Somebody may need it while it idles.
    const auto looked = clock_.now();
    bool again = false;
    while (!again && !stopping_ && clock_.now() - looked < options_.idle) {
      wake_.wait_for(lock, options_.busy, [this] { return stopping_; });
      lock.unlock();
      again = needed_();
      lock.lock();
    }
  }
}

}  // namespace hive::controller
