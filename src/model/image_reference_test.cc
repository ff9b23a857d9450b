#include "model/image_reference.h"

#include <gtest/gtest.h>

#include <vector>

namespace hive::model {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

struct ImageReferenceCase {
  std::string text, domain, path, tag, digest;
};

TEST(ImageReference, ReadAsDockerDoes) {
  const std::vector<ImageReferenceCase> cases{
      {"nginx", "docker.io", "library/nginx", "latest", ""},
      {"nginx:1.2", "docker.io", "library/nginx", "1.2", ""},
      {"team/app", "docker.io", "team/app", "latest", ""},
      {"index.docker.io/team/app", "docker.io", "team/app", "latest", ""},
      {"localhost/app", "localhost", "app", "latest", ""},
      {"registry.hive:5001/a/b/c:v1", "registry.hive:5001", "a/b/c", "v1", ""},
      {"host:5000/app", "host:5000", "app", "latest", ""},
      {"a.b/app@" + kDigest, "a.b", "app", "", kDigest},
      {"a.b/app@sha512:" + std::string(128, '0'), "a.b", "app", "",
       "sha512:" + std::string(128, '0')},
      {"a.b/app:1@" + kDigest, "a.b", "app", "1", kDigest},
      {"a__b-c.d", "docker.io", "library/a__b-c.d", "latest", ""}};
  for (const auto& one : cases) {
    const auto parsed = parse_image_reference(one.text);
    ASSERT_TRUE(parsed) << one.text << ": " << parsed.error().message;
    EXPECT_EQ(parsed->domain, one.domain) << one.text;
    EXPECT_EQ(parsed->path, one.path) << one.text;
    EXPECT_EQ(parsed->tag, one.tag) << one.text;
    EXPECT_EQ(parsed->digest, one.digest) << one.text;
  }
}

TEST(ImageReference, RefusesWhatDockerRefuses) {
  for (const char* text : {"", "Nginx", "a//b", "/a", "a/", "a:", "a:b c", "a@sha256:12",
                           "a@md5:12", "a..b", "a___b", "-a", "a:-b", "host:5000/"}) {
    const auto parsed = parse_image_reference(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::kInvalidArgument);
  }
}

}  // namespace
}  // namespace hive::model
