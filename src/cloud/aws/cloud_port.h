// The port Cloud (cloud/cloud.h) on AWS: workers are the Auto Scaling group's, managers are
// instances of their own, the balancer is the Classic one. As managers' instance roles may: what it
// takes to make a cluster is the operator's (plan.h), and refused here by name (kUnsupported).
//
// - launch("worker"): the group's desired size goes up by one. Which instance comes is not known,
//   so that it cannot be asked for by name (kUnsupported).
// - join(): nothing, since machines ask by themselves (join.h).
// - terminate() of a worker: that very instance, and the desired size goes down with it, unless the
//   group is as small as it may be: then another one comes.
// - balancer(): by EC2's and the balancer's own words, a moment old.
#pragma once

#include <memory>

#include "cloud/aws/client.h"
#include "cloud/aws/names.h"
#include "cloud/cloud.h"

namespace hive::cloud::aws {

// `client` outlives it and may be shared.
std::unique_ptr<Cloud> connect(Client& client, const Names& names);

}  // namespace hive::cloud::aws
