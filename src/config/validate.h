// Walks one document against the key table: variables are put in, types and keys are checked,
// every fault is reported. What comes out has the right type wherever no fault was reported.
#pragma once

#include <string>

#include "config/document.h"
#include "config/findings.h"

namespace hive::config {

struct ValidateOptions {
  const StringMap* environment = nullptr;
  int version = 0;  // 3.N
  bool has_dot_env = false;
};

// Changes the tree in place. Fills `positions` by path.
void validate(Node& root, const ValidateOptions& options, Findings& findings,
              std::map<std::string, Position>& positions);

// "3.8" of a document, as its minor number; reports and gives std::nullopt when it is missing or
// not one that is read.
std::optional<int> file_version(const Node& root, Findings& findings);

}  // namespace hive::config
