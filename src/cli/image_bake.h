// hive image bake: an AMI with hive in it, from a stock Debian image (cloud/aws/image_bake.h).
#pragma once

#include "cli/command.h"

namespace hive::cli {

Command image_bake_command();

}  // namespace hive::cli
