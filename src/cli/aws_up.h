// hive up with `cloud: aws`: resources, managers until they hold a quorum, workers, images, the
// stack, and where it answers. The machine that this runs on reaches no node: managers tell how
// they are, and are told what to run, by the notice board (cloud/aws/board.h). Safe to repeat, also
// after a kill.
#pragma once

#include "base/clock.h"
#include "cli/context.h"
#include "config/compose.h"

namespace hive::cli {

struct AwsUpOptions {
  bool detach = false;               // do not wait for workers, services and the balancer
  Milliseconds deadline{1'800'000};  // of each wait: machines boot, install and pull
};
int aws_up(Context& context, const config::Spec& spec, const AwsUpOptions& options);

// hive aws deploy, on a manager: the stack that the board told.
int aws_deploy(Context& context, const config::Spec& spec);

}  // namespace hive::cli
