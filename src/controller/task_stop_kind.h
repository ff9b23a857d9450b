// The operation `task_stop`: one task ends through the stop sequence, and another serves in its
// place, before it where its service allows two. Request: {"task": id, its unambiguous beginning
// (six characters or more) or name ("shop_web.2"), "force": nothing is waited for, "reason"}.
#pragma once

#include <memory>

#include "controller/operation.h"

namespace hive::controller {

std::unique_ptr<OperationKind> make_task_stop_kind();

}  // namespace hive::controller
