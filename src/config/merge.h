// Several files into one, by the rules of docker CLI 20.10 (its loader and the mergo version in
// it): what is not empty overrides, lists are appended, maps are merged by key; ports, secrets and
// configs are merged by their published port or source and sorted by it; top-level networks,
// volumes, secrets and configs are replaced whole. x-hive is hive's own: mappings are merged by
// key, anything else is replaced.
#pragma once

#include "config/convert.h"
#include "config/findings.h"

namespace hive::config {

void merge(FileModel& base, FileModel override_with, Findings& findings);
void merge_trees(Node& base, const Node& override_with);

}  // namespace hive::config
