// The command tree of the `hive` binary, declared once: parsing, --help, shell completion and the
// check of docs/commands.md all read the same declarations. One command a file (node.cc, ...).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hive::cli {

class Context;

// Exit codes; scripts may rely on them (docs/commands.md).
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;         // the command line is wrong
inline constexpr int kExitNotConverged = 3;  // written, but not there within the deadline
inline constexpr int kExitNotFound = 4;
inline constexpr int kExitUnreachable = 5;  // no engine, no manager, no cluster to talk to
inline constexpr int kExitRefused = 6;      // configuration or preflight: nothing was done
inline constexpr int kExitInterrupted = 130;

// What an option's or argument's value names; completion asks the cluster for it.
enum class ValueKind { kPlain, kNode, kService, kVolume, kStack, kInstance, kTask, kFile };

struct OptionInfo {
  std::string names;       // "-q,--quiet"; for an argument its upper-case name
  std::string value_name;  // empty for a flag
  std::string help;
  bool argument = false;
  bool required = false;
  bool repeated = false;
  ValueKind kind = ValueKind::kPlain;
  std::vector<std::string> choices;
};

// Receives a command's declarations. Targets must live as long as the returned action.
class Declare {
 public:
  virtual ~Declare() = default;
  virtual void flag(const OptionInfo& info, bool* target) = 0;
  virtual void text(const OptionInfo& info, std::optional<std::string>* target) = 0;
  virtual void list(const OptionInfo& info, std::vector<std::string>* target) = 0;
  virtual void argument(const OptionInfo& info, std::vector<std::string>* target) = 0;
  // Everything from the first word that is no option, options of its own included:
  // "IMAGE [COMMAND] [ARG...]".
  virtual void rest(const OptionInfo& info, std::vector<std::string>* target) = 0;

  void flag(const char* names, bool* target, const char* help) {
    flag(OptionInfo{.names = names, .help = help}, target);
  }
  void text(const char* names, const char* value, std::optional<std::string>* target,
            const char* help, ValueKind kind = ValueKind::kPlain) {
    text(OptionInfo{.names = names, .value_name = value, .help = help, .kind = kind}, target);
  }
  void list(const char* names, const char* value, std::vector<std::string>* target,
            const char* help, ValueKind kind = ValueKind::kPlain) {
    list(
        OptionInfo{
            .names = names, .value_name = value, .help = help, .repeated = true, .kind = kind},
        target);
  }
  void one(const char* name, std::vector<std::string>* target, const char* help,
           ValueKind kind = ValueKind::kPlain) {
    argument(OptionInfo{.names = name, .help = help, .required = true, .kind = kind}, target);
  }
  void some(const char* name, std::vector<std::string>* target, const char* help,
            ValueKind kind = ValueKind::kPlain, bool required = true) {
    argument(
        OptionInfo{
            .names = name, .help = help, .required = required, .repeated = true, .kind = kind},
        target);
  }
};

using Action = std::function<int(Context&)>;

struct Command {
  std::string name;
  std::string summary;
  // Declares the options and returns what to do once they are parsed. Empty for a group.
  std::function<Action(Declare&)> declare;
  std::vector<Command> children;
  bool hidden = false;
  // Other names of the same command ("list" for "ls").
  std::vector<std::string> aliases;
};

// The whole tree.
Command command_tree();

// The options of a command, as declared.
std::vector<OptionInfo> options_of(const Command& command);
// Options that every command takes: --host, --cluster, --help.
std::vector<OptionInfo> global_options();

// Parses and runs: argv without the program's name. Returns the exit code.
int run_command_line(const std::vector<std::string>& arguments, Context& context);

}  // namespace hive::cli
