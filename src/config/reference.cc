#include "config/reference.h"

#include <fmt/core.h>

#include <vector>

#include "base/text.h"
#include "config/keys.h"

namespace hive::config {

namespace {

// The name of a key directly below `prefix`, or "".
std::string_view direct_name(const Key& key, std::string_view prefix) {
  if (!key.path.starts_with(prefix)) return {};
  const auto rest = key.path.substr(prefix.size());
  return rest.find_first_of(".[*") == std::string_view::npos ? rest : std::string_view{};
}

std::string treated_table(const std::vector<Treatment>& treatments) {
  std::string out;
  for (const auto& key : all_keys()) {
    bool wanted = false;
    for (const auto treatment : treatments) wanted = wanted || key.treatment == treatment;
    if (!wanted || !key.path.starts_with("services.*.")) continue;
    out += fmt::format("| `{}` | {} |\n", key.path.substr(std::string_view("services.*.").size()),
                       key.note);
  }
  return out;
}

}  // namespace

std::string hive_key_table(std::string_view prefix, std::string_view shown) {
  std::string out;
  for (const auto& key : all_keys()) {
    if (key.type_text.empty() || !key.path.starts_with(prefix)) continue;
    const auto rest = key.path.substr(prefix.size());
    if (!rest.empty() && rest[0] != '.') continue;
    std::string fallback(key.default_text.empty() ? "" : key.default_text);
    out +=
        fmt::format("| `{}{}` | {} | {} | {} |\n", shown, rest, key.type_text, fallback, key.note);
  }
  return out;
}

std::string ignored_key_table() {
  return treated_table({Treatment::kIgnored, Treatment::kDeprecated, Treatment::kSilent});
}

std::string refused_key_table() { return treated_table({Treatment::kForbidden}); }

std::string honoured_keys(std::string_view prefix) {
  std::vector<std::string> names;
  for (const auto& key : all_keys()) {
    const auto name = direct_name(key, prefix);
    if (name.empty() || key.treatment != Treatment::kHonoured || !key.type_text.empty()) continue;
    names.push_back(fmt::format("`{}`", name));
  }
  return join(names, ", ") + "\n";
}

}  // namespace hive::config
