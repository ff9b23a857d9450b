// The writing half of the client: blobs and manifests.
#include <fmt/core.h>

#include "base/sha256.h"
#include "registry/client.h"

namespace hive::registry {
namespace {

std::string push_scope(const std::string& repository) {
  return "repository:" + repository + ":pull,push";
}

// The path and query of "http://host/path?query" or "/path?query".
std::string path_of(const std::string& location) {
  const auto scheme = location.find("://");
  if (scheme == std::string::npos) return location;
  const auto slash = location.find('/', scheme + 3);
  return slash == std::string::npos ? "/" : location.substr(slash);
}

}  // namespace

Result<std::optional<Blob>> Client::find_blob(const std::string& repository,
                                              const std::string& digest) {
  net::Request call;
  call.method = "HEAD";
  call.path = "/v2/" + repository + "/blobs/" + digest;
  HIVE_ASSIGN(const net::Response response, request(call, push_scope(repository)));
  if (response.status == 404) return std::optional<Blob>();
  if (response.status != 200)
    return tl::unexpected(error_from(response, "looking for a layer of " + repository));
  const std::string length = header_of(response, "content-length");
  return std::optional<Blob>(Blob{digest, std::strtoull(length.c_str(), nullptr, 10)});
}

Result<std::string> Client::begin_upload(const std::string& repository, const std::string& scope) {
  net::Request call;
  call.method = "POST";
  call.path = "/v2/" + repository + "/blobs/uploads/";
  HIVE_ASSIGN(const net::Response response, request(call, scope));
  const std::string location = path_of(header_of(response, "location"));
  if (response.status != 202 || location.empty())
    return tl::unexpected(error_from(response, "beginning an upload to " + repository));
  return location;
}

Result<Blob> Client::upload_blob(const std::string& repository, const BlobSource& source) {
  const std::string scope = push_scope(repository);
  HIVE_ASSIGN(std::string location, begin_upload(repository, scope));
  Sha256 sum;
  std::uint64_t total = 0;
  net::Request send;
  send.method = "PATCH";
  send.path = location;
  send.deadline = options_.upload_deadline;
  send.headers.emplace("content-type", "application/octet-stream");
  if (const auto known = known_authorization(scope); !known.empty())
    send.headers.emplace("authorization", known);
  send.body_source = [&](char* buffer, std::size_t size) -> Result<std::size_t> {
    HIVE_ASSIGN(const std::size_t got, source(buffer, size));
    sum.add({buffer, got});
    total += got;
    return got;
  };
  // Not by request(): a source cannot be read again, and beginning the upload has logged in.
  HIVE_ASSIGN(const net::Response sent, http_->send(send));
  location = path_of(header_of(sent, "location"));
  if (sent.status != 202 || location.empty())
    return tl::unexpected(error_from(sent, "sending a layer to " + repository));
  Blob blob{"sha256:" + sum.hex(), total};
  net::Request end;
  end.method = "PUT";
  end.path = location + (location.find('?') == std::string::npos ? "?" : "&") +
             "digest=" + net::percent_encode(blob.digest);
  HIVE_ASSIGN(const net::Response ended, request(end, scope));
  if (ended.status != 201)
    return tl::unexpected(error_from(ended, "ending an upload to " + repository));
  return blob;
}

Result<std::string> Client::put_manifest(const model::ImageReference& reference,
                                         const std::string& media_type, std::string manifest) {
  net::Request call;
  call.method = "PUT";
  call.path = "/v2/" + reference.path + "/manifests/" + reference.version();
  call.headers.emplace("content-type", media_type);
  call.body = std::move(manifest);
  HIVE_ASSIGN(const net::Response response, request(call, push_scope(reference.path)));
  if (response.status != 201)
    return tl::unexpected(error_from(response, "naming " + reference.path));
  return header_of(response, "docker-content-digest");
}

}  // namespace hive::registry
