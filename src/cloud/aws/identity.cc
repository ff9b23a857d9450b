#include "cloud/aws/identity.h"

#include <algorithm>

#include "base/text.h"
#include "cloud/aws/fault.h"
#include "cloud/aws/sigv4.h"
#include "cloud/aws/xml.h"

namespace hive::cloud::aws {
namespace {

constexpr const char* kClusterHeader = "x-hive-cluster";
constexpr Milliseconds kStsDeadline{10'000};
constexpr std::size_t kMaxStsAnswerBytes = 64U << 10;
constexpr std::size_t kLongestHeader = 8U << 10;

net::Request the_call(const std::string& cluster) {
  net::Request request{.method = "POST", .path = "/"};
  request.body = "Action=GetCallerIdentity&Version=" + std::string(info_of(Service::kSts).version);
  request.headers.emplace("content-type", "application/x-www-form-urlencoded; charset=utf-8");
  request.headers.emplace(kClusterHeader, cluster);
  request.deadline = kStsDeadline;
  request.max_response_bytes = kMaxStsAnswerBytes;
  return request;
}

std::string header(const net::Request& request, const char* name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string() : found->second;
}

bool one_line(const std::string& text) {
  return text.size() <= kLongestHeader &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// Without the cluster among what is signed, the proof may have been made for anybody.
bool covers_cluster(const std::string& authorization) {
  const std::string key = "SignedHeaders=";
  const auto at = authorization.find(key);
  if (at == std::string::npos) return false;
  const auto begin = at + key.size();
  const auto end = std::min(authorization.find(',', begin), authorization.size());
  const auto names = split(authorization.substr(begin, end - begin), ';');
  const auto has = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return has("host") && has("x-amz-date") && has(kClusterHeader);
}

}  // namespace

Json to_json(const Proof& proof) {
  return {{"authorization", proof.authorization},
          {"date", proof.date},
          {"token", proof.token.reveal()}};
}

Result<Proof> proof_from_json(const Json& json) {
  Proof out{json_string(json, "authorization"), json_string(json, "date"),
            os::Secret(json_string(json, "token"))};
  for (const auto& part : {out.authorization, out.date, out.token.reveal()})
    if (!one_line(part)) return fail(Errc::kInvalidArgument, "the proof holds what no header may");
  if (out.authorization.empty() || out.date.empty())
    return fail(Errc::kInvalidArgument, "the proof has no authorization or no date");
  return out;
}

Proof prove(const std::string& cluster, const Credentials& credentials, const Endpoint& sts,
            WallTime now) {
  net::Request request = the_call(cluster);
  sign(request, sts.host, credentials,
       {.region = sts.signing_region, .service = std::string(info_of(Service::kSts).signing_name)},
       now);
  return {header(request, "authorization"), header(request, "x-amz-date"),
          os::Secret(header(request, "x-amz-security-token"))};
}

Result<Identity> confirm(const Proof& proof, const std::string& cluster, const Ask& ask) {
  if (!covers_cluster(proof.authorization))
    return fail(Errc::kInvalidArgument, "the proof is not signed for cluster " + cluster);
  net::Request request = the_call(cluster);
  request.headers.emplace("authorization", proof.authorization);
  request.headers.emplace("x-amz-date", proof.date);
  if (!proof.token.empty()) request.headers.emplace("x-amz-security-token", proof.token.reveal());
  HIVE_ASSIGN(const auto answer, ask(request));
  if (answer.status >= 400 && answer.status < 500 && answer.status != 429)
    return fail(Errc::kUnauthenticated, "STS does not confirm the proof (" +
                                            read_fault(answer).code + ", HTTP status " +
                                            std::to_string(answer.status) + ")");
  if (answer.status != 200)
    return fail(Errc::kUnavailable,
                "STS answers HTTP status " + std::to_string(answer.status) + " just now");
  HIVE_ASSIGN(const auto root, parse_xml(answer.body));
  Identity out{root.text_at("GetCallerIdentityResult/Account"),
               root.text_at("GetCallerIdentityResult/Arn")};
  if (out.account.empty() || out.arn.empty())
    return fail(Errc::kCorrupt, "STS's answer names nobody");
  return out;
}

}  // namespace hive::cloud::aws
