// A Docker/OCI registry, asked directly: whether it is there, whether credentials are good, which
// digest a tag has; blobs and manifests put into it. Source: the OCI distribution specification and
// docker's token flow (distribution/docs/spec/auth/token.md).
//
// Every call is blocking with a deadline. Thread-safe.
// Errors: kUnavailable, kDeadlineExceeded, kCorrupt (no registry answers there), kUnauthenticated,
// kPermissionDenied, kNotFound, kThrottled.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/image_reference.h"
#include "net/http_client.h"
#include "registry/credentials.h"

namespace hive::registry {

struct ClientOptions {
  // Registries spoken to over plain HTTP ("registry.hive:5001"). localhost and 127.0.0.0/8 always.
  std::vector<std::string> insecure;
  net::TlsOptions tls;
  Milliseconds deadline{15'000};
  Milliseconds upload_deadline{600'000};  // of one blob
};

struct Blob {
  std::string digest;  // "sha256:..."
  std::uint64_t size = 0;
};
// Puts the next bytes into the buffer and says how many; 0 at the end.
using BlobSource = std::function<Result<std::size_t>(char*, std::size_t)>;

class Client {
 public:
  // Of one registry: the domain of a Reference.
  Client(std::string domain, ClientOptions options,
         std::optional<Credentials> credentials = std::nullopt);

  // /v2/ answers as a registry does; 401 counts as there.
  Status ping();
  // /v2/ lets these credentials in; kUnauthenticated when not.
  Status check_auth();
  // The digest that a reference means now ("sha256:..."), of the manifest list where there is one.
  Result<std::string> resolve(const model::ImageReference& reference);

  // Nothing when the repository does not have it.
  Result<std::optional<Blob>> find_blob(const std::string& repository, const std::string& digest);
  // Read once, from the source's beginning to its end.
  Result<Blob> upload_blob(const std::string& repository, const BlobSource& source);
  // Returns its digest. What it names must be there already.
  Result<std::string> put_manifest(const model::ImageReference& reference,
                                   const std::string& media_type, std::string manifest);

 private:
  // By its name in lower case; empty where there is none.
  static std::string header_of(const net::Response& response, const char* name);
  Result<net::Response> request(net::Request request, const std::string& scope);
  Result<std::string> begin_upload(const std::string& repository, const std::string& scope);
  std::string known_authorization(const std::string& scope);
  Result<std::string> authorize(const std::string& challenge, const std::string& scope);
  Result<std::string> fetch_token(const std::map<std::string, std::string>& parameters,
                                  const std::string& scope);
  Error error_from(const net::Response& response, const std::string& what) const;

  std::string domain_;
  ClientOptions options_;
  std::optional<Credentials> credentials_;
  std::unique_ptr<net::HttpClient> http_;
  std::mutex mutex_;
  std::map<std::string, std::string> authorization_;  // by scope
};

// WWW-Authenticate: Bearer realm="...",service="..." as scheme (lower case) and parameters.
struct Challenge {
  std::string scheme;
  std::map<std::string, std::string> parameters;
};
Challenge parse_challenge(std::string_view header);

}  // namespace hive::registry
