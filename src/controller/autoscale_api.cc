#include "controller/autoscale_api.h"

#include "controller/operations_api.h"

namespace hive::controller {

bool is_autoscale_path(const std::string& path) {
  return path == kAutoscalePath || path == kWorkersPath ||
         path.starts_with(std::string(kAutoscalePath) + "/");
}

net::ServerResponse answer_autoscale(const Api& api, const net::ServerRequest& request) {
  if (!api.controller.acts()) return not_leader(api.controller);
  if (request.path == kWorkersPath) return json_response(api.instances.state());
  if (request.path == kAutoscalePath) return json_response(api.autoscaling.list());
  const auto one = api.autoscaling.get(request.path.substr(std::string(kAutoscalePath).size() + 1));
  return one ? json_response(*one) : error_response(one.error());
}

}  // namespace hive::controller
