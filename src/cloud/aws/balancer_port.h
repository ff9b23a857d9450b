// The cluster's balancer as its managers see and steer it (cloud/cloud.h), whichever type it is:
// they are not told which, and find out by its name. Errors as in client.h; kNotFound where there
// is none.
//
// An instance behind an application or a network balancer is registered with each target group that
// a listener sends to, and counts here as one target, with the worst of what they say of it:
// draining as long as one of them drains it, gone when all of them have let it go. AWS calls a
// target draining for as long as the deregistration delay is, also when its last request ended
// long before.
#pragma once

#include <string>

#include "base/result.h"
#include "cloud/aws/client.h"
#include "cloud/aws/names.h"
#include "cloud/cloud.h"

namespace hive::cloud::aws {

Result<BalancerStatus> look_at_balancer(Client& client, const Names& names);
Status put_behind_balancer(Client& client, const Names& names, const std::string& instance);
// From all target groups, also when one of them refuses: then its error. An instance that is not
// registered there is no fault.
Status take_from_balancer(Client& client, const Names& names, const std::string& instance);

}  // namespace hive::cloud::aws
