#include "config/stop_policy.h"

namespace hive::config {
namespace {

void set(Milliseconds& out, const std::optional<Nanoseconds>& given) {
  if (given) out = std::chrono::ceil<Milliseconds>(*given);
}

}  // namespace

model::StopPolicy stop_policy(const Service& service) {
  model::StopPolicy policy;
  if (!service.hive || !service.hive->drain) return policy;
  const Drain& drain = *service.hive->drain;
  set(policy.drain, drain.timeout);
  policy.pre_stop = drain.pre_stop;
  set(policy.hooks, drain.hooks_timeout);
  policy.stop_command = drain.stop_command;
  set(policy.stop, drain.stop_timeout);
  set(policy.flush, drain.flush_timeout);
  return policy;
}

}  // namespace hive::config
