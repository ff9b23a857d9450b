#include "cloud/aws/credentials.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "cloud/aws/shared_config.h"
#include "net/testing/scripted_server.h"
#include "os/file.h"

namespace hive::cloud::aws {
namespace {

using net::testing::answer;
using net::testing::json_answer;
using net::testing::ScriptedRequest;
using net::testing::ScriptedServer;

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() {
    char pattern[] = "/tmp/hive-aws-XXXXXX";
    home_ = mkdtemp(pattern);
    environment_ = {{"HOME", home_}, {"AWS_EC2_METADATA_DISABLED", "true"}};
  }
  ~CredentialsTest() override { std::filesystem::remove_all(home_); }
  void write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(os::make_directories(home_ + "/.aws"));
    ASSERT_TRUE(os::write_file_atomically(home_ + "/.aws/" + name, text, 0600));
  }
  Result<Credentials> chain(const std::string& profile = "") {
    return CredentialChain({environment_, profile, &clock_}).get();
  }

  std::string home_;
  Environment environment_;
  ManualClock clock_;
};

std::string document(const std::string& key, const std::string& expires) {
  return R"({"Code":"Success","AccessKeyId":")" + key +
         R"(","SecretAccessKey":"very-secret","Token":"a-token","Expiration":")" + expires + "\"}";
}

TEST_F(CredentialsTest, TheEnvironmentComesFirst) {
  write("credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = x\n");
  environment_["AWS_ACCESS_KEY_ID"] = "ENV";
  environment_["AWS_SECRET_ACCESS_KEY"] = "s";
  environment_["AWS_SESSION_TOKEN"] = "t";
  const auto found = chain();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->access_key_id, "ENV");
  EXPECT_EQ(found->secret_access_key.reveal(), "s");
  EXPECT_EQ(found->session_token.reveal(), "t");
  EXPECT_FALSE(found->expires);
}

TEST_F(CredentialsTest, AProfileAskedForByNameWinsOverTheEnvironment) {
  environment_["AWS_ACCESS_KEY_ID"] = "ENV";
  environment_["AWS_SECRET_ACCESS_KEY"] = "s";
  write("config", "[profile dev]\nregion = eu-west-1\n");
  write("credentials", "[dev]\naws_access_key_id=DEV\naws_secret_access_key=d # comment\n");
  const auto found = chain("dev");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->access_key_id, "DEV");
  EXPECT_EQ(found->secret_access_key.reveal(), "d");
}

TEST_F(CredentialsTest, HalfAKeyIsAFaultAndNoReasonToLookFurther) {
  environment_["AWS_ACCESS_KEY_ID"] = "ENV";
  write("credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = x\n");
  const auto found = chain();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::kUnauthenticated);
}

TEST_F(CredentialsTest, TheCredentialsFileWinsOverTheConfigFile) {
  write("config", "[default]\naws_access_key_id = C\naws_secret_access_key = c\n");
  write("credentials", "[default]\naws_access_key_id = F\naws_secret_access_key = f\n");
  EXPECT_EQ(chain()->access_key_id, "F");
}

TEST_F(CredentialsTest, AProfileThatIsNotThereIsNamedAndNothingElseTried) {
  environment_["AWS_PROFILE"] = "gone";
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:1/";
  const auto found = chain();
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("'gone'"), std::string::npos) << found.error().message;
}

TEST_F(CredentialsTest, WhatIsNotSupportedIsRefusedByName) {
  write("config", "[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = y\n");
  const auto found = chain();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::kUnsupported);
  EXPECT_NE(found.error().message.find("role_arn"), std::string::npos);
}

TEST_F(CredentialsTest, NobodyHasAny) {
  const auto found = chain();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::kUnauthenticated);
}

TEST_F(CredentialsTest, AFaultInAFileNamesTheLineAndNoValue) {
  write("credentials", "[default]\naws_access_key_id = A\nvery-secret\n");
  const auto found = chain();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::kCorrupt);
  EXPECT_NE(found.error().message.find("line 3"), std::string::npos) << found.error().message;
  EXPECT_EQ(found.error().message.find("very-secret"), std::string::npos);
}

TEST_F(CredentialsTest, TheContainerIsAskedWithItsToken) {
  ScriptedServer server(ScriptedServer::Kind::kTcp, [](const ScriptedRequest& request) {
    const auto header = request.headers.find("authorization");
    if (header == request.headers.end() || header->second != "Bearer x")
      return answer(403, "no token");
    return json_answer(200, document("CONTAINER", "2030-01-01T00:00:00Z"));
  });
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] =
      "http://127.0.0.1:" + std::to_string(server.port()) + "/v2/x";
  EXPECT_EQ(chain().error().code, Errc::kUnavailable);
  environment_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "Bearer x";
  const auto found = chain();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->access_key_id, "CONTAINER");
  EXPECT_EQ(server.requests().back().path, "/v2/x");
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://example.org/x";
  EXPECT_EQ(chain().error().code, Errc::kInvalidArgument);
}

class InstanceCredentials : public CredentialsTest {
 protected:
  InstanceCredentials() {
    environment_.erase("AWS_EC2_METADATA_DISABLED");
    environment_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] =
        "http://127.0.0.1:" + std::to_string(server_.port());
  }
  net::testing::Reply reply(const ScriptedRequest& request) {
    const std::string path = "/latest/meta-data/iam/security-credentials/";
    if (request.method == "PUT") {
      const bool good = request.headers.count("x-aws-ec2-metadata-token-ttl-seconds") == 1;
      return good ? answer(200, "imds-token") : answer(400, "");
    }
    const auto token = request.headers.find("x-aws-ec2-metadata-token");
    if (token == request.headers.end() || token->second != "imds-token") return answer(401, "");
    if (broken_) return answer(500, "");
    if (request.path == path) return answer(200, "shop-manager\n");
    if (request.path != path + "shop-manager") return answer(404, "");
    return json_answer(200, document("ROLE" + std::to_string(++given_), expires_));
  }

  std::atomic<bool> broken_ = false;
  std::atomic<int> given_ = 0;
  std::string expires_ = "2023-11-15T00:13:20Z";  // two hours after the manual clock's beginning
  ScriptedServer server_{ScriptedServer::Kind::kTcp,
                         [this](const ScriptedRequest& request) { return reply(request); }};
};

TEST_F(InstanceCredentials, AreRenewedAheadOfTheirEnd) {
  CredentialChain chain({environment_, "", &clock_});
  const auto first = chain.get();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->access_key_id, "ROLE1");
  EXPECT_EQ(first->source, "instance role shop-manager");
  clock_.advance(std::chrono::minutes(100));
  EXPECT_EQ(chain.get()->access_key_id, "ROLE1");
  clock_.advance(std::chrono::minutes(6));
  EXPECT_EQ(chain.get()->access_key_id, "ROLE2");
}

TEST_F(InstanceCredentials, AreUsedToTheirEndWhenTheyCannotBeRenewed) {
  CredentialChain chain({environment_, "", &clock_});
  ASSERT_TRUE(chain.get());
  broken_ = true;
  clock_.advance(std::chrono::minutes(110));
  ASSERT_TRUE(chain.get());
  EXPECT_EQ(chain.get()->access_key_id, "ROLE1");
  clock_.advance(std::chrono::minutes(11));
  EXPECT_FALSE(chain.get());
  broken_ = false;
  EXPECT_EQ(chain.get()->access_key_id, "ROLE2");
}

TEST(Ini, ReadsNestedKeysAndComments) {
  const auto read = parse_ini(
      "# top\n[default]\nregion = eu-west-1\n; other\n[services  local]\nec2 =\n  endpoint_url = "
      "http://a:1\n  x = y\nplain = 1\n");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->at("default").at("region"), "eu-west-1");
  EXPECT_EQ(read->at("services local").at("ec2.endpoint_url"), "http://a:1");
  EXPECT_EQ(read->at("services local").at("plain"), "1");
  EXPECT_EQ(parse_ini("x = 1").error().code, Errc::kCorrupt);
  EXPECT_EQ(parse_ini("[x").error().code, Errc::kCorrupt);
}

}  // namespace
}  // namespace hive::cloud::aws
