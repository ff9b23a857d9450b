#include "controller/autoscale_api.h"

#include "controller/operations_api.h"

namespace hive::controller {
namespace {

net::ServerResponse body(const Json& json) {
  return net::ServerResponse::json(json.dump(-1, ' ', false, Json::error_handler_t::replace) +
                                   "\n");
}

}  // namespace

bool is_autoscale_path(const std::string& path) {
  return path == kAutoscalePath || path == kWorkersPath ||
         path.starts_with(std::string(kAutoscalePath) + "/");
}

net::ServerResponse answer_autoscale(const Api& api, const net::ServerRequest& request) {
  if (!api.controller.acts()) return not_leader(api.controller);
  if (request.path == kWorkersPath) return body(api.instances.state());
  if (request.path == kAutoscalePath) return body(api.autoscaling.list());
  const auto one = api.autoscaling.get(request.path.substr(std::string(kAutoscalePath).size() + 1));
  return one ? body(*one) : error_response(one.error());
}

}  // namespace hive::controller
