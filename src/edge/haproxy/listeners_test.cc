#include "edge/haproxy/listeners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>

#include "os/fd.h"
#include "os/file.h"

namespace hive::edge::haproxy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// HAProxy's part is played by a script that takes certificates with the word GOOD.
class ListenersTest : public ::testing::Test {
 protected:
  ListenersTest() {
    char name[] = "/tmp/hive-listeners-XXXXXX";
    folder_ = ::mkdtemp(name);
    put("haproxy",
        "#!/bin/sh\n"
        "pem=$(sed -n \"s/.*crt '\\(.*\\)'/\\1/p\" \"$4\")\n"
        "grep -q GOOD \"$pem\" && exit 0\n"
        "echo \"[ALERT] (1) : config : parsing [x:6] : 'bind :1' : unable to load '$pem'.\" >&2\n"
        "exit 1\n",
        0755);
  }
  ~ListenersTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void put(const std::string& name, std::string_view text, mode_t mode = 0600) {
    ASSERT_TRUE(os::write_file_atomically(path(name), text, mode));
  }
  static model::RoutingTable table(const std::string& certificate, std::uint16_t port = 1) {
    model::RoutingTable out;
    out.listeners = {{port, "http", certificate, false}};
    return out;
  }
  Listeners listeners() { return {path("edge"), path("haproxy")}; }

  std::string folder_;
};

constexpr std::uint16_t kHeld = 1;

TEST_F(ListenersTest, AGoodCertificateIsServedFromAPrivateCopy) {
  put("c.pem", "GOOD 1");
  Listeners listeners = this->listeners();
  auto wanted = table(path("c.pem"));
  EXPECT_THAT(listeners.keep_servable(wanted, {kHeld}), IsEmpty());
  ASSERT_EQ(wanted.listeners.size(), 1U);
  const std::string copy = wanted.listeners[0].certificate_pem;
  EXPECT_NE(copy, path("c.pem"));
  EXPECT_EQ(os::read_file(copy).value(), "GOOD 1");
  struct stat found {};
  ASSERT_EQ(::stat(copy.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  // Renewed: another path, so that the configuration differs; the old copy goes.
  put("c.pem", "GOOD 2");
  wanted = table(path("c.pem"));
  EXPECT_THAT(listeners.keep_servable(wanted, {kHeld}), IsEmpty());
  EXPECT_NE(wanted.listeners[0].certificate_pem, copy);
  EXPECT_FALSE(std::filesystem::exists(copy));
}

TEST_F(ListenersTest, ABrokenOneClosesItsListenerAlone) {
  put("c.pem", "bad");
  Listeners listeners = this->listeners();
  auto wanted = table(path("c.pem"));
  wanted.listeners.push_back({kHeld, "http", "", false});
  EXPECT_THAT(listeners.keep_servable(wanted, {kHeld}),
              ElementsAre(AllOf(
                  HasSubstr("listener 1: certificate " + path("c.pem") + ": unable to load it"),
                  HasSubstr("the listener is closed"))));
  ASSERT_EQ(wanted.listeners.size(), 1U);
  EXPECT_EQ(wanted.listeners[0].certificate_pem, "");
  put("c.pem", "GOOD now");
  wanted = table(path("c.pem"));
  EXPECT_THAT(listeners.keep_servable(wanted, {kHeld}), IsEmpty());
  EXPECT_EQ(wanted.listeners.size(), 1U);
}

TEST_F(ListenersTest, TheLastGoodOneIsServedOnAlsoByTheNextAgent) {
  put("c.pem", "GOOD");
  auto wanted = table(path("c.pem"));
  {
    Listeners listeners = this->listeners();
    EXPECT_THAT(listeners.keep_servable(wanted, {kHeld}), IsEmpty());
    put("c.pem", "bad");
    auto again = table(path("c.pem"));
    EXPECT_THAT(listeners.keep_servable(again, {kHeld}),
                ElementsAre(HasSubstr("the last good one is served")));
    EXPECT_EQ(again, wanted);
  }
  std::filesystem::remove(path("c.pem"));
  Listeners next = listeners();
  auto again = table(path("c.pem"));
  EXPECT_THAT(next.keep_servable(again, {kHeld}),
              ElementsAre(AllOf(HasSubstr("No such file"), HasSubstr("the last good one"))));
  EXPECT_EQ(again, wanted);
}

TEST_F(ListenersTest, APortThatSomebodyElseHolds) {
  const os::UniqueFd holder(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ASSERT_EQ(::bind(holder.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(holder.get(), 1), 0);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::getsockname(holder.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::uint16_t port = ntohs(address.sin_port);

  Listeners listeners = this->listeners();
  auto wanted = table("", port);
  EXPECT_THAT(
      listeners.keep_servable(wanted, {}),
      ElementsAre(AllOf(HasSubstr("listener " + std::to_string(port)), HasSubstr("in use"))));
  EXPECT_THAT(wanted.listeners, IsEmpty());
  // The edge's own HAProxy is nobody else.
  wanted = table("", port);
  EXPECT_THAT(listeners.keep_servable(wanted, {port}), IsEmpty());
  EXPECT_EQ(wanted.listeners.size(), 1U);
}

}  // namespace
}  // namespace hive::edge::haproxy
