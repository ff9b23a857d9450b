// YAML text -> a tree with positions, in which aliases and merges are resolved and plain scalars
// have the types that docker's YAML 1.1 reader gives them (0440 is 288, `yes` is true, quoted text
// is text). Every size is bounded: depth, nodes after alias expansion, bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/compose.h"
#include "config/findings.h"

namespace hive::config {

struct Entry;

struct Node {
  enum class Kind { kNull, kBool, kInt, kFloat, kString, kList, kMap };
  Kind kind = Kind::kNull;
  Position position;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;            // kString: the value; other scalars: as written
  std::vector<Node> items;     // kList
  std::vector<Entry> entries;  // kMap, in the order of the file, keys unique

  bool is(Kind wanted) const { return kind == wanted; }
  bool is_null() const { return kind == Kind::kNull; }
  bool is_string() const { return kind == Kind::kString; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_map() const { return kind == Kind::kMap; }
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
};

struct Entry {
  std::string key;
  Position position;  // the key's
  Node value;
};

inline constexpr int kMaxDepth = 60;
inline constexpr std::size_t kMaxNodes = 200'000;

// The document of sources[file]; std::nullopt when it cannot be read at all (a fault says why).
// Duplicate and non-string keys, unknown aliases and so on are faults too, all of them reported.
std::optional<Node> parse_document(const std::vector<SourceFile>& sources, std::uint32_t file,
                                   Findings& findings);

// The type and value of a plain scalar, by YAML 1.1 as docker reads it.
Node plain_scalar(std::string_view text, Position position);

// A scalar as Compose makes text of it, for environment values and labels: 0440 -> "288",
// 1.0 -> "1", yes -> "true". Null, lists and maps give "".
std::string scalar_text(const Node& node);

// "a string", "an integer", ... for messages.
std::string_view kind_name(Node::Kind kind);

}  // namespace hive::config
