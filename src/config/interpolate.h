// $VAR and its forms in a Compose file, by docker's rules:
//   $VAR ${VAR}    the value, "" when unset
//   ${VAR:-text}   text when unset or empty      ${VAR-text}   text when unset
//   ${VAR:?text}   a fault when unset or empty   ${VAR?text}   a fault when unset
//   $$             a $
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/compose.h"

namespace hive::config {

struct Substituted {
  std::string text;
  std::vector<std::string> unset;  // variables replaced by "" since nothing sets them
};

// kInvalidArgument: an invalid `$`, or a required variable is missing.
Result<Substituted> substitute(std::string_view text, const StringMap& environment);

}  // namespace hive::config
