// The operation that brings a manager back whose machine is gone. Begun by hive itself where the
// file asks for the manager (x-hive.managers, x-hive.replace_managers), the cloud lists no machine
// of its name, and Swarm has no node of it any more: a dead one is demoted and removed by node_reap
// (node_rm_kind.h) first. A machine of the same name is launched, let into the Swarm as manager,
// waited for, and put behind the balancer where the other managers are (launch_part.h).
//   manager_replace  {"number": of the manager, from 1}
//
// One at a time: it holds kManagersClaim. It is not begun, and launches nothing, while a rollout or
// another operation on managers is under way. One that failed is begun anew once its record is gone
// (operations.h, keep_finished), so that what cannot succeed is tried every ten minutes.
//
// Idempotency: the launch's token is made of the operation's id, its time and the attempt's number,
// all of which are written down before the launch, so that a controller's death makes no second
// machine; and the cloud refuses a name that it has (cloud/testing/manager_contract.h).
#pragma once

#include <memory>

#include "controller/operation.h"

namespace hive::controller {

inline constexpr const char* kManagerReplace = "manager_replace";

std::unique_ptr<OperationKind> make_manager_replace_kind();

}  // namespace hive::controller
