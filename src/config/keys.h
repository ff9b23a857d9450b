// Every key that a Compose file with x-hive may hold: one table, from which the validator, the
// "did you mean" hints and the check of docs/configuration.md all work.
// Source of the Compose rows: the behaviour of docker CLI 20.10 (versions 3.0 to 3.9) and, for
// what 3.10 to 3.13 added, docker CLI 28.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hive::config {

// What a value may be, as bits.
enum Types : unsigned {
  kText = 1,
  kInteger = 2,
  kNumber = 4,  // an integer or a fraction
  kBoolean = 8,
  kNothing = 16,  // null
  kSequence = 32,
  kMapping = 64,
  kAnything = 127,
};

enum class Format {
  kPlain,
  kDuration,     // text: "1m30s"
  kBytes,        // text: "512M"
  kListOrMap,    // list of "key=value", or a mapping to text, numbers or null
  kTextMap,      // mapping to text or numbers (driver_opts)
  kTextMapNull,  // likewise, null too
  kUniqueList,   // list of text, no value twice (or one text, where Types says so)
  kTextList,     // list of text
  kOpen,         // a mapping whose unknown keys are ignored, as docker does
};

enum class Treatment {
  kHonoured,    // as `docker stack deploy` does
  kIgnored,     // Swarm has no such setting: a warning
  kDeprecated,  // likewise, with docker's own reason in `note`
  kForbidden,   // refused, with the reason in `note`
  kSilent,      // accepted without effect and without a word, as docker does (depends_on)
};

struct Key {
  std::string_view path;  // "services.*.ports[].target"; `*` any name, `[]` any item
  unsigned types;
  Format format = Format::kPlain;
  int since = 0;  // lowest file version 3.N that has it
  Treatment treatment = Treatment::kHonoured;
  bool cast = false;              // text made by a $VARIABLE is converted to the type wanted
  std::string_view note;          // why ignored or refused; for x-hive keys: what it means
  std::string_view type_text;     // x-hive keys, for the documentation
  std::string_view default_text;  // likewise; empty = none
};

const std::vector<Key>& all_keys();

// The table as a tree.
struct Schema {
  const Key* key = nullptr;
  std::map<std::string, std::unique_ptr<Schema>, std::less<>> children;
  std::unique_ptr<Schema> any;   // `*`
  std::unique_ptr<Schema> item;  // `[]`
  // The schema of a member, or nullptr.
  const Schema* member(std::string_view name) const;
};

const Schema& schema();

}  // namespace hive::config
