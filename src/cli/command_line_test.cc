#include <gtest/gtest.h>

#include <cstdio>
#include <set>

#include "cli/command.h"
#include "cli/context.h"
#include "cli/plugin.h"
#include "cli/reference.h"
#include "os/file.h"

namespace hive::cli {
namespace {

struct Run {
  int code = 0;
  std::string out;
  std::string err;
};

std::string drain(std::FILE* file) {
  std::string text;
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

// An address where nothing listens, so that no test talks to an engine of this machine.
Run run(const std::vector<std::string>& words) {
  Context context;
  context.out = std::tmpfile();
  context.err = std::tmpfile();
  context.globals.host = "unix:///nonexistent/engine.sock";
  Run result;
  result.code = run_command_line(words, context);
  result.out = drain(context.out);
  result.err = drain(context.err);
  return result;
}

TEST(CommandLine, MisspeltCommandsGetAHint) {
  const auto result = run({"nod", "ls"});
  EXPECT_EQ(result.code, kExitUsage);
  EXPECT_EQ(result.err, "hive: unknown command 'nod': did you mean 'node'?\nSee 'hive --help'.\n");
  EXPECT_EQ(result.out, "");
}

TEST(CommandLine, MisspeltSubcommandsAndOptionsToo) {
  EXPECT_EQ(run({"service", "scael", "a=1"}).err,
            "hive: unknown hive service command 'scael': did you mean 'scale'?\n"
            "See 'hive service --help'.\n");
  EXPECT_EQ(run({"node", "ls", "--fromat", "json"}).err,
            "hive: unknown option --fromat: did you mean --format?\nSee 'hive node ls --help'.\n");
}

TEST(CommandLine, MissingAndSuperfluousArgumentsAreUsageErrors) {
  EXPECT_EQ(run({"service", "rm"}).code, kExitUsage);
  EXPECT_EQ(run({"service", "create"}).code, kExitUsage);
  EXPECT_EQ(run({"version", "x"}).code, kExitUsage);
  EXPECT_EQ(run({"node", "ls", "--format", "yaml"}).code, kExitUsage);
  EXPECT_EQ(run({"node", "ls", "--format"}).code, kExitUsage);
}

TEST(CommandLine, NobodyToTalkToHasItsOwnCode) {
  const auto result = run({"node", "ls"});
  EXPECT_EQ(result.code, kExitUnreachable);
  EXPECT_EQ(result.err.rfind("hive: ", 0), 0U);
  EXPECT_EQ(result.out, "");
}

TEST(CommandLine, FaultsOfFlagsAreFoundBeforeAnybodyIsAsked) {
  const auto result = run({"service", "create", "--publish", "80:80:80:80", "image"});
  EXPECT_EQ(result.code, kExitUsage);
  EXPECT_EQ(run({"service", "scale", "web=-1"}).code, kExitUsage);
}

TEST(CommandLine, OptionsOfTheContainersCommandAreItsOwn) {
  // -x and --help belong to the container; only the unreachable engine stops this.
  EXPECT_EQ(run({"service", "create", "--name", "a", "image", "cmd", "-x", "--help"}).code,
            kExitUnreachable);
}

TEST(CommandLine, HelpWorksEverywhere) {
  EXPECT_EQ(run({"--help"}).code, kExitOk);
  EXPECT_EQ(run({"service", "--help"}).code, kExitOk);
  const auto result = run({"service", "scale", "--help"});
  EXPECT_EQ(result.code, kExitOk);
  EXPECT_EQ(result.out.rfind("Usage: hive service scale [OPTIONS] SERVICE=REPLICAS...\n", 0), 0U);
}

TEST(CommandLine, AServicesOwnHostOptionGoesBeforeTheGlobalOne) {
  EXPECT_EQ(run({"service", "create", "--host", "a:1.2.3.4", "image"}).code, kExitUnreachable);
}

TEST(CommandLine, CompletionOffersCommandsOptionsAndChoices) {
  EXPECT_EQ(run({"__complete", "nod"}).out, "node\n");
  EXPECT_NE(run({"__complete", "service", ""}).out.find("scale\n"), std::string::npos);
  EXPECT_EQ(run({"__complete", "node", "ls", "--format", ""}).out, "table\njson\n");
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_NE(run({"completion", shell}).out.find("__complete"), std::string::npos);
  EXPECT_EQ(run({"completion", "tcsh"}).code, kExitUsage);
}

void check_names(const Command& command, const std::string& path) {
  std::set<std::string> seen;
  for (const auto& child : command.children) {
    EXPECT_TRUE(seen.insert(child.name).second) << path << " has " << child.name << " twice";
    EXPECT_FALSE(child.summary.empty()) << path << " " << child.name;
    EXPECT_TRUE(child.children.empty() == static_cast<bool>(child.declare)) << child.name;
    check_names(child, path + " " + child.name);
  }
}

TEST(CommandTree, EveryCommandHasOneNameASummaryAndParses) {
  const auto tree = command_tree();
  check_names(tree, "hive");
}

// docs/commands.md holds what `hive __reference` prints, word for word.
TEST(CommandTree, TheDocumentMatchesTheCommands) {
  const auto document = os::read_file(HIVE_SOURCE_DIR "/docs/commands.md");
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_NE(document->find(command_reference(command_tree())), std::string::npos)
      << "docs/commands.md is out of date: replace its reference by what 'hive __reference' prints";
}

TEST(Plugin, DropsTheNameThatDockerPutsFirst) {
  std::vector<std::string> words = {"hive", "node", "ls"};
  EXPECT_FALSE(plugin_entry("/usr/lib/docker/cli-plugins/docker-hive", words));
  EXPECT_EQ(words, (std::vector<std::string>{"node", "ls"}));
  words = {"node", "ls"};
  EXPECT_FALSE(plugin_entry("/usr/bin/hive", words));
  EXPECT_EQ(words.size(), 2U);
}

TEST(Plugin, DockersOwnOptionsStandBeforeItsName) {
  const std::string program = "/usr/lib/docker/cli-plugins/docker-hive";
  std::vector<std::string> words = {"-D", "--log-level=debug", "-H", "tcp://a:1", "hive", "node",
                                    "ls"};
  EXPECT_FALSE(plugin_entry(program, words));
  EXPECT_EQ(words, (std::vector<std::string>{"--host", "tcp://a:1", "node", "ls"}));
  words = {"--host=tcp://b:2", "hive", "--cluster", "hive", "version"};
  EXPECT_FALSE(plugin_entry(program, words));
  EXPECT_EQ(words,
            (std::vector<std::string>{"--host", "tcp://b:2", "--cluster", "hive", "version"}));
  words = {"--context", "prod", "hive", "node", "ls"};
  EXPECT_EQ(plugin_entry(program, words), kExitUsage);
}

}  // namespace
}  // namespace hive::cli
