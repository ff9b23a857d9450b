// What goes wrong again and again, told in the log once for each cause.
#pragma once

#include <map>
#include <string>

#include "base/log.h"
#include "base/result.h"

namespace hive::controller {

class Warnings {
 public:
  // A literal: it is kept.
  explicit Warnings(const char* component) : component_(component) {}

  void tell(const std::string& about, const Error& error) {
    std::string text = describe(error);
    if (told_[about] == text) return;
    log::warn(component_, "{}: {}", about, text);
    told_[about] = std::move(text);
  }
  // The next one about it is told, whatever it is.
  void over(const std::string& about) { told_.erase(about); }

 private:
  const char* component_;
  std::map<std::string, std::string> told_;  // about -> the last warning
};

}  // namespace hive::controller
