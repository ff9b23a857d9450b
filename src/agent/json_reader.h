// Reading the messages of agents and controllers: members are checked, the first fault is kept with
// its place, unknown members are passed over so that versions can differ by one.
#pragma once

#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/json.h"

namespace hive::agent {

// Reads one object's members, remembers the first fault with its place.
class JsonReader {
 public:
  JsonReader(const Json& value, std::string place, std::string& fault)
      : value_(value), place_(std::move(place)), fault_(fault) {
    if (!value.is_object()) note("", "must be an object");
  }

  void text(const char* key, std::string& into, std::size_t max_bytes = 4096) {
    const Json* member = find(key);
    if (member == nullptr) return;
    if (!member->is_string()) return note(key, "must be a string");
    into = member->get<std::string>();
    if (into.size() > max_bytes) note(key, "is too long");
    for (const char c : into)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
        return note(key, "has a control character");
  }
  void flag(const char* key, bool& into) {
    const Json* member = find(key);
    if (member == nullptr) return;
    if (!member->is_boolean()) return note(key, "must be true or false");
    into = member->get<bool>();
  }
  template <typename T>
  void number(const char* key, T& into) {
    const Json* member = find(key);
    if (member == nullptr) return;
    if (!member->is_number_integer()) return note(key, "must be a whole number");
    if constexpr (std::is_signed_v<T>) {
      into = member->get<T>();
    } else {
      if (!member->is_number_unsigned() ||
          member->get<std::uint64_t>() > std::numeric_limits<T>::max())
        return note(key, "is out of range");
      into = member->get<T>();
    }
  }
  template <typename T, typename Read>
  void list(const char* key, std::vector<T>& into, std::size_t max_items, Read read) {
    const Json* member = find(key);
    if (member == nullptr) return;
    if (!member->is_array()) return note(key, "must be a list");
    if (member->size() > max_items) return note(key, "has too many items");
    into.reserve(member->size());
    for (std::size_t i = 0; i < member->size() && fault_.empty(); ++i) {
      into.emplace_back();
      read((*member)[i], at(key) + "[" + std::to_string(i) + "]", into.back(), fault_);
    }
  }
  template <typename T, typename Read>
  void map(const char* key, std::map<std::string, T>& into, std::size_t max_items, Read read) {
    const Json* member = find(key);
    if (member == nullptr) return;
    if (!member->is_object()) return note(key, "must be an object");
    if (member->size() > max_items) return note(key, "has too many members");
    for (const auto& [name, value] : member->items())
      if (fault_.empty()) read(value, at(key) + "." + name, into[name], fault_);
  }
  void require(bool holds, const char* key, const char* reason) {
    if (!holds) note(key, reason);
  }

 private:
  const Json* find(const char* key) const {
    return fault_.empty() ? json_member(value_, key) : nullptr;
  }
  std::string at(const char* key) const {
    if (*key == '\0') return place_;
    return place_.empty() ? key : place_ + "." + key;
  }
  void note(const char* key, const char* reason) {
    if (fault_.empty()) fault_ = at(key) + " " + reason;
  }

  const Json& value_;
  std::string place_;
  std::string& fault_;
};

inline void read_text(const Json& json, const std::string& place, std::string& into,
                      std::string& fault) {
  if (json.is_string())
    into = json.get<std::string>();
  else if (fault.empty())
    fault = place + " must be a string";
}

// Names come from outside; bytes that are not UTF-8 are replaced, never thrown about.
std::string dump_json(const Json& json);
// kCorrupt when it is larger than a message may be, or no JSON.
Result<Json> parse_message(std::string_view text, std::string_view what);

}  // namespace hive::agent
