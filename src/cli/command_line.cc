#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/help.h"

namespace hive::cli {
namespace {

// Declarations as data, for help, completion and documents.
class Recorder final : public Declare {
 public:
  std::vector<OptionInfo> options;
  void flag(const OptionInfo& info, bool*) override { options.push_back(info); }
  void text(const OptionInfo& info, std::optional<std::string>*) override {
    options.push_back(info);
  }
  void list(const OptionInfo& info, std::vector<std::string>*) override { options.push_back(info); }
  void argument(const OptionInfo& info, std::vector<std::string>*) override {
    OptionInfo copy = info;
    copy.argument = true;
    options.push_back(copy);
  }
  void rest(const OptionInfo& info, std::vector<std::string>* target) override {
    argument(info, target);
  }
};

// Declarations as CLI11 options of one app.
class Builder final : public Declare {
 public:
  explicit Builder(CLI::App& app) : app_(app) {}
  std::vector<std::string>* rest_target = nullptr;
  OptionInfo rest_info;

  void flag(const OptionInfo& info, bool* target) override {
    if (!taken(info)) app_.add_flag(info.names, *target, info.help);
  }
  void text(const OptionInfo& info, std::optional<std::string>* target) override {
    if (taken(info)) return;
    auto* option = app_.add_option_function<std::string>(
        info.names, [target](const std::string& value) { *target = value; }, info.help);
    option->take_last();
    if (!info.choices.empty()) option->check(CLI::IsMember(info.choices));
  }
  void list(const OptionInfo& info, std::vector<std::string>* target) override {
    if (taken(info)) return;
    app_.add_option(info.names, *target, info.help)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  void argument(const OptionInfo& info, std::vector<std::string>* target) override {
    auto* option = app_.add_option(info.names, *target, info.help);
    if (info.repeated) {
      option->expected(info.required ? 1 : 0, 1 << 20);
    } else {
      option->expected(info.required ? 1 : 0, 1);
    }
    option->required(info.required);
  }
  void rest(const OptionInfo& info, std::vector<std::string>* target) override {
    app_.prefix_command();
    rest_target = target;
    rest_info = info;
  }

 private:
  // A command's own --host (service create's extra hosts) goes before the global one.
  bool taken(const OptionInfo& info) {
    for (const auto& name : split(info.names, ',')) {
      if (app_.get_option_no_throw(name) != nullptr) return true;
    }
    return false;
  }
  CLI::App& app_;
};

std::vector<std::string> option_names(const std::vector<OptionInfo>& options) {
  std::vector<std::string> names;
  for (const auto& option : options) {
    if (option.argument) continue;
    for (auto& name : split(option.names, ',')) names.push_back(std::move(name));
  }
  return names;
}

int usage_error(Context& context, const std::string& path, const std::string& message) {
  context.note("hive: " + message);
  context.note("See '" + path + " --help'.");
  return kExitUsage;
}

std::string unknown_option(const std::string& word, const std::vector<OptionInfo>& options) {
  const auto bare = word.substr(0, word.find('='));
  std::string message = "unknown option " + bare;
  if (const auto near = did_you_mean(bare, option_names(options)))
    message += ": did you mean " + *near + "?";
  return message;
}

struct FoundCommand {
  const Command* command = nullptr;
  std::string path;
  std::size_t next = 0;  // first argument that is not part of the command's name
  bool help = false;
  std::optional<std::string> fault;
};

bool names_match(const Command& command, const std::string& word) {
  return command.name == word ||
         std::find(command.aliases.begin(), command.aliases.end(), word) != command.aliases.end();
}

// Takes a global option at arguments[i]; true when it was one.
bool take_global(const std::vector<std::string>& arguments, std::size_t& i, Globals& globals,
                 FoundCommand& found) {
  const std::string& word = arguments[i];
  const auto equals = word.find('=');
  const std::string name = word.substr(0, equals);
  std::string* target = nullptr;
  if (name == "--host" || name == "-H") target = &globals.host;
  if (name == "--cluster") target = &globals.cluster;
  if (target == nullptr) return false;
  if (equals != std::string::npos) {
    *target = word.substr(equals + 1);
  } else if (i + 1 < arguments.size()) {
    *target = arguments[++i];
  } else {
    found.fault = "option " + name + " needs a value";
  }
  return true;
}

// Walks from the root to the command that the arguments name.
FoundCommand find_command(const Command& root, const std::vector<std::string>& arguments,
                          Globals& globals) {
  FoundCommand found{.command = &root, .path = "hive"};
  std::size_t i = 0;
  for (; i < arguments.size() && !found.command->children.empty(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--help" || word == "-h" || (word == "help" && found.command == &root)) {
      found.help = true;
      continue;
    }
    if (take_global(arguments, i, globals, found)) {
      if (found.fault) return found;
      continue;
    }
    if (word.size() > 1 && word[0] == '-') {
      found.fault = unknown_option(word, global_options());
      return found;
    }
    const Command* next = nullptr;
    std::vector<std::string> names;
    for (const auto& child : found.command->children) {
      if (names_match(child, word)) next = &child;
      if (!child.hidden) names.push_back(child.name);
    }
    if (next == nullptr) {
      const std::string kind = found.command == &root ? "command" : found.path + " command";
      found.fault = "unknown " + kind + " '" + word + "'";
      if (const auto near = did_you_mean(word, names))
        *found.fault += ": did you mean '" + *near + "'?";
      return found;
    }
    found.command = next;
    found.path += " " + next->name;
  }
  found.next = i;
  return found;
}

// What CLI11 says, in this program's words.
std::string parse_fault(const CLI::ParseError& error, const CLI::App& app,
                        const std::vector<OptionInfo>& options) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    for (const auto& word : app.remaining()) {
      if (word.size() > 1 && word[0] == '-') return unknown_option(word, options);
    }
    const auto extra = app.remaining();
    return "unexpected argument '" + (extra.empty() ? std::string() : extra.front()) + "'";
  }
  std::string text = error.what();
  return text;
}

int run_leaf(const FoundCommand& found, const std::vector<std::string>& arguments,
             Context& context) {
  CLI::App app;
  app.set_help_flag();
  Builder builder(app);
  const auto options = options_of(*found.command);
  const Action action = found.command->declare(builder);
  bool help = false;
  std::optional<std::string> host;
  std::optional<std::string> cluster;
  const auto globals = global_options();
  builder.text(globals[0], &host);
  builder.text(globals[1], &cluster);
  builder.flag(OptionInfo{.names = "--help"}, &help);
  if (app.get_option_no_throw("-h") == nullptr) builder.flag(OptionInfo{.names = "-h"}, &help);

  // --help wins over whatever else is wrong with the line, up to a command of the container's.
  for (std::size_t i = found.next; i < arguments.size(); ++i) {
    if (arguments[i] == "--" || (builder.rest_target != nullptr && arguments[i][0] != '-')) break;
    if (arguments[i] == "--help") return print_help(*found.command, found.path, context);
  }
  std::vector<std::string> reversed(arguments.begin() + static_cast<std::ptrdiff_t>(found.next),
                                    arguments.end());
  std::reverse(reversed.begin(), reversed.end());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return usage_error(context, found.path, parse_fault(error, app, options));
  }
  if (help) return print_help(*found.command, found.path, context);
  if (host) context.globals.host = *host;
  if (cluster) context.globals.cluster = *cluster;
  if (builder.rest_target != nullptr) {
    *builder.rest_target = app.remaining();
    if (!builder.rest_target->empty() && builder.rest_target->front() == "--")
      builder.rest_target->erase(builder.rest_target->begin());
    if (!builder.rest_target->empty() && builder.rest_target->front().starts_with("-"))
      return usage_error(context, found.path,
                         unknown_option(builder.rest_target->front(), options));
    if (builder.rest_target->empty() && builder.rest_info.required)
      return usage_error(context, found.path, builder.rest_info.names + " is required");
  }
  return action(context);
}

}  // namespace

std::vector<OptionInfo> options_of(const Command& command) {
  Recorder recorder;
  if (command.declare) (void)command.declare(recorder);
  return recorder.options;
}

std::vector<OptionInfo> global_options() {
  return {{.names = "-H,--host",
           .value_name = "ADDRESS",
           .help = "Engine to talk to: unix:///path or tcp://host:port (HIVE_HOST)"},
          {.names = "--cluster",
           .value_name = "NAME",
           .help = "Local cluster to talk to (HIVE_CLUSTER)"},
          {.names = "--help", .help = "Print how the command is used"}};
}

int run_command_line(const std::vector<std::string>& arguments, Context& context) {
  const Command root = command_tree();
  if (arguments.size() == 1 && (arguments[0] == "--version" || arguments[0] == "-v"))
    return run_command_line({"version", "--short"}, context);
  const FoundCommand found = find_command(root, arguments, context.globals);
  if (found.fault) return usage_error(context, found.path, *found.fault);
  if (found.help) return print_help(*found.command, found.path, context);
  if (!found.command->declare) {
    print_help(*found.command, found.path, context);
    return arguments.empty() ? kExitOk : kExitUsage;
  }
  return run_leaf(found, arguments, context);
}

}  // namespace hive::cli
