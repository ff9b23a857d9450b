#include "cloud/aws/form.h"

#include "net/http_client.h"

namespace hive::cloud::aws {

Form& Form::set(std::string name, std::string value) {
  values_.emplace_back(std::move(name), std::move(value));
  return *this;
}

Form& Form::set_unless_empty(std::string name, const std::string& value) {
  return value.empty() ? *this : set(std::move(name), value);
}

Form& Form::list(const std::string& name, const std::vector<std::string>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) set(nth(name, i), values[i]);
  return *this;
}

std::string Form::encoded() const {
  std::string out;
  for (const auto& [name, value] : values_)
    out += (out.empty() ? "" : "&") + net::percent_encode(name) + "=" + net::percent_encode(value);
  return out;
}

std::string nth(std::string_view name, std::size_t index) {
  return std::string(name) + "." + std::to_string(index + 1);
}

}  // namespace hive::cloud::aws
