// SSM's Parameter Store in memory, as far as the notice board uses it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <string>

#include "base/json.h"

namespace hive::cloud::aws::testing {

class Parameters {
 public:
  struct Answer {
    int status = 200;
    std::string body;
  };
  // To a request with that x-amz-target.
  Answer answer(const std::string& target, const std::string& body) {
    const std::lock_guard lock(mutex_);
    const auto json = parse_json(body, "request");
    const std::string name = json_string(*json, "Name");
    if (target.ends_with("PutParameter")) {
      EXPECT_EQ(json_string(*json, "Type"), "SecureString");
      EXPECT_LE(json_string(*json, "Value").size(), 4'096U);
      if (values.contains(name) && !json_bool(*json, "Overwrite"))
        return fault("ParameterAlreadyExists");
      values[name] = json_string(*json, "Value");
      return {200, "{}"};
    }
    if (!values.contains(name)) return fault("ParameterNotFound");
    if (target.ends_with("DeleteParameter")) {
      values.erase(name);
      return {200, "{}"};
    }
    return {200, Json{{"Parameter", {{"Value", values[name]}}}}.dump()};
  }
  std::map<std::string, std::string> values;

 private:
  static Answer fault(const char* code) { return {400, Json{{"__type", code}}.dump()}; }
  std::mutex mutex_;
};

}  // namespace hive::cloud::aws::testing
