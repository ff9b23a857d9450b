#include "cloud/aws/sigv4.h"

#include <gtest/gtest.h>

namespace hive::cloud::aws {
namespace {

// Of AWS's published Signature Version 4 test suite: its key, scope and time, and per case the
// request and the signature that must come out.
struct Vector {
  const char* name;
  const char* method;
  const char* path;
  net::Headers headers;
  const char* body;
  const char* token;
  const char* signed_headers;
  const char* signature;
};

constexpr const char* kStsToken =
    "AQoDYXdzEPT//////////"
    "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeo"
    "IYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/"
    "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5V"
    "SXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+"
    "scqKmlzm8FDrypNC9Yj"
    "c8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

const Vector kVectors[] = {
    {"get-vanilla",
     "GET",
     "/",
     {},
     "",
     "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-query-order-key-case",
     "GET",
     "/?Param2=value2&Param1=value1",
     {},
     "",
     "",
     "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-order-value",
     "GET",
     "/?Param1=value2&Param1=value1",
     {},
     "",
     "",
     "host;x-amz-date",
     "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
    {"get-vanilla-utf8-query",
     "GET",
     "/?\xe1\x88\xb4=bar",
     {},
     "",
     "",
     "host;x-amz-date",
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-vanilla-query-unreserved",
     "GET",
     "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz="
     "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
     {},
     "",
     "",
     "host;x-amz-date",
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-utf8",
     "GET",
     "/\xe1\x88\xb4",
     {},
     "",
     "",
     "host;x-amz-date",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-unreserved",
     "GET",
     "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
     {},
     "",
     "",
     "host;x-amz-date",
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-space",
     "GET",
     "/example space/",
     {},
     "",
     "",
     "host;x-amz-date",
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-slashes",
     "GET",
     "//example//",
     {},
     "",
     "",
     "host;x-amz-date",
     "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-slash-pointless-dot",
     "GET",
     "/./example",
     {},
     "",
     "",
     "host;x-amz-date",
     "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
    {"get-relative",
     "GET",
     "/example/..",
     {},
     "",
     "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-special-character",
     "GET",
     "/example/$delete",
     {},
     "",
     "",
     "host;x-amz-date",
     "a853c9b21b528b19643d00910d35b83a10c366a10833ceefb45edd6c80e40f27"},
    {"get-header-value-trim",
     "GET",
     "/",
     {{"my-header1", " value1"}, {"my-header2", " \"a   b   c\""}},
     "",
     "",
     "host;my-header1;my-header2;x-amz-date",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-header-value-order",
     "GET",
     "/",
     {{"my-header1", "value4"},
      {"my-header1", "value1"},
      {"my-header1", "value3"},
      {"my-header1", "value2"}},
     "",
     "",
     "host;my-header1;x-amz-date",
     "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {"get-header-key-duplicate",
     "GET",
     "/",
     {{"my-header1", "value2"}, {"my-header1", "value2"}, {"my-header1", "value1"}},
     "",
     "",
     "host;my-header1;x-amz-date",
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-vanilla-with-session-token",
     "GET",
     "/",
     {},
     "",
     "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
     "host;x-amz-date;x-amz-security-token",
     "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
    {"post-vanilla-query",
     "POST",
     "/?Param1=value1",
     {},
     "",
     "",
     "host;x-amz-date",
     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-x-www-form-urlencoded",
     "POST",
     "/",
     {{"content-type", "application/x-www-form-urlencoded"}},
     "Param1=value1",
     "",
     "content-type;host;x-amz-date",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    {"post-x-www-form-urlencoded-parameters",
     "POST",
     "/",
     {{"content-type", "application/x-www-form-urlencoded; charset=utf8"}},
     "Param1=value1",
     "",
     "content-type;host;x-amz-date",
     "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
    {"post-sts-header-before",
     "POST",
     "/",
     {},
     "",
     kStsToken,
     "host;x-amz-date;x-amz-security-token",
     "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
    {"post-header-key-sort",
     "POST",
     "/",
     {{"my-header1", "value1"}},
     "",
     "",
     "host;my-header1;x-amz-date",
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
};

const WallTime kTime = std::chrono::system_clock::from_time_t(1'440'938'160);  // 20150830T123600Z

TEST(SigV4, SignsAsAwsPublishedVectorsSay) {
  for (const auto& vector : kVectors) {
    net::Request request{.method = vector.method,
                         .path = vector.path,
                         .headers = vector.headers,
                         .body = vector.body};
    Credentials credentials;
    credentials.access_key_id = "AKIDEXAMPLE";
    credentials.secret_access_key = os::Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    credentials.session_token = os::Secret(vector.token);
    sign(request, "example.amazonaws.com", credentials, {"us-east-1", "service"}, kTime);
    const auto header = request.headers.find("authorization");
    ASSERT_NE(header, request.headers.end()) << vector.name;
    EXPECT_EQ(header->second,
              std::string("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/"
                          "aws4_request, SignedHeaders=") +
                  vector.signed_headers + ", Signature=" + vector.signature)
        << vector.name;
    EXPECT_EQ(request.headers.find("x-amz-date")->second, "20150830T123600Z");
    EXPECT_EQ(request.headers.count("x-amz-security-token"), *vector.token == '\0' ? 0U : 1U);
  }
}

TEST(SigV4, TheBodyIsPartOfIt) {
  const auto signature = [](const std::string& body) {
    net::Request request{.method = "POST", .path = "/", .body = body};
    Credentials credentials;
    credentials.access_key_id = "A";
    credentials.secret_access_key = os::Secret("B");
    sign(request, "h", credentials, {"r", "s"}, kTime);
    return request.headers.find("authorization")->second;
  };
  EXPECT_NE(signature("a"), signature("b"));
}

}  // namespace
}  // namespace hive::cloud::aws
