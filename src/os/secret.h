// Secrets: random text from the kernel, never from a seeded generator, and text that nothing
// prints.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "base/result.h"

namespace hive::os {

// A password, key or token. It has no way into a stream, a format string or a log line: who needs
// the text says reveal(), which is easy to search for. Owns its text; a value type.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  std::string text_;
};

// `bytes` random bytes as lower-case hexadecimal (two characters each).
Result<std::string> random_hex(std::size_t bytes);

}  // namespace hive::os
