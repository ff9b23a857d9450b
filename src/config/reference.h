// The tables of docs/configuration.md, made from the key table. A test compares them with the
// document, so that it cannot drift from the code.
#pragma once

#include <string>
#include <string_view>

namespace hive::config {

// Markdown rows "| `x-hive.name` | text | default | meaning |" of the x-hive keys that begin with
// `prefix` ("x-hive" or "services.*.x-hive"), shown with `shown` instead of it.
std::string hive_key_table(std::string_view prefix, std::string_view shown);

// Markdown rows "| `build` | why |" of the service keys that are ignored or refused.
std::string ignored_key_table();
std::string refused_key_table();

// A comma-separated list of the service keys (or keys of deploy) that are honoured.
std::string honoured_keys(std::string_view prefix);

}  // namespace hive::config
