#include "cloud/aws/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "base/text.h"
#include "net/http_server.h"

namespace hive::cloud::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string hmac(const std::string& key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  return {reinterpret_cast<const char*>(digest), size};
}

std::string stamp(WallTime now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char out[32];
  std::strftime(out, sizeof out, "%Y%m%dT%H%M%SZ", &parts);
  return out;
}

// Without empty and dot segments; a slash at the end stays.
std::string canonical_path(std::string_view path) {
  std::vector<std::string> kept;
  bool slash_at_end = true;
  for (const auto& part : split(path, '/')) {
    slash_at_end = part.empty() || part == "." || part == "..";
    if (part == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!part.empty() && part != ".") {
      kept.push_back(net::percent_encode(part));
    }
  }
  if (kept.empty()) return "/";
  return "/" + join(kept, "/") + (slash_at_end ? "/" : "");
}

std::string canonical_query(std::string_view query) {
  std::vector<std::string> pairs;
  for (const auto& pair : split(query, '&')) {
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    const auto value = equals == pair.size() ? std::string() : pair.substr(equals + 1);
    pairs.push_back(net::percent_encode(net::percent_decode(pair.substr(0, equals))) + "=" +
                    net::percent_encode(net::percent_decode(value)));
  }
  std::sort(pairs.begin(), pairs.end());
  return join(pairs, "&");
}

// Trimmed, runs of spaces made one.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : trim(value))
    if (c != ' ' || out.empty() || out.back() != ' ') out += c;
  return out;
}

struct CanonicalHeaders {
  std::string lines;
  std::string names;
};

CanonicalHeaders canonical_headers(const net::Headers& headers, std::string_view host) {
  std::map<std::string, std::string> joined{{"host", std::string(host)}};
  for (const auto& [name, value] : headers) {
    const auto [at, first] = joined.emplace(name, canonical_value(value));
    if (!first) at->second += "," + canonical_value(value);
  }
  CanonicalHeaders out;
  for (const auto& [name, value] : joined) {
    out.lines.append(name).append(":").append(value).append("\n");
    out.names += (out.names.empty() ? "" : ";") + name;
  }
  return out;
}

}  // namespace

void sign(net::Request& request, std::string_view host, const Credentials& credentials,
          const SigningScope& scope, WallTime now) {
  const std::string time = stamp(now);
  const std::string day = time.substr(0, 8);
  request.headers.emplace("x-amz-date", time);
  if (!credentials.session_token.empty())
    request.headers.emplace("x-amz-security-token", credentials.session_token.reveal());

  const auto question = std::min(request.path.find('?'), request.path.size());
  const std::string_view path(request.path);
  const auto headers = canonical_headers(request.headers, host);
  const std::string canonical =
      request.method + "\n" + canonical_path(path.substr(0, question)) + "\n" +
      canonical_query(question == path.size() ? "" : path.substr(question + 1)) + "\n" +
      headers.lines + "\n" + headers.names + "\n" + sha256_hex(request.body);

  const std::string place = day + "/" + scope.region + "/" + scope.service + "/aws4_request";
  const std::string text =
      std::string(kAlgorithm) + "\n" + time + "\n" + place + "\n" + sha256_hex(canonical);
  std::string key = hmac("AWS4" + credentials.secret_access_key.reveal(), day);
  key = hmac(key, scope.region);
  key = hmac(key, scope.service);
  key = hmac(key, "aws4_request");
  request.headers.emplace("authorization", std::string(kAlgorithm) +
                                               " Credential=" + credentials.access_key_id + "/" +
                                               place + ", SignedHeaders=" + headers.names +
                                               ", Signature=" + to_hex(hmac(key, text)));
}

}  // namespace hive::cloud::aws
