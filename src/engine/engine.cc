#include "engine/engine.h"

#include <fmt/core.h>

#include <cstdio>

#include "engine/read_model.h"

namespace hive::engine {

std::int64_t unix_ms_from_rfc3339(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%d-%d-%dT%d:%d:%d%n", &year, &month, &day, &hour, &minute, &second,
                  &used) != 6 ||
      year < 1970 || month < 1 || month > 12)
    return 0;
  std::size_t at = static_cast<std::size_t>(used);
  std::int64_t millis = 0;
  if (at < copy.size() && copy[at] == '.') {
    int scale = 100;
    for (++at; at < copy.size() && copy[at] >= '0' && copy[at] <= '9'; ++at, scale /= 10)
      millis += (copy[at] - '0') * scale;
  }
  int offset_hours = 0, offset_minutes = 0;
  char sign = '+';
  if (std::sscanf(copy.c_str() + at, "%c%d:%d", &sign, &offset_hours, &offset_minutes) != 3)
    offset_hours = offset_minutes = 0;
  const std::int64_t offset_s = (offset_hours * 60 + offset_minutes) * 60 * (sign == '-' ? -1 : 1);
  // Days from civil, Howard Hinnant's chrono-compatible algorithm.
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = y / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  const std::int64_t days = era * 146097 + day_of_era - 719468;
  return ((days * 24 + hour) * 60 + minute) * 60'000 + second * 1000 + millis - offset_s * 1000;
}

namespace {

std::uint64_t digest_of(const Json& value, bool of_template = false) {
  if (value.is_object()) {
    std::uint64_t sum = 1;
    for (const auto& [key, member] : value.items())
      if (!of_template || tells_tasks_apart(key))
        sum += digest_join(digest_bytes(key, 2), digest_of(member));
    return sum;
  }
  if (value.is_array()) {
    std::uint64_t all = 3;
    for (const Json& item : value) all = digest_join(all, digest_of(item));
    return all;
  }
  if (value.is_string()) return digest_bytes(value.get_ref<const std::string&>(), 4);
  if (value.is_boolean()) return value.get<bool>() ? 5 : 6;
  if (value.is_number_float()) return digest_join(7, std::hash<double>()(value.get<double>()));
  if (value.is_number())
    return digest_join(8, static_cast<std::uint64_t>(value.get<std::int64_t>()));
  return 9;
}

class JsonView {
 public:
  explicit JsonView(const Json& value) : value_(&value) {}
  std::string string(std::string_view path) const { return json_string(*value_, path); }
  std::string text() const { return value_->is_string() ? value_->get<std::string>() : ""; }
  std::int64_t integer(std::string_view path, std::int64_t fallback = 0) const {
    return json_int(*value_, path, fallback);
  }
  bool boolean(std::string_view path) const { return json_bool(*value_, path); }
  bool has(std::string_view path) const { return json_path(*value_, path) != nullptr; }
  template <typename Each>
  void each(std::string_view path, const Each& on_item) const {
    const Json* list = json_path(*value_, path);
    if (list == nullptr || !list->is_array()) return;
    for (const Json& item : *list) on_item(JsonView(item));
  }
  template <typename Each>
  void members(std::string_view path, const Each& on_member) const {
    const Json* map = json_path(*value_, path);
    if (map == nullptr || !map->is_object()) return;
    for (const auto& [key, value] : map->items())
      if (value.is_string()) on_member(key, value.template get_ref<const std::string&>());
  }
  std::uint64_t template_digest(std::string_view path) const {
    const Json* found = json_path(*value_, path);
    return found == nullptr ? 0 : digest_of(*found, true);
  }

 private:
  const Json* value_;
};

}  // namespace

std::uint64_t digest(const Json& value) { return digest_of(value); }

model::Node node_from_json(const Json& node) { return read_node(JsonView(node)); }
model::Service service_from_json(const Json& service) { return read_service(JsonView(service)); }
model::Task task_from_json(const Json& task) { return read_task(JsonView(task)); }

namespace {

struct Versioned {
  std::string id;
  std::uint64_t version = 0;
  Json spec;
};

Result<Versioned> versioned(const Json& object, std::string_view what) {
  const Json* spec = json_member(object, "Spec");
  const std::string id = json_string(object, "ID");
  if (spec == nullptr || id.empty())
    return fail(Errc::kCorrupt,
                fmt::format("the engine's answer about {} has no Spec or ID", what));
  return Versioned{id, static_cast<std::uint64_t>(json_int(object, "Version.Index")), *spec};
}

Error give_up(Error error, std::string_view what, int attempts) {
  error.message = fmt::format("{} was changed by others during each of {} attempts: {}", what,
                              attempts, error.message);
  return error;
}

}  // namespace

Result<ServiceWriteResult> modify_service(Engine& engine, const std::string& id_or_name,
                                          const std::function<Result<bool>(Json& spec)>& merge,
                                          const ServiceWriteOptions& options, int attempts) {
  for (int attempt = 1;; ++attempt) {
    HIVE_ASSIGN(const Json object, engine.inspect_service(id_or_name));
    HIVE_ASSIGN(Versioned at, versioned(object, id_or_name));
    HIVE_ASSIGN(const bool changed, merge(at.spec));
    if (!changed) return ServiceWriteResult{at.id, {}};
    auto written = engine.update_service(at.id, at.version, at.spec, options);
    if (written || written.error().code != Errc::kConflict) return written;
    if (attempt >= attempts)
      return tl::unexpected(give_up(std::move(written).error(), "service " + id_or_name, attempts));
  }
}

Status modify_node(Engine& engine, const std::string& id_or_name,
                   const std::function<Result<bool>(Json& spec)>& merge, int attempts) {
  for (int attempt = 1;; ++attempt) {
    HIVE_ASSIGN(const Json object, engine.inspect_node(id_or_name));
    HIVE_ASSIGN(Versioned at, versioned(object, id_or_name));
    HIVE_ASSIGN(const bool changed, merge(at.spec));
    if (!changed) return {};
    auto written = engine.update_node(at.id, at.version, at.spec);
    if (written || written.error().code != Errc::kConflict) return written;
    if (attempt >= attempts)
      return tl::unexpected(give_up(std::move(written).error(), "node " + id_or_name, attempts));
  }
}

}  // namespace hive::engine
