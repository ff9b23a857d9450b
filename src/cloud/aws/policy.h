// The IAM policy documents of least privilege, made from the table of calls (operations.h), so that
// they grant what hive calls and nothing else. Printed by `hive aws policy`; the instance roles get
// theirs by `hive up`.
// Source: Service Authorization Reference (which resources and conditions each action knows).
#pragma once

#include <string>

#include "base/json.h"
#include "cloud/aws/operations.h"

namespace hive::cloud::aws {

// The policy of one kind of caller for one cluster, as JSON. `region` may be empty: then every
// region.
Json policy_document(Callers who, const std::string& cluster, const std::string& region);

}  // namespace hive::cloud::aws
