// The dashboard's built files, embedded in the binary (cmake/embed.py).
#pragma once

#include <string_view>

namespace hive::controller {

struct Asset {
  std::string_view path;  // "/app.js"
  std::string_view content_type;
  std::string_view content;
};

// The file of that path ("/" is index.html), or nullptr.
const Asset* find_asset(std::string_view path);

}  // namespace hive::controller
