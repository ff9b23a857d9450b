#include "config/stop_policy.h"

namespace hive::config {

model::StopPolicy stop_policy(const Service& service) {
  model::StopPolicy policy;
  if (!service.hive || !service.hive->drain) return policy;
  const Drain& drain = *service.hive->drain;
  policy.drain = std::chrono::duration_cast<Milliseconds>(drain.timeout);
  policy.pre_stop = drain.pre_stop;
  policy.stop_command = drain.stop_command;
  return policy;
}

}  // namespace hive::config
