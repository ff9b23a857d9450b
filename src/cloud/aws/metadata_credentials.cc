// Credentials from the endpoints that a container (ECS, EKS) and an instance (IMDSv2) have.
#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"
#include "cloud/aws/credentials.h"
#include "cloud/aws/metadata.h"
#include "net/http_client.h"
#include "os/file.h"

namespace hive::cloud::aws {
namespace {

constexpr std::string_view kContainerHost = "http://169.254.170.2";
// Besides loopback, plain HTTP goes to these alone (ECS, EKS).
constexpr std::array<std::string_view, 5> kPlainHosts{"169.254.170.2", "169.254.170.23",
                                                      "fd00:ec2::23", "127.0.0.1", "localhost"};

struct Url {
  std::string base;  // scheme and authority
  std::string host;
  std::string path;
};

Url parse_url(const std::string& url) {
  Url out;
  const auto scheme = url.find("://");
  const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
  const auto slash = std::min(url.find('/', begin), url.size());
  out.base = url.substr(0, slash);
  out.path = slash == url.size() ? "/" : url.substr(slash);
  std::string authority = url.substr(begin, slash - begin);
  if (authority.starts_with('['))
    out.host = authority.substr(1, authority.find(']') - 1);
  else
    out.host = authority.substr(0, authority.find(':'));
  return out;
}

Result<net::Response> ask(const std::string& base, net::Request request) {
  request.deadline = kMetadataDeadline;
  request.max_response_bytes = kMaxMetadataBytes;
  net::HttpClient client({.base_url = base});
  return client.send(request);
}

Result<Credentials> from_document(const std::string& body, std::string source) {
  const auto json = parse_json(body, "credentials of " + source);
  // What does not parse may hold half a key: only its place is told.
  if (!json) return fail(Errc::kCorrupt, "the credentials of " + source + " are not JSON");
  Credentials out;
  out.access_key_id = json_string(*json, "AccessKeyId");
  out.secret_access_key = os::Secret(json_string(*json, "SecretAccessKey"));
  out.session_token = os::Secret(json_string(*json, "Token"));
  out.source = std::move(source);
  if (out.access_key_id.empty() || out.secret_access_key.empty())
    return fail(Errc::kCorrupt, "the credentials of " + out.source + " lack their keys");
  if (const auto end = json_string(*json, "Expiration"); !end.empty()) {
    HIVE_ASSIGN(out.expires, parse_time(end));
  }
  return out;
}

Result<std::string> container_token(const Environment& environment) {
  const auto file = variable(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (file.empty()) return variable(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  HIVE_ASSIGN(const auto text, os::read_file(file, kMaxMetadataBytes));
  return std::string(trim(text));
}

}  // namespace

Result<Credentials> credentials_of_container(const Environment& environment) {
  const auto relative = variable(environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const auto full = variable(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (relative.empty() && full.empty())
    return fail(Errc::kNotFound, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set");
  const Url url = parse_url(relative.empty() ? full : std::string(kContainerHost) + relative);
  const bool plain = !url.base.starts_with("https://");
  if (plain && std::find(kPlainHosts.begin(), kPlainHosts.end(), url.host) == kPlainHosts.end())
    return fail(Errc::kInvalidArgument,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI names " + url.host +
                    ": without https only this machine and the container's own endpoint are asked");
  net::Request request{.path = url.path};
  HIVE_ASSIGN(const auto token, container_token(environment));
  if (!token.empty()) request.headers.emplace("authorization", token);
  HIVE_ASSIGN(const auto response, ask(url.base, std::move(request)));
  if (response.status != 200)
    return fail(Errc::kUnavailable, "the container's credentials endpoint answers HTTP status " +
                                        std::to_string(response.status));
  return from_document(response.body, "the container");
}

Result<Credentials> credentials_of_instance(const Environment& environment) {
  if (variable(environment, "AWS_EC2_METADATA_DISABLED") == "true")
    return fail(Errc::kNotFound, "AWS_EC2_METADATA_DISABLED is true");
  const std::string base = metadata_endpoint(environment);
  const auto token = ask(base, {.method = "PUT",
                                .path = "/latest/api/token",
                                .headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}}});
  // No answer: this is no instance.
  if (!token || token->status != 200)
    return fail(Errc::kNotFound, "there is no instance metadata service");
  const net::Headers headers{{"x-aws-ec2-metadata-token", token->body}};
  const std::string place = "/latest/meta-data/iam/security-credentials/";
  HIVE_ASSIGN(const auto roles, ask(base, {.path = place, .headers = headers}));
  const std::string role(trim(roles.body.substr(0, roles.body.find('\n'))));
  if (roles.status == 404 || role.empty()) return fail(Errc::kNotFound, "the instance has no role");
  HIVE_ASSIGN(const auto document, ask(base, {.path = place + role, .headers = headers}));
  if (document.status != 200)
    return fail(Errc::kUnavailable, "the instance metadata service answers HTTP status " +
                                        std::to_string(document.status) + " for role " + role);
  return from_document(document.body, "instance role " + role);
}

}  // namespace hive::cloud::aws
