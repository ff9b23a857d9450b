// Tags: how hive knows what it made. Everything bears hive:cluster and hive:role.
#pragma once

#include <map>
#include <string>

namespace hive::cloud::aws {

using Tags = std::map<std::string, std::string>;

inline constexpr const char* kClusterTag = "hive:cluster";
inline constexpr const char* kRoleTag = "hive:role";

}  // namespace hive::cloud::aws
