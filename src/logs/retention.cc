#include "logs/retention.h"

#include <algorithm>
#include <tuple>

namespace hive::logs {
namespace {

bool is_of(const std::string& name, const std::string& node) {
  const auto slash = name.find('/');
  return slash != std::string::npos && name.compare(slash + 1, node.size() + 1, node + ".") == 0;
}

}  // namespace

std::vector<std::string> expired(std::vector<StoredFile> files, const std::string& node,
                                 const std::set<std::string>& in_use, std::int64_t now_unix_s,
                                 const RetentionBounds& bounds) {
  std::erase_if(files, [&](const StoredFile& file) { return !is_of(file.name, node); });
  std::uint64_t total = 0;
  for (const StoredFile& file : files) total += file.bytes;
  std::sort(files.begin(), files.end(), [](const StoredFile& a, const StoredFile& b) {
    return std::tie(a.modified_unix_s, a.name) < std::tie(b.modified_unix_s, b.name);
  });
  const std::int64_t oldest =
      now_unix_s - std::chrono::duration_cast<std::chrono::seconds>(bounds.age).count();
  std::vector<std::string> names;
  for (const StoredFile& file : files) {
    const bool old = bounds.age.count() > 0 && file.modified_unix_s < oldest;
    const bool over = bounds.bytes > 0 && total > bounds.bytes;
    if ((!old && !over) || in_use.count(file.name) > 0) continue;
    total -= file.bytes;
    names.push_back(file.name);
  }
  return names;
}

}  // namespace hive::logs
