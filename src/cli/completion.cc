// hive completion: a script for the shell, which asks `hive __complete WORDS...` for candidates, so
// that names of nodes, services and the rest come from the cluster itself.
#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/look.h"

namespace hive::cli {
namespace {

constexpr const char* kBash = R"(_hive() {
  local IFS=$'\n'
  COMPREPLY=($(hive __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  if [ ${#COMPREPLY[@]} -eq 1 ] && [ "${COMPREPLY[0]}" = ":files" ]; then
    COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
  fi
}
complete -o nosort -F _hive hive
)";
constexpr const char* kZsh = R"(#compdef hive
_hive() {
  local -a candidates
  candidates=("${(@f)$(hive __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "${candidates[1]}" == ":files" ]]; then
    _files
  else
    compadd -- $candidates
  fi
}
compdef _hive hive
)";
constexpr const char* kFish = R"(function __hive_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (hive __complete $words[2..-1] 2>/dev/null)
  if test "$found" = ":files"
    __fish_complete_path (commandline -ct)
  else
    string join \n -- $found
  end
end
complete -c hive -f -a '(__hive_complete)'
)";

std::vector<std::string> names_of(Context& context, ValueKind kind) {
  std::vector<std::string> names;
  auto engine = context.engine();
  if (!engine) return names;
  if (kind == ValueKind::kNode) {
    if (const auto nodes = (*engine)->list_nodes())
      for (const auto& node : *nodes) names.push_back(node.hostname);
  } else if (kind == ValueKind::kService) {
    if (const auto services = (*engine)->list_services())
      for (const auto& service : *services) names.push_back(service.name);
  } else if (kind == ValueKind::kVolume) {
    if (const auto volumes = (*engine)->list_volumes())
      for (const auto& volume : *volumes) names.push_back(json_string(volume, "Name"));
  } else if (kind == ValueKind::kTask) {
    if (const auto look = look_at(**engine))
      for (const auto& task : look->tasks) names.push_back(task_name(*look, task));
  } else if (kind == ValueKind::kStack) {
    if (const auto services = (*engine)->list_services()) {
      for (const auto& service : *services) {
        const auto label = service.labels.find("com.docker.stack.namespace");
        if (label != service.labels.end()) names.push_back(label->second);
      }
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

const OptionInfo* option_named(const std::vector<OptionInfo>& options, const std::string& word) {
  for (const auto& option : options) {
    const auto names = split(option.names, ',');
    if (!option.argument && std::find(names.begin(), names.end(), word) != names.end())
      return &option;
  }
  return nullptr;
}

std::vector<std::string> candidates_of(Context& context, const OptionInfo& option) {
  if (!option.choices.empty()) return option.choices;
  if (option.kind == ValueKind::kFile) return {":files"};
  return names_of(context, option.kind);
}

std::vector<std::string> leaf_candidates(Context& context, const Command& command,
                                         const std::vector<std::string>& words) {
  auto options = options_of(command);
  for (const auto& option : global_options()) options.push_back(option);
  const std::string& last = words.back();
  if (words.size() > 1) {
    const auto* before = option_named(options, words[words.size() - 2]);
    if (before != nullptr && !before->value_name.empty()) return candidates_of(context, *before);
  }
  std::vector<std::string> found;
  if (last.starts_with("-")) {
    for (const auto& option : options) {
      if (!option.argument) found.push_back(split(option.names, ',').back());
    }
    return found;
  }
  for (const auto& option : options) {
    if (option.argument) return candidates_of(context, option);
  }
  return found;
}

int complete(Context& context, std::vector<std::string> words) {
  if (words.empty()) words.emplace_back();
  const Command root = command_tree();
  const Command* command = &root;
  std::size_t i = 0;
  for (; i + 1 < words.size() && !command->children.empty(); ++i) {
    const auto next = std::find_if(command->children.begin(), command->children.end(),
                                   [&](const Command& c) { return c.name == words[i]; });
    if (next == command->children.end()) return kExitOk;
    command = &*next;
  }
  std::vector<std::string> found;
  if (command->children.empty()) {
    found = leaf_candidates(context, *command,
                            {words.begin() + static_cast<std::ptrdiff_t>(i), words.end()});
  } else {
    for (const auto& child : command->children) {
      if (!child.hidden) found.push_back(child.name);
    }
  }
  for (const auto& word : found) {
    if (word.starts_with(words.back()) || word == ":files") context.line(word);
  }
  return kExitOk;
}

}  // namespace

Command completion_command() {
  return {.name = "completion",
          .summary = "A completion script for the shell",
          .declare = [](Declare& declare) -> Action {
            auto shell = std::make_shared<std::vector<std::string>>();
            declare.argument({.names = "SHELL",
                              .help = "bash, zsh or fish",
                              .required = true,
                              .choices = {"bash", "zsh", "fish"}},
                             shell.get());
            return [shell](Context& context) {
              const std::string& name = shell->front();
              if (name == "bash")
                context.print(kBash);
              else if (name == "zsh")
                context.print(kZsh);
              else if (name == "fish")
                context.print(kFish);
              else
                return context.fail(kExitUsage,
                                    "shell '" + name + "' is not one of bash, zsh, fish");
              return kExitOk;
            };
          }};
}

Command complete_command() {
  return {.name = "__complete",
          .summary = "Candidates for a shell's completion",
          .declare = [](Declare& declare) -> Action {
            auto words = std::make_shared<std::vector<std::string>>();
            declare.rest({.names = "WORD...", .help = "The command line so far"}, words.get());
            return [words](Context& context) { return complete(context, *words); };
          },
          .hidden = true};
}

}  // namespace hive::cli
