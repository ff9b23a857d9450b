#include "base/json.h"

namespace hive {

Result<Json> parse_json(std::string_view text, std::string_view what) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& e) {
    return fail(Errc::kCorrupt, std::string(what) + " is not valid JSON: " + e.what());
  }
}

const Json* json_member(const Json& value, std::string_view key) {
  if (!value.is_object()) return nullptr;
  const auto it = value.find(std::string(key));
  if (it == value.end() || it->is_null()) return nullptr;
  return &*it;
}

const Json* json_path(const Json& value, std::string_view path) {
  const Json* at = &value;
  while (at != nullptr && !path.empty()) {
    const auto dot = path.find('.');
    at = json_member(*at, path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return at;
}

std::string json_string(const Json& value, std::string_view path, std::string_view fallback) {
  const Json* at = json_path(value, path);
  return at != nullptr && at->is_string() ? at->get<std::string>() : std::string(fallback);
}

std::int64_t json_int(const Json& value, std::string_view path, std::int64_t fallback) {
  const Json* at = json_path(value, path);
  return at != nullptr && at->is_number() ? at->get<std::int64_t>() : fallback;
}

bool json_bool(const Json& value, std::string_view path, bool fallback) {
  const Json* at = json_path(value, path);
  return at != nullptr && at->is_boolean() ? at->get<bool>() : fallback;
}

}  // namespace hive
