// Collects what is wrong in the text, bounded, sorted by position when asked for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/compose.h"

namespace hive::config {

class Findings {
 public:
  // `sources` gives the offending lines; it must outlive this object.
  explicit Findings(const std::vector<SourceFile>& sources) : sources_(&sources) {}

  void fault(Position position, std::string message, std::string hint = "");
  void warn(Position position, std::string message, std::string hint = "");
  bool has_faults() const { return !faults_.empty(); }

  // Sorted by file, line, column; repeated ones (an aliased block read twice) once.
  std::vector<Finding> faults() const;
  std::vector<Finding> warnings() const;
  std::size_t dropped() const { return dropped_; }

 private:
  void add(std::vector<Finding>& to, Severity severity, Position position, std::string message,
           std::string hint);

  const std::vector<SourceFile>* sources_;
  std::vector<Finding> faults_;
  std::vector<Finding> warnings_;
  std::size_t dropped_ = 0;
};

// The hint "did you mean "x"?" when one of the candidates is near; else "".
std::string suggest(std::string_view word, const std::vector<std::string>& candidates);

// Text from a file for a message: control bytes and broken UTF-8 escaped, cut after 60 bytes.
std::string in_quotes(std::string_view text);

}  // namespace hive::config
