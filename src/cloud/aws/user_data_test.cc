#include "cloud/aws/user_data.h"

#include <gmock/gmock.h>

#include "base/text.h"

namespace hive::cloud::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A file's content, as cloud-init would write it.
std::string content_of(const std::string& data, const std::string& path) {
  std::string out;
  bool here = false;
  bool inside = false;
  for (const auto& line : split(data, '\n')) {
    if (line.starts_with("  - path: ")) here = line == "  - path: " + path, inside = false;
    if (inside && !line.starts_with("      ")) here = inside = false;
    if (inside) out += line.substr(6) + "\n";
    if (here && line == "    content: |") inside = true;
  }
  return out;
}

UserData shop() { return {.node = {"shop", "worker", "eu-central-1"}}; }

TEST(UserData, TellsTheNodeWhatItIsAndNoMore) {
  const auto data = user_data(shop());
  EXPECT_TRUE(data.starts_with("#cloud-config\n"));
  const auto node = parse_node_file(content_of(data, kNodeFile));
  ASSERT_TRUE(node) << node.error().message;
  EXPECT_EQ(*node, shop().node);
  for (const char* secret : {"SWMTKN", "token", "password", "secret", "AWS_"})
    EXPECT_THAT(data, Not(HasSubstr(secret)));
  EXPECT_LT(data.size(), 12'000U) << "AWS takes 16 KiB";
}

TEST(UserData, EveryLineOfABlockIsInsideIt) {
  const auto boot = content_of(user_data(shop()), "/usr/local/lib/hive/boot.sh");
  EXPECT_TRUE(boot.starts_with("#!/bin/sh\n"));
  EXPECT_TRUE(boot.ends_with("exec hive node-boot\n"));
  EXPECT_TRUE(parse_json(content_of(user_data(shop()), "/etc/docker/daemon.json"), "daemon.json"));
}

TEST(BakeUserData, InstallsForgetsAndPowersOff) {
  const auto data = bake_user_data("https://example.org/hive.deb", "00");
  EXPECT_TRUE(data.starts_with("#cloud-config\n"));
  const auto script = content_of(data, "/usr/local/lib/hive/boot.sh");
  EXPECT_TRUE(script.starts_with("#!/bin/sh\n"));
  EXPECT_TRUE(script.ends_with("touch /run/hive-baked\n"));
  EXPECT_THAT(script, Not(HasSubstr("node-boot")));
  EXPECT_THAT(data, HasSubstr("condition: test -e /run/hive-baked\n"));
  EXPECT_EQ(content_of(data, kNodeFile), "") << "no machine is a node before it is asked to be";
}

TEST(UserData, AUrlCannotLeaveItsQuotes) {
  auto from = shop();
  from.package = "https://example.org/hive.deb?a='; reboot '";
  from.package_sha256 = "00";
  EXPECT_EQ(content_of(user_data(from), "/etc/hive/boot.env"),
            "PACKAGE='https://example.org/hive.deb?a='\\''; reboot '\\'''\nPACKAGE_SHA256='00'\n");
}

TEST(NodeFile, IsRefusedWithTheReason) {
  EXPECT_THAT(parse_node_file("{}").error().message, HasSubstr("names no cluster"));
  EXPECT_THAT(parse_node_file(R"({"cluster":"a","region":"b","role":"king"})").error().message,
              HasSubstr("'king'"));
  EXPECT_FALSE(parse_node_file("cluster: shop"));
}

}  // namespace
}  // namespace hive::cloud::aws
