// JSON as the outside world sends it: parsing that never throws, and access that tolerates absence.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hive {

using Json = nlohmann::json;

// kCorrupt with the byte offset and `what` when `text` is not JSON.
Result<Json> parse_json(std::string_view text, std::string_view what);

// The member at a dotted path ("Spec.Name"), or nullptr when absent, null or not an object on the
// way. Keys that contain dots need `json_member` one step at a time.
const Json* json_path(const Json& value, std::string_view path);
const Json* json_member(const Json& value, std::string_view key);

// The value at the path, or the fallback when it is absent or of another type.
std::string json_string(const Json& value, std::string_view path, std::string_view fallback = "");
std::int64_t json_int(const Json& value, std::string_view path, std::int64_t fallback = 0);
bool json_bool(const Json& value, std::string_view path, bool fallback = false);

}  // namespace hive
