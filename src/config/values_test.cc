#include "config/values.h"

#include <gtest/gtest.h>

#include "config/interpolate.h"

namespace hive::config {
namespace {

using Strings = std::vector<std::string>;

std::string ports_text(std::string_view text) {
  const auto parsed = parse_ports(text);
  if (!parsed) return "fault";
  std::string out;
  for (const auto& port : parsed->ports)
    out += (out.empty() ? "" : " ") + std::to_string(port.published) + ":" +
           std::to_string(port.target) + "/" + port.protocol;
  return out;
}

TEST(Ports, shortSyntax) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"80", "0:80/tcp"},
      {"8080:80", "8080:80/tcp"},
      {"127.0.0.1:8080:80", "8080:80/tcp"},
      {"[::1]:8080:80", "8080:80/tcp"},
      {"53:53/UDP", "53:53/udp"},
      {"3000-3002", "0:3000/tcp 0:3001/tcp 0:3002/tcp"},
      {"9-10:9-10", "10:10/tcp 9:9/tcp"},
      {"8000-8002:80", "8000:80/tcp 8001:80/tcp 8002:80/tcp"},
      {"80/", "0:80/tcp"},
      {"0", "fault"},
      {"", "fault"},
      {"65536", "fault"},
      {"80a:80", "fault"},
      {"1-2:3-5", "fault"},
      {"5-3", "fault"},
      {"80/icmp", "fault"},
      {"host:80:80", "fault"},
      {"1-65535:1-65535", "fault"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(ports_text(text), expected) << text;
  EXPECT_EQ(parse_ports("127.0.0.1:1:1")->ignored_ip, "127.0.0.1");
  EXPECT_EQ(parse_ports("0.0.0.0:1:1")->ignored_ip, "");
}

TEST(Volumes, shortSyntax) {
  struct VolumeCase {
    std::string_view text, type, source, target;
    bool read_only;
  };
  const VolumeCase cases[] = {
      {"data:/var", "volume", "data", "/var", false},
      {"data:/var:ro", "volume", "data", "/var", true},
      {"./a:/b", "bind", "./a", "/b", false},
      {"~/a:/b:ro,rshared", "bind", "~/a", "/b", true},
      {"/a:/b:rw,unknown", "bind", "/a", "/b", false},
      {"/anonymous", "volume", "", "/anonymous", false},
      {"/a", "volume", "", "/a", false},
      {"C:\\data:/b", "bind", "C:\\data", "/b", false},
  };
  for (const auto& one : cases) {
    const auto volume = parse_volume(one.text);
    ASSERT_TRUE(volume) << one.text;
    EXPECT_EQ(volume->type, one.type) << one.text;
    EXPECT_EQ(volume->source, one.source) << one.text;
    EXPECT_EQ(volume->target, one.target) << one.text;
    EXPECT_EQ(volume->read_only, one.read_only) << one.text;
  }
  EXPECT_EQ(parse_volume("~/a:/b:rshared")->bind_propagation, "rshared");
  EXPECT_EQ(parse_volume("data:/b:nocopy")->volume_nocopy, true);
  for (const auto* bad : {"", "aa::b", ":/abc", "aa:/b:ro:x"})
    EXPECT_FALSE(parse_volume(bad)) << bad;
}

TEST(Words, splitAsDockerDoes) {
  EXPECT_EQ(split_words("echo \"hello  world\" 'x y' a\\ b # no").value(),
            (Strings{"echo", "hello  world", "x y", "a b"}));
  EXPECT_EQ(split_words("a'b'\"c\"").value(), (Strings{"abc"}));
  EXPECT_EQ(split_words("a#b \"\" ''").value(), (Strings{"a#b", "", ""}));
  EXPECT_EQ(split_words(" \t\n").value(), Strings{});
  EXPECT_EQ(split_words("'a\\b' \"c\\\"d\"").value(), (Strings{"a\\b", "c\"d"}));
  EXPECT_FALSE(split_words("\"open"));
  EXPECT_FALSE(split_words("'open"));
  EXPECT_FALSE(split_words("end\\"));
}

TEST(EnvFile, readsLines) {
  const auto parsed = parse_env_file(
      "\xef\xbb\xbf# comment\nA=1\n  B=x=y \r\nEMPTY=\nHOME\nUNSET\n\n", {{"HOME", "/root"}});
  ASSERT_TRUE(parsed);
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(*parsed, (Pairs{{"A", "1"}, {"B", "x=y "}, {"EMPTY", ""}, {"HOME", "/root"}}));
  EXPECT_FALSE(parse_env_file("=x\n", {}));
  EXPECT_FALSE(parse_env_file("A B=x\n", {}));
}

TEST(Cpus, decimals) {
  EXPECT_EQ(parse_cpus("0.5").value(), 500'000'000);
  EXPECT_EQ(parse_cpus("2").value(), 2'000'000'000);
  EXPECT_EQ(parse_cpus("0.0000000010").value(), 1);
  for (const auto* bad : {"", ".", "x", "-1", "0.0000000001", "1e3"}) EXPECT_FALSE(parse_cpus(bad));
}

TEST(Paths, areMadeAbsolute) {
  EXPECT_EQ(absolute_path("/work", "./a/../b"), "/work/b");
  EXPECT_EQ(absolute_path("/work", "../../.."), "/");
  EXPECT_EQ(absolute_path("/work", "/x/../y"), "/x/../y");
}

TEST(Substitute, everyForm) {
  const StringMap environment{{"SET", "v"}, {"EMPTY", ""}};
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a", "a"},
      {"$SET", "v"},
      {"${SET}x", "vx"},
      {"$SET:8080", "v:8080"},
      {"$$SET $${SET}", "$SET ${SET}"},
      {"${NO:-d}", "d"},
      {"${EMPTY:-d}", "d"},
      {"${EMPTY-d}", ""},
      {"${NO-d:e}", "d:e"},
      {"${NO:-}", ""},
      {"${SET:?x}${SET?x}", "vv"},
      {"${EMPTY?x}", ""},
      {"$NO", ""},
  };
  for (const auto& [text, expected] : cases) {
    const auto result = substitute(text, environment);
    ASSERT_TRUE(result) << text << ": " << result.error().message;
    EXPECT_EQ(result->text, expected) << text;
  }
  for (const auto* bad : {"$", "a$ b", "${", "${}", "${SET", "${SET:}", "${SET!x}", "$1", "${1}",
                          "${NO?why}", "${EMPTY:?why}"})
    EXPECT_FALSE(substitute(bad, environment)) << bad;
  EXPECT_EQ(substitute("${EMPTY:?say it}", environment).error().message,
            "variable EMPTY must be set and not empty: say it");
  EXPECT_EQ(substitute("$NO ${SET}", environment)->unset, std::vector<std::string>{"NO"});
}

}  // namespace
}  // namespace hive::config
