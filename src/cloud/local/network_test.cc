#include "cloud/local/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::cloud::local {
namespace {

using testing::ElementsAre;

// The kernel's links as a test wants them.
class PlugIn : public testing::Test {
 protected:
  PlugIn() {
    cluster.network = 3;
    cluster.bridge = "hivebr3";
    tool.there = [this](const std::string& link) {
      EXPECT_EQ(link, "hv3-14");
      return there;
    };
    tool.ip = [this](const std::vector<std::string>& words, const std::string& input) -> Status {
      did.push_back(words[0] == "-batch" ? input : words[0] + " " + words[1] + " " + words[2]);
      if (words[0] == "-batch") return {};
      if (goes_by_itself) there = false;
      if (!removable) return fail(Errc::kInternal, "ip link del ended with 1: Cannot find device");
      there = false;
      return {};
    };
  }
  Status plug() { return plug_in(cluster, 14, 4711, tool); }

  LocalCluster cluster;
  LinkTool tool;
  bool there = false;
  bool removable = true;
  bool goes_by_itself = false;
  std::vector<std::string> did;
  const std::string added =
      "link add hv3-14 type veth peer name eth0 netns 4711\nlink set hv3-14 master hivebr3 up\n";
};

TEST_F(PlugIn, MakesAPairToTheBridge) {
  EXPECT_TRUE(plug());
  EXPECT_THAT(did, ElementsAre(added));
}

TEST_F(PlugIn, WhatAnEarlierLifeLeftGoesFirst) {
  there = true;
  EXPECT_TRUE(plug());
  EXPECT_THAT(did, ElementsAre("link del hv3-14", added));
}

// The old namespace's end takes the link with it between the look and the removal.
TEST_F(PlugIn, AnOldLinkThatIsJustGoingIsNoFault) {
  there = goes_by_itself = true;
  removable = false;
  const auto done = plug();
  EXPECT_TRUE(done) << describe(done.error());
  EXPECT_THAT(did, ElementsAre("link del hv3-14", added));
}

TEST_F(PlugIn, AnOldLinkThatStaysIsOne) {
  there = true;
  removable = false;
  EXPECT_FALSE(plug());
  EXPECT_THAT(did, ElementsAre("link del hv3-14"));
}

}  // namespace
}  // namespace hive::cloud::local
