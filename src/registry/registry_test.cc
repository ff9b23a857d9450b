#include <gtest/gtest.h>

#include "base/base64.h"
#include "net/testing/scripted_server.h"
#include "registry/client.h"

namespace hive::registry {
namespace {

using net::testing::answer;
using net::testing::json_answer;
using net::testing::Reply;
using net::testing::ScriptedRequest;
using net::testing::ScriptedServer;

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(Credentials, FromDockersConfig) {
  const std::string config = R"({"auths":{"r.hive:5001":{"auth":")" + base64_encode("me:pa:ss") +
                             R"("},"https://index.docker.io/v1/":{"identitytoken":"tok"}}})";
  auto found = credentials_from(config, "r.hive:5001");
  ASSERT_TRUE(found && found->has_value());
  EXPECT_EQ((*found)->username, "me");
  EXPECT_EQ((*found)->password, "pa:ss");
  found = credentials_from(config, "docker.io");
  ASSERT_TRUE(found && found->has_value());
  EXPECT_EQ((*found)->identity_token, "tok");
  found = credentials_from(config, "other:5001");
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->has_value());
  EXPECT_FALSE(credentials_from("{", "x"));
  EXPECT_FALSE(credentials_from(R"({"auths":{"x":{"auth":"?"}}})", "x"));
}

TEST(Credentials, Base64BothWays) {
  for (const char* text : {"", "a", "ab", "abc", "abcd"})
    EXPECT_EQ(base64_decode(base64_encode(text)).value_or("?"), text);
}

TEST(Challenge, Parsed) {
  const auto bearer = parse_challenge(R"(Bearer realm="https://a/token",service="r, s",scope="x")");
  EXPECT_EQ(bearer.scheme, "bearer");
  EXPECT_EQ(bearer.parameters.at("realm"), "https://a/token");
  EXPECT_EQ(bearer.parameters.at("service"), "r, s");
  EXPECT_EQ(bearer.parameters.at("scope"), "x");
}

Client client_of(const ScriptedServer& server, std::optional<Credentials> credentials = {}) {
  ClientOptions options;
  options.deadline = Milliseconds(2'000);
  return Client("127.0.0.1:" + std::to_string(server.port()), options, std::move(credentials));
}

model::ImageReference app() { return model::parse_image_reference("x.y/app:1").value(); }

Reply basic_registry(const ScriptedRequest& request) {
  const auto auth = request.headers.find("authorization");
  if (auth == request.headers.end() || auth->second != "Basic " + base64_encode("me:right"))
    return answer(401, "{}", "WWW-Authenticate: Basic realm=\"r\"\r\n");
  if (request.path == "/v2/") return answer(200, "{}");
  if (request.path == "/v2/app/manifests/1")
    return Reply{{"HTTP/1.1 200 OK\r\nDocker-Content-Digest: " + kDigest +
                  "\r\nContent-Length: 500\r\n\r\n"}};
  return answer(404, "");
}

TEST(Client, BasicAuthentication) {
  ScriptedServer server(ScriptedServer::Kind::kTcp, basic_registry);
  Client good = client_of(server, Credentials{"me", "right", ""});
  EXPECT_TRUE(good.check_auth());
  EXPECT_EQ(good.resolve(app()).value_or("none"), kDigest);
  Client wrong = client_of(server, Credentials{"me", "wrong", ""});
  EXPECT_TRUE(wrong.ping());
  EXPECT_EQ(wrong.check_auth().error().code, Errc::kUnauthenticated);
  Client nobody = client_of(server);
  EXPECT_EQ(nobody.check_auth().error().code, Errc::kUnauthenticated);
  EXPECT_EQ(good.resolve(model::parse_image_reference("x.y/app:2").value()).error().code,
            Errc::kNotFound);
}

TEST(Client, BearerTokenFlow) {
  int port = 0;
  ScriptedServer server(ScriptedServer::Kind::kTcp, [&](const ScriptedRequest& request) {
    if (request.path.rfind("/token?", 0) == 0) {
      EXPECT_NE(request.path.find("scope=repository%3Aapp%3Apull"), std::string::npos);
      EXPECT_EQ(request.headers.at("authorization"), "Basic " + base64_encode("me:right"));
      return json_answer(200, R"({"token":"t1"})");
    }
    const auto auth = request.headers.find("authorization");
    if (auth == request.headers.end() || auth->second != "Bearer t1")
      return answer(401, "",
                    "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:" + std::to_string(port) +
                        "/token\",service=\"s\"\r\n");
    return Reply{
        {"HTTP/1.1 200 OK\r\nDocker-Content-Digest: " + kDigest + "\r\nContent-Length: 5\r\n\r\n"}};
  });
  port = server.port();
  Client client = client_of(server, Credentials{"me", "right", ""});
  EXPECT_EQ(client.resolve(app()).value_or("none"), kDigest);
  EXPECT_EQ(client.resolve(app()).value_or("none"), kDigest);
  EXPECT_EQ(server.requests().size(), 4u);  // refused, token, asked again; then the token is kept
}

TEST(Client, FaultsOfTheOtherSide) {
  const auto code = [](const Reply& reply) {
    ScriptedServer server(ScriptedServer::Kind::kTcp,
                          [&](const ScriptedRequest&) { return reply; });
    Client client = client_of(server);
    const auto digest = client.resolve(app());
    return digest ? Errc::kInternal : digest.error().code;
  };
  EXPECT_EQ(code(answer(503, "")), Errc::kUnavailable);
  EXPECT_EQ(code(answer(429, "", "Retry-After: 7\r\n")), Errc::kThrottled);
  EXPECT_EQ(code(answer(403, "")), Errc::kPermissionDenied);
  EXPECT_EQ(code(answer(302, "", "Location: /\r\n")), Errc::kCorrupt);
  EXPECT_EQ(code(Reply{{"HTTP/1.1 200 OK\r\n\r\n"}, Reply::Then::kClose}), Errc::kCorrupt);
  EXPECT_EQ(code(Reply{{"gibberish\n"}, Reply::Then::kClose}), Errc::kCorrupt);
  EXPECT_EQ(code(Reply{{}, Reply::Then::kClose}), Errc::kUnavailable);
}

}  // namespace
}  // namespace hive::registry
