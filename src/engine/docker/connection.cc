#include "engine/docker/connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>

namespace hive::engine::docker {
namespace {

constexpr std::size_t kShownBytes = 80;

// The first printable bytes of an answer that is not what it should be.
std::string excerpt(std::string_view body) {
  std::string out;
  for (const char c : body.substr(0, kShownBytes))
    out += std::isprint(static_cast<unsigned char>(c)) != 0 ? c : '.';
  return body.size() > kShownBytes ? out + "..." : out;
}

std::optional<int> minor_of(std::string_view version) {
  if (version.substr(0, 2) != "1.") return std::nullopt;
  const std::string digits(version.substr(2));
  if (digits.empty() || digits.size() > 3 ||
      digits.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  return std::atoi(digits.c_str());
}

bool has(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

struct Words {
  std::string_view text;
  Errc code;
};
// Texts that decide before the status does, in this order.
constexpr std::array<Words, 25> kWords{{
    {"update out of sequence", Errc::kConflict},
    {"client version", Errc::kUnsupported},
    {"already part of a swarm", Errc::kAlreadyExists},
    {"participating as a manager", Errc::kFailedPrecondition},
    {"not a swarm manager", Errc::kFailedPrecondition},
    {"not part of a swarm", Errc::kFailedPrecondition},
    {"does not have a leader", Errc::kUnavailable},
    {"no space left on device", Errc::kResourceExhausted},
    {"code = AlreadyExists", Errc::kAlreadyExists},
    {"code = NotFound", Errc::kNotFound},
    {"code = FailedPrecondition", Errc::kFailedPrecondition},
    {"code = PermissionDenied", Errc::kPermissionDenied},
    {"code = ResourceExhausted", Errc::kResourceExhausted},
    {"code = Unimplemented", Errc::kUnsupported},
    {"code = DeadlineExceeded", Errc::kUnavailable},
    {"code = Unavailable", Errc::kUnavailable},
    {"is in use by the following", Errc::kFailedPrecondition},
    {"has active endpoints", Errc::kFailedPrecondition},
    {"name conflicts with an existing object", Errc::kAlreadyExists},
    {"already in use by container", Errc::kAlreadyExists},
    {"already exists", Errc::kAlreadyExists},
    {"OCI runtime", Errc::kFailedPrecondition},
    {"failed to create shim", Errc::kFailedPrecondition},
    {"cannot be verified", Errc::kUnauthenticated},
    {"code = InvalidArgument", Errc::kInvalidArgument},
}};

std::optional<Errc> code_of_words(std::string_view text) {
  for (const Words& words : kWords)
    if (has(text, words.text)) return words.code;
  return std::nullopt;
}

Errc code_of_status(int status) {
  switch (status) {
    case 400:
      return Errc::kInvalidArgument;
    case 401:
      return Errc::kUnauthenticated;
    case 403:
      return Errc::kPermissionDenied;
    case 404:
      return Errc::kNotFound;
    case 406:
    case 409:
      return Errc::kFailedPrecondition;
    case 413:
      return Errc::kResourceExhausted;
    case 429:
      return Errc::kThrottled;
    case 501:
      return Errc::kUnsupported;
    default:
      return status >= 500 ? Errc::kUnavailable : Errc::kCorrupt;
  }
}

std::string without_rpc_prefix(const std::string& text) {
  const auto at = text.find("rpc error: code = ");
  const auto desc = at == std::string::npos ? at : text.find(" desc = ", at);
  return desc == std::string::npos ? text : text.substr(0, at) + text.substr(desc + 8);
}

bool acceptable(int status) { return (status >= 200 && status < 300) || status == 304; }

std::string what_of(const net::Request& request) {
  return request.method + " " + request.path.substr(0, request.path.find('?'));
}

}  // namespace

Query& Query::add(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  text_ += text_.empty() ? '?' : '&';
  text_ += name;
  text_ += '=';
  text_ += net::percent_encode(value);
  return *this;
}
Query& Query::flag(std::string_view name, bool on) { return add(name, on ? "true" : ""); }
Query& Query::filters(const Filters& filters) {
  return filters.empty() ? *this : add("filters", Json(filters).dump());
}

std::string path_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '/' || c == ':' || c == '@')
      out += c;
    else
      out += net::percent_encode(std::string_view(&c, 1));
  }
  return out;
}

Result<net::Target> target_from(const EngineOptions& options) {
  net::Target target;
  target.tls = options.tls;
  const auto& tls = options.tls;
  const bool tls_wanted =
      !tls.ca_file.empty() || !tls.certificate_file.empty() || !tls.required_peer_ou.empty();
  const auto colon = options.host.find("://");
  const std::string scheme = options.host.substr(0, colon);
  const std::string rest = colon == std::string::npos ? "" : options.host.substr(colon + 3);
  if (scheme == "unix" && !rest.empty() && rest[0] == '/') {
    if (rest.size() > 107)
      return fail(Errc::kInvalidArgument,
                  fmt::format("the path of engine socket \"{}\" is longer than 107 bytes", rest));
    target.base_url = "http://docker";
    target.unix_socket = rest;
    return target;
  }
  if ((scheme == "tcp" || scheme == "http" || scheme == "https") && !rest.empty()) {
    const bool secure = tls_wanted || scheme == "https";
    std::string authority = rest.substr(0, rest.find('/'));
    const auto bracket = authority.rfind(']');
    const auto port = authority.rfind(':');
    if (port == std::string::npos || (bracket != std::string::npos && port < bracket))
      authority += secure ? ":2376" : ":2375";
    target.base_url = (secure ? "https://" : "http://") + authority;
    return target;
  }
  return fail(
      Errc::kInvalidArgument,
      fmt::format("engine address \"{}\" is not understood; write unix:///path/docker.sock, "
                  "tcp://address:2375 or https://address:2376",
                  options.host));
}

Errc code_of_text(std::string_view text, Errc fallback) {
  for (const std::string_view word :
       {"unauthorized", "authentication required", "no basic auth credentials", "access denied",
        "may require 'docker login'", "denied: "})
    if (has(text, word)) return Errc::kUnauthenticated;
  if (has(text, "manifest unknown") || has(text, "not found")) return Errc::kNotFound;
  if (has(text, "toomanyrequests")) return Errc::kThrottled;
  return code_of_words(text).value_or(fallback);
}

Error error_from(int status, const net::Headers& headers, std::string_view body,
                 std::string_view what) {
  const auto parsed = parse_json(body, "the error body");
  const std::string message = parsed ? json_string(*parsed, "message") : "";
  if (message.empty())
    return Error{Errc::kCorrupt,
                 fmt::format("{}: HTTP {} with a body that is no engine's answer: \"{}\"", what,
                             status, excerpt(body)),
                 std::nullopt};
  Error error{code_of_words(message).value_or(code_of_status(status)), without_rpc_prefix(message),
              std::nullopt};
  while (!error.message.empty() && (error.message.back() == '.' || error.message.back() == '\n' ||
                                    error.message.back() == ' '))
    error.message.pop_back();
  const auto retry = headers.find("retry-after");
  if (retry != headers.end())
    error.retry_after = std::chrono::seconds(std::clamp(std::atoi(retry->second.c_str()), 0, 3600));
  return error;
}

Connection::Connection(net::Target target, EngineOptions options)
    : options_(std::move(options)), http_(std::move(target)), version_(options_.api_version) {}

Result<std::string> Connection::ping() {
  net::Request request;
  request.path = "/_ping";
  request.deadline = options_.deadline;
  request.max_response_bytes = 1U << 20;
  HIVE_ASSIGN(const net::Response response, http_.send(request));
  const auto header = response.headers.find("api-version");
  if (response.status != 200 && header == response.headers.end())
    return tl::unexpected(
        error_from(response.status, response.headers, response.body, "GET /_ping"));
  const auto minor = header == response.headers.end() ? std::nullopt : minor_of(header->second);
  if (!minor)
    return fail(Errc::kCorrupt,
                fmt::format("{} answers, but not as a Docker Engine (no Api-Version): \"{}\"",
                            options_.host, excerpt(response.body)));
  if (*minor < kOldestMinor)
    return fail(Errc::kUnsupported,
                fmt::format("the engine at {} speaks API 1.{}; hive needs 1.{} (Docker 19.03) or "
                            "newer: upgrade the engine",
                            options_.host, *minor, kOldestMinor));
  return fmt::format("1.{}", std::min(*minor, kNewestMinor));
}

Result<std::string> Connection::api_version() {
  {
    const std::lock_guard lock(mutex_);
    if (!version_.empty()) return version_;
  }
  HIVE_ASSIGN(const std::string version, ping());
  const std::lock_guard lock(mutex_);
  version_ = version;
  return version;
}

Result<net::Response> Connection::versioned(
    net::Request request,
    const std::function<Result<net::Response>(const net::Request&)>& exchange) {
  const std::string path = request.path;
  for (int attempt = 1;; ++attempt) {
    HIVE_ASSIGN(const std::string version, api_version());
    request.path = "/v" + version + path;
    HIVE_ASSIGN(net::Response response, exchange(request));
    if (acceptable(response.status)) return response;
    if (response.status == 400 && attempt == 1 && options_.api_version.empty() &&
        !request.body_source && has(response.body, "client version")) {
      const std::lock_guard lock(mutex_);
      version_.clear();
      continue;
    }
    request.path = path;
    return tl::unexpected(
        error_from(response.status, response.headers, response.body, what_of(request)));
  }
}

Result<net::Response> Connection::call(net::Request request) {
  return versioned(std::move(request),
                   [this](const net::Request& sent) { return http_.send(sent); });
}

Result<Json> Connection::json(net::Request request) {
  const std::string what = "the engine's answer to " + what_of(request);
  HIVE_ASSIGN(const net::Response response, call(std::move(request)));
  return parse_json(response.body, what);
}

Result<Json> Connection::object(net::Request request) {
  const std::string what = what_of(request);
  HIVE_ASSIGN(Json answer, json(std::move(request)));
  if (answer.is_object()) return answer;
  return fail(Errc::kCorrupt,
              fmt::format("the engine's answer to {} is no JSON object: \"{}\"", what,
                          excerpt(answer.dump(-1, ' ', false, Json::error_handler_t::replace))));
}

Status Connection::stream(net::Request request,
                          const std::function<bool(std::string_view)>& on_bytes,
                          const std::stop_token& stop, Milliseconds idle_timeout) {
  HIVE_TRY(versioned(std::move(request), [&](const net::Request& sent) {
    return http_.stream(sent, on_bytes, stop, idle_timeout);
  }));
  return {};
}

Status Connection::objects(net::Request request, JsonSplitter::Shape shape,
                           const JsonSplitter::OnValue& on_object, const std::stop_token& stop,
                           Milliseconds idle_timeout) {
  JsonSplitter splitter(shape, on_object);
  Status fed;
  const auto on_bytes = [&](std::string_view bytes) {
    fed = splitter.feed(bytes);
    return fed.has_value();
  };
  HIVE_TRY(stream(std::move(request), on_bytes, stop, idle_timeout));
  HIVE_TRY(std::move(fed));
  if (stop.stop_requested()) return {};
  return splitter.finish();
}

net::Request Connection::get(std::string path, const Query& query) const {
  net::Request request;
  request.path = std::move(path) + query.text();
  request.deadline = options_.deadline;
  return request;
}

net::Request Connection::post(std::string path, const Query& query, const Json* body) const {
  net::Request request = get(std::move(path), query);
  request.method = "POST";
  if (body == nullptr) return request;
  request.body = body->dump(-1, ' ', false, Json::error_handler_t::replace);
  request.headers.emplace("content-type", "application/json");
  return request;
}

net::Request Connection::del(std::string path, const Query& query) const {
  net::Request request = get(std::move(path), query);
  request.method = "DELETE";
  return request;
}

}  // namespace hive::engine::docker
