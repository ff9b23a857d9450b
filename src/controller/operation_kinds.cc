#include "controller/autoscale_kind.h"
#include "controller/canary_rm_kind.h"
#include "controller/instance_end_kind.h"
#include "controller/instance_launch_kind.h"
#include "controller/instance_ready_kind.h"
#include "controller/kind_rollout.h"
#include "controller/manager_replace_kind.h"
#include "controller/node_drain_kind.h"
#include "controller/node_rm_kind.h"
#include "controller/operation.h"
#include "controller/scale_kind.h"
#include "controller/task_stop_kind.h"
#include "controller/workers_grow_kind.h"

namespace hive::controller {

std::vector<std::unique_ptr<OperationKind>> operation_kinds() {
  std::vector<std::unique_ptr<OperationKind>> kinds;
  kinds.push_back(std::make_unique<RolloutKind>());
  kinds.push_back(make_canary_rm_kind());
  kinds.push_back(make_scale_kind());
  kinds.push_back(make_autoscale_kind());
  kinds.push_back(make_task_stop_kind());
  kinds.push_back(make_node_drain_kind());
  kinds.push_back(make_node_activate_kind());
  kinds.push_back(make_node_rm_kind());
  kinds.push_back(make_node_reap_kind());
  kinds.push_back(make_instance_launch_kind());
  kinds.push_back(make_manager_replace_kind());
  kinds.push_back(make_workers_grow_kind());
  kinds.push_back(make_instance_terminate_kind());
  kinds.push_back(make_instance_stop_kind());
  kinds.push_back(make_instance_leave_kind());
  kinds.push_back(make_instance_ready_kind());
  return kinds;
}

}  // namespace hive::controller
