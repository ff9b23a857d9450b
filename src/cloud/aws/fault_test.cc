#include "cloud/aws/fault.h"

#include <gtest/gtest.h>

namespace hive::cloud::aws {
namespace {

Error error_of(int status, const std::string& body, const net::Headers& headers = {}) {
  const auto fault = read_fault({.status = status, .headers = headers, .body = body});
  return to_error(fault, "ec2", "RunInstances", "ec2:RunInstances");
}

std::string ec2(const std::string& code, const std::string& message = "said") {
  return "<?xml version=\"1.0\"?>\n<Response><Errors><Error><Code>" + code + "</Code><Message>" +
         message + "</Message></Error></Errors><RequestID>r</RequestID></Response>";
}

TEST(Fault, IsReadInEveryProtocol) {
  EXPECT_EQ(read_fault({.status = 400, .body = ec2("InvalidGroup.NotFound")}).code,
            "InvalidGroup.NotFound");
  const auto query = read_fault(
      {.status = 404,
       .body = "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>"
               "Sender</Type><Code>NoSuchEntity</Code><Message>no role</Message></Error>"
               "<RequestId>x</RequestId></ErrorResponse>"});
  EXPECT_EQ(query.code, "NoSuchEntity");
  EXPECT_EQ(query.message, "no role");
  const auto json = read_fault(
      {.status = 400,
       .body = R"({"__type":"com.amazonaws.ecr#RepositoryNotFoundException","message":"none"})"});
  EXPECT_EQ(json.code, "RepositoryNotFoundException");
  const auto header =
      read_fault({.status = 400, .headers = {{"x-amzn-errortype", "Foo:http://x/"}}, .body = "{}"});
  EXPECT_EQ(header.code, "Foo");
  EXPECT_EQ(read_fault({.status = 502, .body = "<html>Bad Gateway"}).code, "");
  EXPECT_EQ(read_fault({.status = 500, .body = ""}).code, "");
}

TEST(Fault, MeansInTheHousesTerms) {
  const std::pair<const char*, Errc> expected[] = {
      {"RequestLimitExceeded", Errc::kThrottled},
      {"Throttling", Errc::kThrottled},
      {"InternalError", Errc::kUnavailable},
      {"UnauthorizedOperation", Errc::kPermissionDenied},
      {"AuthFailure", Errc::kUnauthenticated},
      {"ExpiredToken", Errc::kUnauthenticated},
      {"InvalidInstanceID.NotFound", Errc::kNotFound},
      {"InvalidLaunchTemplateName.NotFoundException", Errc::kNotFound},
      {"InvalidGroup.Duplicate", Errc::kAlreadyExists},
      {"InsufficientInstanceCapacity", Errc::kResourceExhausted},
      {"VcpuLimitExceeded", Errc::kResourceExhausted},
      {"SecurityGroupLimitExceeded", Errc::kResourceExhausted},
      {"DependencyViolation", Errc::kFailedPrecondition},
      {"InvalidGroup.InUse", Errc::kFailedPrecondition},
      {"InvalidParameterValue", Errc::kInvalidArgument},
      {"TargetGroupNotFound", Errc::kNotFound},
      {"InvalidTarget", Errc::kNotFound},
      {"DuplicateTargetGroupName", Errc::kAlreadyExists},
      {"TooManyTargetGroups", Errc::kResourceExhausted},
      {"SomethingNew", Errc::kInvalidArgument},
  };
  for (const auto& [code, errc] : expected) EXPECT_EQ(error_of(400, ec2(code)).code, errc) << code;
  EXPECT_EQ(error_of(503, "").code, Errc::kUnavailable);
  EXPECT_EQ(error_of(429, "").code, Errc::kThrottled);
  EXPECT_EQ(error_of(403, "").code, Errc::kPermissionDenied);
}

TEST(Fault, AGroupThatAutoScalingDoesNotFindIsNotFound) {
  EXPECT_EQ(error_of(400, ec2("ValidationError", "AutoScalingGroup name not found - null")).code,
            Errc::kNotFound);
  EXPECT_EQ(error_of(400, ec2("ValidationError", "MaxSize is less than MinSize")).code,
            Errc::kInvalidArgument);
}

TEST(Fault, CapacityPassesAndALimitDoesNot) {
  EXPECT_TRUE(error_of(500, ec2("InsufficientInstanceCapacity")).retry_after);
  EXPECT_FALSE(error_of(400, ec2("InstanceLimitExceeded")).retry_after);
}

TEST(Fault, AZoneThatDoesNotHaveItIsNoLimitOfTheAccount) {
  const auto error = error_of(
      400, ec2("Unsupported",
               "Your requested instance type (m7a.large) is not supported in your requested "
               "Availability Zone (us-east-1a)."));
  EXPECT_EQ(error.code, Errc::kResourceExhausted);
  EXPECT_FALSE(error.retry_after);
  EXPECT_NE(error.message.find("another zone"), std::string::npos);
  EXPECT_NE(error.message.find("us-east-1a"), std::string::npos);
  EXPECT_EQ(error.message.find("limit"), std::string::npos);
}

TEST(Fault, NotAuthorisedNamesActionAndResource) {
  const auto error = error_of(
      403, ec2("UnauthorizedOperation",
               "User: arn:aws:iam::1:user/u is not authorized to perform: ec2:RunInstances on "
               "resource: arn:aws:ec2:eu-west-1:1:subnet/subnet-1 because no identity-based policy "
               "allows it."));
  EXPECT_NE(error.message.find("may not ec2:RunInstances on "
                               "arn:aws:ec2:eu-west-1:1:subnet/subnet-1"),
            std::string::npos)
      << error.message;
  EXPECT_NE(error.message.find("hive aws policy"), std::string::npos);
  const auto bare = error_of(403, ec2("UnauthorizedOperation", "You are not authorized."));
  EXPECT_NE(bare.message.find("may not ec2:RunInstances"), std::string::npos) << bare.message;
}

TEST(Fault, RetryAfterIsTakenInSecondsAndBounded) {
  EXPECT_EQ(error_of(503, "", {{"retry-after", "7"}}).retry_after, std::chrono::seconds(7));
  EXPECT_EQ(error_of(503, "", {{"retry-after", "999999"}}).retry_after, std::chrono::hours(1));
  EXPECT_FALSE(error_of(503, "", {{"retry-after", "soon"}}).retry_after);
}

}  // namespace
}  // namespace hive::cloud::aws
