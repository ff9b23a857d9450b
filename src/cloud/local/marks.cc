#include "cloud/local/marks.h"

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "os/file.h"

namespace hive::cloud::local {
namespace {

namespace fs = std::filesystem;

bool has_mark(const fs::path& process, const std::string& mark) {
  const auto environment = os::read_file(process / "environ", 4U << 20);
  if (!environment) return false;
  const auto entries = split(*environment, '\0');
  return std::find(entries.begin(), entries.end(), mark) != entries.end();
}

}  // namespace

std::set<pid_t> marked_processes(const fs::path& proc, const std::string& mark) {
  std::set<pid_t> out;
  std::error_code error;
  for (fs::directory_iterator at(proc, error), end; !error && at != end; at.increment(error)) {
    const pid_t pid = std::atoi(at->path().filename().c_str());
    if (pid > 1 && has_mark(at->path(), mark)) out.insert(pid);
  }
  return out;
}

std::vector<std::string> mounts_below(const std::string& mounts,
                                      const std::vector<std::string>& directories) {
  std::vector<std::string> out;
  for (const auto& line : split(mounts, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 2) continue;
    for (const auto& base : directories)
      if (fields[1] == base || fields[1].starts_with(base + "/")) out.push_back(fields[1]);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

std::optional<std::vector<std::string>> removal_of_rule(const std::string& rule,
                                                        const std::string& mark) {
  const auto words = split(rule, ' ');
  const bool ours = std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return word == mark || word == "\"" + mark + "\"";
  });
  if (!ours || words[0] != "-A") return std::nullopt;
  std::vector<std::string> out{"-D"};
  for (std::size_t i = 1; i < words.size(); ++i) {
    std::string word = words[i];
    std::erase(word, '"');
    out.push_back(word);
  }
  return out;
}

}  // namespace hive::cloud::local
