#include "controller/service_policies.h"

#include "base/log.h"
#include "config/stop_policy.h"
#include "controller/routing.h"

namespace hive::controller {
namespace {

constexpr std::size_t kMaxKnown = 10'000;

// The label is what the file said; the file's own reader knows best what that means.
ServicePolicies read_label(const std::string& service, const std::string& label) {
  const std::string file =
      R"({"version": "3.8", "services": {"s": {"image": "i", "x-hive": )" + label + "}}}";
  const auto loaded = config::load({{"label hive.x of " + service, file}}, {});
  ServicePolicies policies;
  if (!loaded) {
    log::warn("controller", "{}", config::render(loaded.error()));
    return policies;
  }
  const config::Service& read = loaded->spec.services.at("s");
  policies.stop = config::stop_policy(read);
  if (read.hive) policies.logs = read.hive->logs;
  if (read.hive) policies.autoscale = read.hive->autoscale;
  if (read.hive && read.hive->rollout) policies.rollout = *read.hive->rollout;
  return policies;
}

}  // namespace

ServicePolicies PolicyReader::of(const model::Service& service) {
  const auto label = service.labels.find(kHiveLabel);
  if (label == service.labels.end()) return {};
  const auto found = known_.find(label->second);
  if (found != known_.end()) return found->second;
  if (known_.size() >= kMaxKnown) known_.clear();
  return known_[label->second] = read_label(service.name, label->second);
}

}  // namespace hive::controller
