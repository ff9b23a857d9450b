// The parameters of one call in a query protocol, by their names on the wire.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hive::cloud::aws {

class Form {
 public:
  Form& set(std::string name, std::string value);
  Form& set(std::string name, const char* value) {
    return set(std::move(name), std::string(value));
  }
  Form& set(std::string name, std::int64_t value) {
    return set(std::move(name), std::to_string(value));
  }
  Form& flag(std::string name, bool value) {
    return set(std::move(name), value ? "true" : "false");
  }
  // Left out when the value is empty.
  Form& set_unless_empty(std::string name, const std::string& value);
  // NAME.1, NAME.2, ... The list's whole name on the wire: "Filter.1.Value", "Names.member".
  Form& list(const std::string& name, const std::vector<std::string>& values);

  const std::vector<std::pair<std::string, std::string>>& values() const { return values_; }
  // As application/x-www-form-urlencoded.
  std::string encoded() const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

// "NAME.N", N counted from 1.
std::string nth(std::string_view name, std::size_t index);

}  // namespace hive::cloud::aws
