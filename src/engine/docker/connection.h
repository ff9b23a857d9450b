// One engine's HTTP side: where it is, which API version is spoken, and what its errors mean.
// Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engine/docker/client.h"
#include "engine/docker/json_split.h"
#include "engine/engine.h"
#include "net/http_client.h"

namespace hive::engine::docker {

inline constexpr int kOldestMinor = 40;  // API 1.40, engine 19.03
inline constexpr int kNewestMinor = 47;  // API 1.47, engine 27

// "?a=b&c=d" with values percent-encoded; empty values are left out.
class Query {
 public:
  Query& add(std::string_view name, std::string_view value);
  Query& flag(std::string_view name, bool on);
  Query& filters(const Filters& filters);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// A path segment; '/', ':' and '@' stay, as image references need them.
std::string path_escape(std::string_view text);

Result<net::Target> target_from(const EngineOptions& options);

// What a status of 400 and up means. Source: the engine's api/server/httpstatus and swarmkit's
// gRPC codes, which arrive as text ("rpc error: code = NotFound desc = ...").
Error error_from(int status, const net::Headers& headers, std::string_view body,
                 std::string_view what);
// What an error text in a progress stream means ("unauthorized: ...").
Errc code_of_text(std::string_view text, Errc fallback);

class Connection {
 public:
  Connection(net::Target target, EngineOptions options);

  const EngineOptions& options() const { return options_; }
  // "1.41": pinned, or negotiated by the first successful /_ping and kept.
  Result<std::string> api_version();
  Result<std::string> ping();  // asks the engine every time

  // `request.path` without the version prefix. Errors as error_from(). 304 is a success.
  Result<net::Response> call(net::Request request);
  Result<Json> json(net::Request request);
  // As json(); kCorrupt when the answer is no JSON object.
  Result<Json> object(net::Request request);
  Status stream(net::Request request, const std::function<bool(std::string_view)>& on_bytes,
                const std::stop_token& stop, Milliseconds idle_timeout);
  // Every object of the answer, as it arrives. The callback's error ends it and is returned.
  Status objects(net::Request request, JsonSplitter::Shape shape,
                 const JsonSplitter::OnValue& on_object, const std::stop_token& stop,
                 Milliseconds idle_timeout);

  net::Request get(std::string path, const Query& query = {}) const;
  net::Request post(std::string path, const Query& query = {}, const Json* body = nullptr) const;
  net::Request del(std::string path, const Query& query = {}) const;

 private:
  // Sends with the version in front; negotiates anew once when the engine says that its version
  // changed (it was upgraded or downgraded behind its address).
  Result<net::Response> versioned(
      net::Request request,
      const std::function<Result<net::Response>(const net::Request&)>& exchange);

  EngineOptions options_;
  net::HttpClient http_;
  std::mutex mutex_;
  std::string version_;
};

}  // namespace hive::engine::docker
