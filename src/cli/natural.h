// The order of the docker command line's tables: numbers within names count as numbers, so "web.2"
// comes before "web.10". Source: github.com/fvbommel/sortorder, which the docker CLI uses.
#pragma once

#include <string_view>

namespace hive::cli {

// A strict order over all strings; digits come before other characters.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace hive::cli
