#include "registry/client.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "base/base64.h"
#include "base/json.h"

namespace hive::registry {
namespace {

constexpr std::size_t kMaxAnswerBytes = 8U << 20;
constexpr std::string_view kManifestTypes =
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.oci.image.manifest.v1+json";

bool plain_http(const std::string& domain, const ClientOptions& options) {
  const std::string host = domain.substr(0, domain.rfind(':'));
  return host == "localhost" || host.rfind("127.", 0) == 0 ||
         std::find(options.insecure.begin(), options.insecure.end(), domain) !=
             options.insecure.end();
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string basic(const Credentials& credentials) {
  return "Basic " + base64_encode(credentials.username + ":" + credentials.password);
}

bool is_digest(std::string_view text) {
  return text.size() == 71 && text.substr(0, 7) == "sha256:" &&
         text.find_first_not_of("0123456789abcdef", 7) == std::string_view::npos;
}

}  // namespace

std::string Client::header_of(const net::Response& response, const char* name) {
  const auto found = response.headers.find(name);
  return found == response.headers.end() ? "" : found->second;
}

Challenge parse_challenge(std::string_view header) {
  Challenge out;
  const auto space = header.find(' ');
  out.scheme = lower(header.substr(0, space));
  std::string_view rest = space == std::string_view::npos ? "" : header.substr(space + 1);
  while (!rest.empty()) {
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos) break;
    std::string_view key = rest.substr(0, equals);
    while (!key.empty() && (key.front() == ' ' || key.front() == ',')) key.remove_prefix(1);
    rest.remove_prefix(equals + 1);
    std::string value;
    if (!rest.empty() && rest.front() == '"') {
      std::size_t i = 1;
      for (; i < rest.size() && rest[i] != '"'; ++i) {
        if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
        value += rest[i];
      }
      rest.remove_prefix(std::min(i + 1, rest.size()));
    } else {
      const auto comma = rest.find(',');
      value = rest.substr(0, comma);
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma);
    }
    out.parameters[lower(key)] = value;
  }
  return out;
}

Client::Client(std::string domain, ClientOptions options, std::optional<Credentials> credentials)
    : domain_(std::move(domain)),
      options_(std::move(options)),
      credentials_(std::move(credentials)) {
  net::Target target;
  const std::string host = domain_ == "docker.io" ? "registry-1.docker.io" : domain_;
  target.base_url = (plain_http(domain_, options_) ? "http://" : "https://") + host;
  target.tls = options_.tls;
  http_ = std::make_unique<net::HttpClient>(std::move(target));
}

Error Client::error_from(const net::Response& response, const std::string& what) const {
  Errc code = Errc::kCorrupt;
  if (response.status == 401) code = Errc::kUnauthenticated;
  if (response.status == 403) code = Errc::kPermissionDenied;
  if (response.status == 404) code = Errc::kNotFound;
  if (response.status == 429) code = Errc::kThrottled;
  if (response.status >= 500) code = Errc::kUnavailable;
  std::string said;
  if (const auto body = parse_json(response.body, "the registry's error"))
    if (const Json* errors = json_member(*body, "errors");
        errors != nullptr && errors->is_array() && !errors->empty())
      said = json_string(errors->front(), "message");
  Error error{code,
              fmt::format("registry {}: {}: HTTP {}{}{}", domain_, what, response.status,
                          said.empty() ? "" : ": ", said),
              std::nullopt};
  if (code == Errc::kUnauthenticated)
    error.message += credentials_ ? " (the registry refuses these credentials: log in again)"
                                  : " (no credentials are known for it: log in)";
  const std::string retry = header_of(response, "retry-after");
  if (!retry.empty())
    error.retry_after = std::chrono::seconds(std::clamp(std::atoi(retry.c_str()), 0, 3600));
  return error;
}

Result<std::string> Client::fetch_token(const std::map<std::string, std::string>& parameters,
                                        const std::string& scope) {
  const auto parameter = [&](const char* name) {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::string() : found->second;
  };
  const std::string realm = parameter("realm");
  const auto scheme = realm.find("://");
  const auto slash = scheme == std::string::npos ? scheme : realm.find('/', scheme + 3);
  const bool https = realm.rfind("https://", 0) == 0;
  // Credentials go over plain HTTP only where the registry itself is spoken to so.
  if (scheme == std::string::npos || (!https && !plain_http(domain_, options_)))
    return fail(Errc::kCorrupt,
                fmt::format("registry {}: its token address \"{}\" is not https", domain_, realm));
  net::Target target;
  target.base_url = realm.substr(0, slash);
  target.tls = options_.tls;
  net::HttpClient http(target);
  net::Request call;
  call.deadline = options_.deadline;
  call.max_response_bytes = kMaxAnswerBytes;
  call.path = slash == std::string::npos ? "/" : realm.substr(slash);
  if (credentials_ && !credentials_->identity_token.empty()) {
    call.method = "POST";
    call.headers.emplace("content-type", "application/x-www-form-urlencoded");
    call.body = "grant_type=refresh_token&client_id=hive&service=" +
                net::percent_encode(parameter("service")) + "&scope=" + net::percent_encode(scope) +
                "&refresh_token=" + net::percent_encode(credentials_->identity_token);
  } else {
    call.path += call.path.find('?') == std::string::npos ? '?' : '&';
    call.path += "service=" + net::percent_encode(parameter("service"));
    if (!scope.empty()) call.path += "&scope=" + net::percent_encode(scope);
    if (credentials_) call.headers.emplace("authorization", basic(*credentials_));
  }
  HIVE_ASSIGN(const net::Response response, http.send(call));
  if (response.status != 200) return tl::unexpected(error_from(response, "asking for a token"));
  HIVE_ASSIGN(const Json answer, parse_json(response.body, "the registry's token"));
  const std::string token = json_string(answer, "token", json_string(answer, "access_token"));
  if (token.empty())
    return fail(Errc::kCorrupt, fmt::format("registry {}: its token answer has none", domain_));
  return "Bearer " + token;
}

Result<std::string> Client::authorize(const std::string& challenge, const std::string& scope) {
  const Challenge parsed = parse_challenge(challenge);
  if (parsed.scheme == "bearer") return fetch_token(parsed.parameters, scope);
  if (parsed.scheme == "basic" && credentials_ && !credentials_->username.empty())
    return basic(*credentials_);
  return fail(
      Errc::kUnauthenticated,
      fmt::format("registry {} wants credentials, and none are known for it: log in", domain_));
}

std::string Client::known_authorization(const std::string& scope) {
  const std::lock_guard lock(mutex_);
  return authorization_[scope];
}

// Sends; on a 401 meets the challenge once and sends again.
Result<net::Response> Client::request(net::Request request, const std::string& scope) {
  request.deadline = options_.deadline;
  request.max_response_bytes = kMaxAnswerBytes;
  const auto send = [&](const std::string& authorization) {
    net::Request copy = request;
    if (!authorization.empty()) copy.headers.emplace("authorization", authorization);
    return http_->send(copy);
  };
  const std::string known = known_authorization(scope);
  HIVE_ASSIGN(net::Response response, send(known));
  if (response.status != 401) return response;
  HIVE_ASSIGN(const std::string fresh, authorize(header_of(response, "www-authenticate"), scope));
  if (fresh == known) return response;
  {
    const std::lock_guard lock(mutex_);
    authorization_[scope] = fresh;
  }
  return send(fresh);
}

Status Client::ping() {
  net::Request call;
  call.path = "/v2/";
  call.deadline = options_.deadline;
  call.max_response_bytes = kMaxAnswerBytes;
  HIVE_ASSIGN(const net::Response response, http_->send(call));
  const bool registry = header_of(response, "docker-distribution-api-version") == "registry/2.0";
  if (response.status == 200 ||
      (response.status == 401 && (registry || response.headers.count("www-authenticate") != 0)))
    return {};
  return tl::unexpected(error_from(response, "GET /v2/"));
}

Status Client::check_auth() {
  net::Request call;
  call.path = "/v2/";
  HIVE_ASSIGN(const net::Response response, request(call, ""));
  if (response.status == 200) return {};
  return tl::unexpected(error_from(response, "logging in"));
}

Result<std::string> Client::resolve(const model::ImageReference& reference) {
  net::Request call;
  call.method = "HEAD";
  call.path = "/v2/" + reference.path + "/manifests/" + reference.version();
  call.headers.emplace("accept", kManifestTypes);
  const std::string scope = "repository:" + reference.path + ":pull";
  HIVE_ASSIGN(const net::Response response, request(call, scope));
  if (response.status != 200)
    return tl::unexpected(error_from(
        response, fmt::format("looking for {}{}{}", reference.path,
                              reference.digest.empty() ? ":" : "@", reference.version())));
  std::string digest = header_of(response, "docker-content-digest");
  if (!is_digest(digest))
    return fail(Errc::kCorrupt,
                fmt::format("registry {} gives no digest for {}", domain_, reference.path));
  if (!reference.digest.empty() && reference.digest != digest)
    return fail(Errc::kCorrupt,
                fmt::format("registry {} answers with another digest than asked", domain_));
  return digest;
}

}  // namespace hive::registry
