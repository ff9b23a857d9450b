#include "cloud/aws/endpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "os/file.h"

namespace hive::cloud::aws {
namespace {

std::string url(Service service, const std::string& region, const Environment& environment = {}) {
  const auto found = endpoint_of(service, region, environment, "");
  return found ? found->base_url : "fault: " + found.error().message;
}

TEST(Endpoint, AwsOwn) {
  EXPECT_EQ(url(Service::kEc2, "eu-central-1"), "https://ec2.eu-central-1.amazonaws.com");
  EXPECT_EQ(url(Service::kElb, "us-east-1"),
            "https://elasticloadbalancing.us-east-1.amazonaws.com");
  EXPECT_EQ(url(Service::kEcr, "ap-northeast-2"), "https://api.ecr.ap-northeast-2.amazonaws.com");
  EXPECT_EQ(url(Service::kCloudWatch, "us-east-1"), "https://monitoring.us-east-1.amazonaws.com");
  EXPECT_EQ(url(Service::kEc2, "cn-north-1"), "https://ec2.cn-north-1.amazonaws.com.cn");
}

TEST(Endpoint, IamIsOneForAllRegionsAndSignedForItsOwn) {
  const auto iam = endpoint_of(Service::kIam, "eu-central-1", {}, "");
  EXPECT_EQ(iam->base_url, "https://iam.amazonaws.com");
  EXPECT_EQ(iam->signing_region, "us-east-1");
  EXPECT_EQ(endpoint_of(Service::kIam, "us-gov-east-1", {}, "")->signing_region, "us-gov-west-1");
  EXPECT_EQ(endpoint_of(Service::kSts, "eu-central-1", {}, "")->signing_region, "eu-central-1");
}

TEST(Endpoint, IsOverriddenForAllAndForOne) {
  Environment environment{{"AWS_ENDPOINT_URL", "http://127.0.0.1:5000/"},
                          {"AWS_ENDPOINT_URL_AUTO_SCALING", "https://scaling:443"}};
  const auto ec2 = endpoint_of(Service::kEc2, "us-east-1", environment, "");
  EXPECT_EQ(ec2->base_url, "http://127.0.0.1:5000");
  EXPECT_EQ(ec2->host, "127.0.0.1:5000");
  const auto scaling = endpoint_of(Service::kAutoScaling, "us-east-1", environment, "");
  EXPECT_EQ(scaling->base_url, "https://scaling:443");
  EXPECT_EQ(scaling->host, "scaling");
  environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(url(Service::kEc2, "us-east-1", environment), "https://ec2.us-east-1.amazonaws.com");
}

TEST(Endpoint, IsOverriddenInTheProfile) {
  char pattern[] = "/tmp/hive-aws-XXXXXX";
  const std::string home = mkdtemp(pattern);
  ASSERT_TRUE(os::write_file_atomically(
      home + "/config",
      "[default]\nregion = eu-west-3\nservices = here\nendpoint_url = http://all:1\n"
      "[services here]\nelastic_load_balancing =\n  endpoint_url = http://balancers:2\n"));
  const Environment environment{{"AWS_CONFIG_FILE", home + "/config"}};
  EXPECT_EQ(url(Service::kElb, "eu-west-3", environment), "http://balancers:2");
  EXPECT_EQ(url(Service::kEc2, "eu-west-3", environment), "http://all:1");
  std::filesystem::remove_all(home);
}

TEST(Endpoint, WhatIsNoneIsRefused) {
  for (const char* bad : {"ftp://x", "localhost:5000", "http://", "http://a/b", "http://u@h"})
    EXPECT_EQ(endpoint_of(Service::kEc2, "us-east-1", {{"AWS_ENDPOINT_URL", bad}}, "").error().code,
              Errc::kInvalidArgument)
        << bad;
  EXPECT_FALSE(endpoint_of(Service::kEc2, "", {}, ""));
  EXPECT_FALSE(endpoint_of(Service::kEc2, "evil.example/", {}, ""));
}

}  // namespace
}  // namespace hive::cloud::aws
