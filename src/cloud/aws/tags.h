// Tags: how hive knows what it made. Everything bears hive:cluster and hive:role.
#pragma once

#include <map>
#include <string>

namespace hive::cloud::aws {

using Tags = std::map<std::string, std::string>;

inline constexpr const char* kClusterTag = "hive:cluster";
inline constexpr const char* kRoleTag = "hive:role";

// Its value; empty where there is no such tag.
inline std::string tag_of(const Tags& tags, const std::string& key) {
  const auto found = tags.find(key);
  return found == tags.end() ? "" : found->second;
}

}  // namespace hive::cloud::aws
