#include "config/validate.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/text.h"
#include "config/interpolate.h"
#include "config/keys.h"

namespace hive::config {

namespace {

constexpr int kNewestVersion = 13;

std::string types_text(unsigned types) {
  std::vector<std::string> names;
  if ((types & kText) != 0) names.emplace_back("a string");
  if ((types & kNumber) != 0)
    names.emplace_back("a number");
  else if ((types & kInteger) != 0)
    names.emplace_back("an integer");
  if ((types & kBoolean) != 0) names.emplace_back("a boolean");
  if ((types & kSequence) != 0) names.emplace_back("a list");
  if ((types & kMapping) != 0) names.emplace_back("a mapping");
  if (names.size() == 1) return names[0];
  const std::string last = names.back();
  names.pop_back();
  return join(names, ", ") + " or " + last;
}

bool fits(unsigned types, const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return (types & kNothing) != 0;
    case Node::Kind::kBool:
      return (types & kBoolean) != 0;
    case Node::Kind::kInt:
      return (types & (kInteger | kNumber)) != 0;
    case Node::Kind::kFloat:
      // JSON knows no integers: 3.0 passes as one there, and so it does here.
      return (types & kNumber) != 0 ||
             ((types & kInteger) != 0 && std::floor(node.number) == node.number &&
              std::fabs(node.number) < 9e15);
    case Node::Kind::kString:
      return (types & kText) != 0;
    case Node::Kind::kList:
      return (types & kSequence) != 0;
    case Node::Kind::kMap:
      return (types & kMapping) != 0;
  }
  return false;
}

std::string value_text(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kString:
      return "the string " + in_quotes(node.text);
    case Node::Kind::kBool:
    case Node::Kind::kInt:
    case Node::Kind::kFloat:
      return fmt::format("{} ({})", kind_name(node.kind), scalar_text(node));
    default:
      return std::string(kind_name(node.kind));
  }
}

std::string type_hint(unsigned types, const Node& node) {
  const bool scalar =
      node.is(Node::Kind::kBool) || node.is(Node::Kind::kInt) || node.is(Node::Kind::kFloat);
  if ((types & kText) != 0 && scalar) return fmt::format("quote it: \"{}\"", node.text);
  if (node.is_string() && (types & (kInteger | kNumber | kBoolean)) != 0) {
    const Node plain = plain_scalar(node.text, node.position);
    if (!plain.is_string() && !plain.is_null() && fits(types, plain))
      return "write it without quotes";
  }
  if (node.is_string() && (types & (kText | kSequence | kMapping)) == kSequence)
    return fmt::format("write [{}]", in_quotes(node.text));
  return "";
}

// What docker makes of text that a variable changed, where a number or a boolean is wanted.
bool cast_text(unsigned types, Node& node) {
  const std::string& text = node.text;
  if ((types & (kInteger | kNumber)) != 0) {
    std::string_view digits = text;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    std::int64_t integer = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), integer);
    if (!digits.empty() && result.ec == std::errc() &&
        result.ptr == digits.data() + digits.size()) {
      node.kind = Node::Kind::kInt;
      node.integer = integer;
      return true;
    }
    const Node plain = plain_scalar(text, node.position);
    if ((types & kNumber) != 0 && plain.is(Node::Kind::kFloat)) {
      node = plain;
      return true;
    }
  }
  if ((types & kBoolean) != 0) {
    std::string lower = text;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const Node plain = plain_scalar(lower, node.position);
    if (plain.is(Node::Kind::kBool)) {
      node.kind = Node::Kind::kBool;
      node.boolean = plain.boolean;
      return true;
    }
  }
  return (types & (kText | kMapping)) != 0 && (types & kText) != 0;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

class Validator {
 public:
  Validator(const ValidateOptions& options, Findings& findings,
            std::map<std::string, Position>& positions)
      : options_(&options), findings_(&findings), positions_(&positions) {}

  void root(Node& node) {
    if (node.is_null()) {
      findings_->fault(node.position, "the file is empty",
                       "a Compose file has at least `version` and `services`");
      return;
    }
    if (!node.is_map()) {
      findings_->fault(node.position,
                       fmt::format("the file must be a mapping at its top level, and is {}",
                                   kind_name(node.kind)));
      return;
    }
    substitute_all(node, &schema(), "");
    check_map(node, schema(), "");
  }

 private:
  void substitute_all(Node& node, const Schema* at, const std::string& path);
  void substitute_text(Node& node, const Schema* at, const std::string& path);
  void check(Node& node, const Schema& at, const std::string& path);
  void check_map(Node& node, const Schema& at, const std::string& path);
  void check_member(Entry& entry, const Schema& at, const std::string& path);
  void check_format(Node& node, const Key& key, const std::string& path);
  void check_list_or_map(Node& node, const std::string& path);
  void check_text_map(Node& node, bool null_too, const std::string& path);
  void check_text_list(Node& node, bool unique, const std::string& path);
  void unknown_key(const Entry& entry, const Schema& at, const std::string& path);
  void treat(const Entry& entry, const Key& key, const std::string& path);
  bool is_extension(std::string_view name, const std::string& path) const;

  const ValidateOptions* options_;
  Findings* findings_;
  std::map<std::string, Position>* positions_;
};

std::string below(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

void Validator::substitute_text(Node& node, const Schema* at, const std::string& path) {
  if (node.text.find('$') == std::string::npos) return;
  auto result = substitute(node.text, *options_->environment);
  if (!result) {
    findings_->fault(node.position, fmt::format("{}: {}", path, result.error().message));
    return;
  }
  for (const auto& name : result->unset)
    findings_->warn(node.position, fmt::format("variable {} is not set: it is read as empty", name),
                    options_->has_dot_env
                        ? "the file .env here is not read, as docker stack deploy does not: "
                          "run `set -a; . ./.env; set +a` first"
                        : "");
  if (result->text == node.text) return;
  node.text = std::move(result->text);
  if (at == nullptr || at->key == nullptr || !at->key->cast) return;
  if ((at->key->types & kText) != 0) {
    // x-hive values that may be text keep it, unless it is a plain number or boolean.
    cast_text(at->key->types & ~static_cast<unsigned>(kText), node);
    return;
  }
  if (!cast_text(at->key->types, node)) {
    findings_->fault(node.position, fmt::format("{} must be {}, and its variables make {}", path,
                                                types_text(at->key->types), in_quotes(node.text)));
    node = Node{.position = node.position};
    node.kind = Node::Kind::kNull;
    node.text = "?";  // reported already: see check()
  }
}

void Validator::substitute_all(Node& node, const Schema* at, const std::string& path) {
  if (node.is_string()) return substitute_text(node, at, path);
  for (auto& entry : node.entries)
    substitute_all(entry.value, at == nullptr ? nullptr : at->member(entry.key),
                   below(path, entry.key));
  for (std::size_t i = 0; i < node.items.size(); ++i)
    substitute_all(node.items[i], at == nullptr ? nullptr : at->item.get(),
                   fmt::format("{}[{}]", path, i));
}

void Validator::check(Node& node, const Schema& at, const std::string& path) {
  if (node.is_null() && node.text == "?") return;
  const Key* key = at.key;
  if (key != nullptr && !fits(key->types, node)) {
    findings_->fault(
        node.position,
        fmt::format("{} must be {}, and is {}", path, types_text(key->types), value_text(node)),
        type_hint(key->types, node));
    node = Node{.position = node.position, .text = "?"};
    return;
  }
  if (node.is(Node::Kind::kFloat) && key != nullptr && (key->types & kNumber) == 0) {
    node.kind = Node::Kind::kInt;
    node.integer = static_cast<std::int64_t>(node.number);
  }
  if (key != nullptr) check_format(node, *key, path);
  if (node.is_map() && (!at.children.empty() || at.any)) check_map(node, at, path);
  if (node.is_list() && at.item) {
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const std::string item_path = fmt::format("{}[{}]", path, i);
      positions_->insert_or_assign(item_path, node.items[i].position);
      check(node.items[i], *at.item, item_path);
    }
  }
}

void Validator::check_format(Node& node, const Key& key, const std::string& path) {
  switch (key.format) {
    case Format::kListOrMap:
      return check_list_or_map(node, path);
    case Format::kTextMap:
    case Format::kTextMapNull:
      return check_text_map(node, key.format == Format::kTextMapNull, path);
    case Format::kUniqueList:
    case Format::kTextList:
      return check_text_list(node, key.format == Format::kUniqueList, path);
    case Format::kDuration:
    case Format::kBytes: {
      if (!node.is_string()) return;
      std::string problem;
      if (key.format == Format::kDuration) {
        if (const auto parsed = parse_duration(node.text); !parsed)
          problem = parsed.error().message;
      } else if (const auto parsed = parse_bytes(node.text); !parsed) {
        problem = parsed.error().message;
      }
      if (problem.empty()) return;
      findings_->fault(node.position, fmt::format("{}: {}", path, problem));
      node = Node{.position = node.position, .text = "?"};
      return;
    }
    default:
      return;
  }
}

void Validator::check_list_or_map(Node& node, const std::string& path) {
  if (node.is_list()) return check_text_list(node, true, path);
  check_text_map(node, true, path);
}

void Validator::check_text_map(Node& node, bool null_too, const std::string& path) {
  if (!node.is_map()) return;
  const unsigned types = kText | kNumber | (null_too ? static_cast<unsigned>(kNothing) : 0U);
  for (auto& entry : node.entries) {
    positions_->insert_or_assign(below(path, entry.key), entry.position);
    if (fits(types, entry.value) || (entry.value.is_null() && entry.value.text == "?")) continue;
    findings_->fault(entry.value.position,
                     fmt::format("{} must be {}, and is {}", below(path, entry.key),
                                 types_text(types), value_text(entry.value)),
                     type_hint(types, entry.value));
  }
}

void Validator::check_text_list(Node& node, bool unique, const std::string& path) {
  if (!node.is_list()) return;
  std::map<std::string, Position> seen;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    Node& item = node.items[i];
    positions_->insert_or_assign(fmt::format("{}[{}]", path, i), item.position);
    if (!item.is_string()) {
      findings_->fault(item.position,
                       fmt::format("{}[{}] must be a string, and is {}", path, i, value_text(item)),
                       type_hint(kText, item));
    } else if (unique) {
      const auto [first, is_new] = seen.emplace(item.text, item.position);
      if (!is_new)
        findings_->fault(item.position,
                         fmt::format("{} is in {} twice", in_quotes(item.text), path),
                         fmt::format("first on line {}", first->second.line));
    }
  }
}

bool Validator::is_extension(std::string_view name, const std::string& path) const {
  if (!name.starts_with("x-")) return false;
  if (path.empty()) return true;
  // Below the top level: in services, networks, volumes, secrets and configs.
  const auto parts = split(path, '.');
  return parts.size() == 2 &&
         (parts[0] == "services" || parts[0] == "networks" || parts[0] == "volumes" ||
          parts[0] == "secrets" || parts[0] == "configs");
}

void Validator::check_map(Node& node, const Schema& at, const std::string& path) {
  for (auto& entry : node.entries) check_member(entry, at, path);
}

void Validator::check_member(Entry& entry, const Schema& at, const std::string& path) {
  const std::string here = below(path, entry.key);
  positions_->insert_or_assign(here, entry.position);
  const Schema* member = at.member(entry.key);
  if (is_extension(entry.key, path)) {
    const int since = path.empty() ? 4 : 7;
    if (options_->version < since)
      findings_->fault(entry.position, fmt::format("{} needs version \"3.{}\" or later, and the "
                                                   "file says \"3.{}\"",
                                                   here, since, options_->version));
    if (member == nullptr || entry.key != "x-hive") return;
  }
  if (member == nullptr) return unknown_key(entry, at, path);
  if (at.any.get() == member && !is_name(entry.key)) {
    findings_->fault(
        entry.position,
        fmt::format("{} is not a name that can be used in {}", in_quotes(entry.key), path),
        "letters, digits, '.', '_' and '-' only");
    return;
  }
  if (member->key != nullptr) treat(entry, *member->key, path);
  if (member->key != nullptr && member->key->treatment == Treatment::kForbidden) return;
  check(entry.value, *member, here);
}

void Validator::treat(const Entry& entry, const Key& key, const std::string& path) {
  if (key.since > options_->version) {
    findings_->fault(entry.position,
                     fmt::format("{} in {} needs version \"3.{}\" or later, and "
                                 "the file says \"3.{}\"",
                                 in_quotes(entry.key), path.empty() ? "the file" : path, key.since,
                                 options_->version));
    return;
  }
  switch (key.treatment) {
    case Treatment::kIgnored:
    case Treatment::kDeprecated:
      findings_->warn(entry.position,
                      fmt::format("{} in {} is ignored, as docker stack deploy does",
                                  in_quotes(entry.key), path),
                      std::string(key.note));
      return;
    case Treatment::kForbidden:
      findings_->fault(
          entry.position,
          fmt::format("{} in {} cannot be used with Swarm", in_quotes(entry.key), path),
          std::string(key.note));
      return;
    default:
      return;
  }
}

// Another place where a key of this name would be right: "services.NAME.deploy".
std::string home_of(std::string_view name, const std::string& path) {
  const bool in_service = path.starts_with("services.");
  for (const auto& key : all_keys()) {
    const auto dot = key.path.rfind('.');
    if (dot == std::string_view::npos || key.path.substr(dot + 1) != name || name == "*") continue;
    if (key.treatment != Treatment::kHonoured) continue;
    if (in_service != key.path.starts_with("services.")) continue;
    std::string home(key.path.substr(0, dot));
    const auto parts = split(path, '.');
    if (const auto star = home.find('*'); star != std::string::npos && in_service)
      home.replace(star, 1, parts.size() > 1 ? parts[1] : "NAME");
    if (home.find_first_of("*[") != std::string::npos || home == path) continue;
    return home;
  }
  return "";
}

void Validator::unknown_key(const Entry& entry, const Schema& at, const std::string& path) {
  if (at.key != nullptr && at.key->format == Format::kOpen) {
    findings_->warn(entry.position, fmt::format("unknown key {} in {} is ignored, as docker stack "
                                                "deploy does",
                                                in_quotes(entry.key), path));
    return;
  }
  std::vector<std::string> names;
  for (const auto& [name, unused] : at.children)
    if (unused->key == nullptr || unused->key->treatment != Treatment::kForbidden)
      names.push_back(name);
  std::string hint = suggest(entry.key, names);
  if (hint.empty())
    if (const auto home = home_of(entry.key, path); !home.empty())
      hint = fmt::format("it belongs in {}", home);
  findings_->fault(entry.position,
                   fmt::format("unknown key {} {}", in_quotes(entry.key),
                               path.empty() ? "at the top level" : "in " + path),
                   hint);
}

}  // namespace

std::optional<int> file_version(const Node& root, Findings& findings) {
  if (!root.is_map()) return std::nullopt;
  const Node* version = root.find("version");
  const std::string reads = fmt::format("versions \"3.0\" to \"3.{}\" are read", kNewestVersion);
  if (version == nullptr) {
    findings.fault(root.position, "the file has no `version`: docker stack deploy refuses it",
                   "write version: \"3.8\" at its top");
    return std::nullopt;
  }
  if (!version->is_string()) {
    findings.fault(version->position,
                   fmt::format("version must be a string, and is {}", value_text(*version)),
                   version->text.empty() ? "" : fmt::format("quote it: \"{}\"", version->text));
    return std::nullopt;
  }
  if (version->text == "3") return 0;
  int minor = -1;
  std::string_view rest = version->text;
  if (rest.starts_with("3.")) {
    rest.remove_prefix(2);
    const auto result = std::from_chars(rest.data(), rest.data() + rest.size(), minor);
    const bool whole = result.ec == std::errc() && result.ptr == rest.data() + rest.size();
    const bool canonical = rest.size() == 1 || !rest.starts_with('0');
    if (!whole || !canonical) minor = -1;
  }
  if (minor < 0 || minor > kNewestVersion) {
    findings.fault(
        version->position,
        fmt::format("Compose file version {} is not one for Swarm", in_quotes(version->text)),
        reads);
    return std::nullopt;
  }
  return minor;
}

void validate(Node& root, const ValidateOptions& options, Findings& findings,
              std::map<std::string, Position>& positions) {
  Validator(options, findings, positions).root(root);
}

}  // namespace hive::config
