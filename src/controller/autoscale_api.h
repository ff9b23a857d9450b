// GET /v1/autoscale, /v1/autoscale/SERVICE and /v1/workers of the controller that acts
// (docs/api.md).
#pragma once

#include <string>

#include "controller/api.h"

namespace hive::controller {

inline constexpr const char* kAutoscalePath = "/v1/autoscale";
inline constexpr const char* kWorkersPath = "/v1/workers";

bool is_autoscale_path(const std::string& path);
net::ServerResponse answer_autoscale(const Api& api, const net::ServerRequest& request);

}  // namespace hive::controller
