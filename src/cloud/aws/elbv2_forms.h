// What the calls of elbv2.h and target_group.h have in common on the wire. Of this room alone.
#pragma once

#include "cloud/aws/elbv2.h"

namespace hive::cloud::aws {

void put_v2_tags(Form& form, const Tags& tags);
void put_v2_attributes(Form& form, const V2Attributes& attributes);
V2Attributes read_v2_attributes(const Element& from);

}  // namespace hive::cloud::aws
