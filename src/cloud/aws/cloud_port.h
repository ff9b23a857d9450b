// The port Cloud (cloud/cloud.h) on AWS: workers are the Auto Scaling group's, managers are
// instances of their own, the balancer is of whichever type it is (balancer_port.h). As managers'
// instance roles may: what it takes to make a cluster is the operator's (plan.h), and refused here
// by name (kUnsupported).
//
// - raise_workers(): the group's desired size, an absolute number, so that a second try is none
// more.
// - launch(): of a manager, by the template that `hive up` wrote for them, into the group's subnet
//   with the fewest of them; one whose zone has no capacity, or does not have the type, is passed
//   over for the next, which is told (Instance::detour). One whose answer does not come is not: the
//   machine may be there. Of a worker: kUnsupported, since which instance comes is not known.
// - list_instances(): without those in the group's warm pool, which are no nodes yet.
// - worker_group(): with why instances do not come, by the group's activities.
// - join(): nothing, since machines ask by themselves (join.h).
// - terminate() of a worker: that very instance, and the desired size goes down with it, unless the
//   group is as small as it may be: then another one comes.
// - balancer(): by EC2's and the balancer's own words, a moment old.
// - balancer_figures(): by CloudWatch, minutes old (balancer_figures.h).
#pragma once

#include <memory>

#include "cloud/aws/client.h"
#include "cloud/aws/names.h"
#include "cloud/cloud.h"

namespace hive::cloud::aws {

// `client` outlives it and may be shared.
std::unique_ptr<Cloud> connect(Client& client, const Names& names);

}  // namespace hive::cloud::aws
