// Which of a machine's things are a cluster's, by the marks that state.h names: what `hive down`
// may end and remove, and nothing else. Pure, but for reading the directory that is handed in.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace hive::cloud::local {

// Processes in `proc` (/proc) that have the mark as a whole variable of their environment; 1 never.
std::set<pid_t> marked_processes(const std::filesystem::path& proc, const std::string& mark);

// Mount points at or below one of the directories, the innermost first. `mounts`: the text of
// /proc/self/mounts.
std::vector<std::string> mounts_below(const std::string& mounts,
                                      const std::vector<std::string>& directories);

// The words after "iptables -w" that remove the rule, a line of `iptables -S`, when it has the mark
// as its comment.
std::optional<std::vector<std::string>> removal_of_rule(const std::string& rule,
                                                        const std::string& mark);

}  // namespace hive::cloud::local
