#include "cli/help.h"

#include <algorithm>

#include "base/text.h"
#include "cli/context.h"

namespace hive::cli {
namespace {

std::string option_head(const OptionInfo& option) {
  auto names = split(option.names, ',');
  std::string head = names.front().starts_with("--") ? "    " : "";
  head += join(names, ", ");
  if (!option.value_name.empty()) head += " " + option.value_name;
  return head;
}

void print_help_rows(const std::vector<std::pair<std::string, std::string>>& rows,
                     Context& context) {
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, std::min<std::size_t>(row.first.size(), 36));
  for (const auto& [head, help] : rows) {
    const std::size_t gap = head.size() >= width ? 2 : width - head.size() + 2;
    context.line("  " + head + std::string(gap, ' ') + help);
  }
}

}  // namespace

std::string usage_line(const Command& command, const std::string& path) {
  std::string line = path;
  if (!command.children.empty()) return line + " COMMAND";
  const auto options = options_of(command);
  line += " [OPTIONS]";
  for (const auto& option : options) {
    if (!option.argument) continue;
    std::string name = option.names;
    if (option.repeated) name += "...";
    line += option.required ? " " + name : " [" + name + "]";
  }
  return line;
}

int print_help(const Command& command, const std::string& path, Context& context) {
  context.line("Usage: " + usage_line(command, path));
  context.line("");
  context.line(command.summary);
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& child : command.children) {
    if (!child.hidden) rows.emplace_back(child.name, child.summary);
  }
  if (!rows.empty()) {
    context.line("\nCommands:");
    print_help_rows(rows, context);
    rows.clear();
  }
  auto options = options_of(command);
  const auto has = [&](const std::string& name) {
    return std::any_of(options.begin(), options.end(), [&](const OptionInfo& option) {
      const auto names = split(option.names, ',');
      return std::find(names.begin(), names.end(), name) != names.end();
    });
  };
  for (const auto& option : global_options()) {
    if (!has(split(option.names, ',').back())) options.push_back(option);
  }
  for (const auto& option : options) {
    if (!option.argument) rows.emplace_back(option_head(option), option.help);
  }
  context.line("\nOptions:");
  print_help_rows(rows, context);
  if (!command.children.empty())
    context.line("\nRun '" + path + " COMMAND --help' for more on a command.");
  return kExitOk;
}

}  // namespace hive::cli
