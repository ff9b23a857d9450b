#include "cloud/aws/metadata.h"

#include "net/http_client.h"

namespace hive::cloud::aws {
namespace {
constexpr const char* kTokenHeader = "x-aws-ec2-metadata-token";
}  // namespace

std::string metadata_endpoint(const Environment& environment) {
  std::string out = variable(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  while (out.ends_with('/')) out.pop_back();
  return out.empty() ? "http://169.254.169.254" : out;
}

Result<std::string> Metadata::get(const std::string& path) {
  net::HttpClient client({.base_url = endpoint_});
  // A token ends some day: then the first answer is 401, and the second has a new one.
  for (int attempt = 1;; ++attempt) {
    if (token_.empty()) {
      HIVE_ASSIGN(const auto token,
                  client.send({.method = "PUT",
                               .path = "/latest/api/token",
                               .headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}},
                               .deadline = kMetadataDeadline,
                               .max_response_bytes = kMaxMetadataBytes}));
      if (token.status != 200)
        return fail(Errc::kUnavailable,
                    "the instance metadata service gives no token: HTTP status " +
                        std::to_string(token.status));
      token_ = token.body;
    }
    HIVE_ASSIGN(const auto answer, client.send({.path = "/latest/" + path,
                                                .headers = {{kTokenHeader, token_}},
                                                .deadline = kMetadataDeadline,
                                                .max_response_bytes = kMaxMetadataBytes}));
    if (answer.status == 200) return answer.body;
    if (answer.status == 404)
      return fail(Errc::kNotFound, "the instance metadata service has no " + path);
    token_.clear();
    if (answer.status != 401 || attempt > 1)
      return fail(Errc::kUnavailable, "the instance metadata service answers HTTP status " +
                                          std::to_string(answer.status) + " for " + path);
  }
}

}  // namespace hive::cloud::aws
