// How the lines of a plan (plan.h) are worded.
#pragma once

#include <set>
#include <string>

#include "base/text.h"

namespace hive::cloud::aws {

// "~ min: 1 -> 2"
inline std::string changed(const std::string& what, const std::string& from,
                           const std::string& to) {
  return "~ " + what + ": " + from + " -> " + to;
}

// "subnet-1,subnet-2"
inline std::string listed(const std::set<std::string>& values) {
  return join({values.begin(), values.end()}, ",");
}

}  // namespace hive::cloud::aws
