#include "cloud/local/user_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::cloud::local {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(CloudConfig, ReadsFilesAndCommands) {
  const auto config = parse_cloud_config(R"(#cloud-config
bootcmd:
  - echo boot
write_files:
  - path: /etc/a
    content: "one\n"
    permissions: '0600'
  - path: /etc/b
    content: two
    append: true
runcmd:
  - [sh, -c, "echo $HOME", 7]
  - echo run
)");
  ASSERT_TRUE(config) << describe(config.error());
  EXPECT_THAT(config->bootcmd, ElementsAre(ElementsAre("/bin/sh", "-c", "echo boot")));
  EXPECT_THAT(config->runcmd, ElementsAre(ElementsAre("sh", "-c", "echo $HOME", "7"),
                                          ElementsAre("/bin/sh", "-c", "echo run")));
  ASSERT_EQ(config->write_files.size(), 2U);
  EXPECT_EQ(config->write_files[0].content, "one\n");
  EXPECT_EQ(config->write_files[0].permissions, "0600");
  EXPECT_FALSE(config->write_files[0].append);
  EXPECT_EQ(config->write_files[1].permissions, "0644");
  EXPECT_TRUE(config->write_files[1].append);
}

TEST(CloudConfig, AnEmptyOneDoesNothing) {
  const auto config = parse_cloud_config("#cloud-config\n");
  ASSERT_TRUE(config) << describe(config.error());
  EXPECT_TRUE(config->bootcmd.empty() && config->runcmd.empty() && config->write_files.empty());
}

TEST(CloudConfig, WhatIsNotKnownIsNamedAndNotLeftOut) {
  const auto refused = [](const std::string& text) {
    const auto config = parse_cloud_config("#cloud-config\n" + text);
    return config ? std::string("taken") : config.error().message;
  };
  EXPECT_THAT(refused("packages: [vim]\n"), HasSubstr("\"packages\" is not known"));
  EXPECT_THAT(refused("runcmd: echo\n"), HasSubstr("runcmd must be a list"));
  EXPECT_THAT(refused("runcmd: [{a: b}]\n"), HasSubstr("neither text nor a list"));
  EXPECT_THAT(refused("bootcmd: [[]]\n"), HasSubstr("neither text nor a list"));
  EXPECT_THAT(refused("write_files: [{path: relative}]\n"), HasSubstr("absolute path"));
  EXPECT_THAT(refused("write_files: [{path: /a, encoding: b64}]\n"), HasSubstr("encoding"));
  EXPECT_THAT(refused("write_files: {path: /a}\n"), HasSubstr("must be a list"));
  EXPECT_THAT(refused("- a\n"), HasSubstr("must be a mapping"));
  EXPECT_THAT(refused("a: [\n"), HasSubstr("no valid YAML"));
}

TEST(UserData, WithoutAKnownBeginningIsNotRun) {
  const auto run = run_user_data("echo hello\n", true);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, Errc::kUnsupported);
  EXPECT_TRUE(run_user_data("", true));
  EXPECT_TRUE(run_user_data("#!/bin/false\n", false)) << "a script runs at the first boot alone";
}

TEST(UserData, CommandsRunAtTheirBootAndGoOnAfterOneThatFailed) {
  const std::string text = "#cloud-config\nbootcmd: [[\"false\"], [\"true\"]]\n";
  const auto run = run_user_data(text, false);
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().message, HasSubstr("false ended with 1"));
}

}  // namespace
}  // namespace hive::cloud::local
