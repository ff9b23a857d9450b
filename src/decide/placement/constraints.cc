#include "decide/placement/constraints.h"

#include <cctype>

namespace hive::decide::placement {
namespace {

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  const auto last = text.find_last_not_of(" \t");
  return std::string(text.substr(first, last - first + 1));
}

bool same(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(a[i])) !=
        std::tolower(static_cast<unsigned char>(b[i])))
      return false;
  return true;
}

std::string label(const model::Labels& labels, const std::string& key) {
  const auto found = labels.find(key);
  return found == labels.end() ? std::string() : found->second;
}

constexpr std::string_view kNodeLabels = "node.labels.";
constexpr std::string_view kEngineLabels = "engine.labels.";

std::optional<std::string> value_of(const model::Node& node, const std::string& key) {
  if (same(key, "node.id")) return node.id;
  if (same(key, "node.hostname")) return node.hostname;
  if (same(key, "node.role")) return std::string(model::to_string(node.role));
  if (key.starts_with(kNodeLabels)) return label(node.labels, key.substr(kNodeLabels.size()));
  if (key.starts_with(kEngineLabels))
    return label(node.engine_labels, key.substr(kEngineLabels.size()));
  return std::nullopt;
}

}  // namespace

std::optional<bool> admits(const model::Node& node, const std::vector<std::string>& constraints) {
  bool out = true;
  for (const std::string& constraint : constraints) {
    const bool equal = constraint.find("!=") == std::string::npos;
    const auto at = constraint.find(equal ? "==" : "!=");
    if (at == std::string::npos) return std::nullopt;
    const auto value = value_of(node, trimmed(constraint.substr(0, at)));
    if (!value) return std::nullopt;
    if (same(*value, trimmed(constraint.substr(at + 2))) != equal) out = false;
  }
  return out;
}

std::optional<std::string> spread_value(const model::Node& node, const std::string& preference) {
  const auto after = [&](std::string_view prefix) -> std::optional<std::string> {
    if (preference.size() <= prefix.size()) return std::nullopt;
    if (!same(preference.substr(0, prefix.size()), std::string(prefix))) return std::nullopt;
    return preference.substr(prefix.size());
  };
  if (const auto key = after(kNodeLabels)) return label(node.labels, *key);
  if (const auto key = after(kEngineLabels)) return label(node.engine_labels, *key);
  return std::nullopt;
}

}  // namespace hive::decide::placement
