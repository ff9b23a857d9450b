// The part of the plans (plan.h) that is about an application or a network balancer with its target
// groups. Pure.
#pragma once

#include "cloud/aws/plan.h"

namespace hive::cloud::aws {

// Adds to what is planned already: managers that it launches are registered too. In an order in
// which nothing that serves goes before what takes its place is there: target groups, with those
// who are behind them; the balancer and its listeners; then what is not asked for any more.
void plan_v2_balancer(const Desired& desired, const World& world, Plan& plan);
// Where the balancer is Classic: what a run that was cut short left of another type.
void plan_v2_leftovers(const Desired& desired, const World& world, Plan& plan);
// Everything of the cluster's, whichever type its balancer is by now.
void plan_v2_down(const Names& names, const World& world, Plan& plan);

}  // namespace hive::cloud::aws
