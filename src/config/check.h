// What only the whole can show: references to things that are not defined, ports used twice.
#pragma once

#include "config/findings.h"

namespace hive::config {

void check_whole(const Spec& spec, Findings& findings);
// The position of a path, or of the nearest path around it.
Position position_of(const Spec& spec, std::string_view path);

}  // namespace hive::config
