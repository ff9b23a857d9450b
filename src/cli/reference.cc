#include "cli/reference.h"

#include "base/text.h"
#include "cli/context.h"
#include "cli/help.h"

namespace hive::cli {
namespace {

void describe(const Command& command, const std::string& path, std::string& text) {
  for (const auto& child : command.children) {
    if (child.hidden) continue;
    const std::string name = path + " " + child.name;
    if (!child.children.empty()) {
      text += "### " + name + "\n\n" + child.summary + ".\n\n";
      describe(child, name, text);
      continue;
    }
    text += "#### " + name + "\n\n" + child.summary + ".\n\n```\n" + usage_line(child, name) +
            "\n```\n\n";
    bool any = false;
    for (const auto& option : options_of(child)) {
      std::string head = join(split(option.names, ','), ", ");
      if (!option.value_name.empty()) head += " " + option.value_name;
      text += "- `" + head + "`: " + option.help + "\n";
      any = true;
    }
    if (any) text += "\n";
  }
}

}  // namespace

std::string command_reference(const Command& root) {
  std::string text;
  describe(root, root.name, text);
  return text;
}

Command reference_command() {
  return {.name = "__reference",
          .summary = "The command reference as Markdown",
          .declare = [](Declare&) -> Action {
            return [](Context& context) {
              context.print(command_reference(command_tree()));
              return kExitOk;
            };
          },
          .hidden = true};
}

}  // namespace hive::cli
