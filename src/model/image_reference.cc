#include "model/image_reference.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <utility>

namespace hive::model {
namespace {

constexpr std::size_t kMaxPath = 255;
constexpr std::size_t kMaxTag = 128;

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool word_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Alphanumerics joined by '.', one or two '_', or any number of '-'.
bool valid_component(std::string_view part) {
  if (part.empty() || !lower_or_digit(part.front()) || !lower_or_digit(part.back())) return false;
  for (std::size_t i = 0; i < part.size();) {
    if (lower_or_digit(part[i])) {
      ++i;
      continue;
    }
    const std::size_t start = i;
    while (i < part.size() && part[i] == part[start]) ++i;
    const std::size_t length = i - start;
    const char c = part[start];
    if (i < part.size() && !lower_or_digit(part[i])) return false;
    if (!((c == '.' && length == 1) || (c == '_' && length <= 2) || c == '-')) return false;
  }
  return true;
}

bool valid_path(std::string_view path) {
  while (true) {
    const auto slash = path.find('/');
    if (!valid_component(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool valid_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= kMaxTag && word_char(tag.front()) &&
         std::all_of(tag.begin(), tag.end(),
                     [](char c) { return word_char(c) || c == '.' || c == '-'; });
}

bool valid_digest(std::string_view digest) {
  constexpr std::pair<std::string_view, std::size_t> kAlgorithms[] = {
      {"sha256:", 64}, {"sha384:", 96}, {"sha512:", 128}};
  return std::any_of(std::begin(kAlgorithms), std::end(kAlgorithms), [&](const auto& algorithm) {
    const auto& [prefix, digits] = algorithm;
    return digest.starts_with(prefix) && digest.size() == prefix.size() + digits &&
           digest.find_first_not_of("0123456789abcdef", prefix.size()) == std::string_view::npos;
  });
}

bool valid_domain(std::string_view domain) {
  return !domain.empty() && std::all_of(domain.begin(), domain.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == ':' ||
           c == '[' || c == ']';
  });
}

tl::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return fail(Errc::kInvalidArgument,
              "image reference \"" + std::string(text) + "\": " + std::string(why));
}

}  // namespace

std::string ImageReference::canonical() const {
  return domain + "/" + path + (tag.empty() ? "" : ":" + tag) +
         (digest.empty() ? "" : "@" + digest);
}

Result<ImageReference> parse_image_reference(std::string_view text) {
  ImageReference out;
  std::string_view rest = text;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    out.digest = rest.substr(at + 1);
    if (!valid_digest(out.digest))
      return bad(text,
                 "the digest after \"@\" must be sha256: and 64 hexadecimal digits (sha384: 96, "
                 "sha512: 128)");
    rest = rest.substr(0, at);
  }
  const auto slash = rest.rfind('/');
  const auto colon = rest.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    out.tag = rest.substr(colon + 1);
    if (!valid_tag(out.tag))
      return bad(text, "a tag has 1 to 128 letters, digits, \"_\", \".\" or \"-\"");
    rest = rest.substr(0, colon);
  }
  const auto first = rest.find('/');
  const std::string_view head = rest.substr(0, first);
  const bool has_domain = first != std::string_view::npos &&
                          (head.find_first_of(".:") != std::string_view::npos ||
                           head == "localhost" || std::any_of(head.begin(), head.end(), [](char c) {
                             return std::isupper(static_cast<unsigned char>(c)) != 0;
                           }));
  out.domain = has_domain ? std::string(head) : "docker.io";
  if (out.domain == "index.docker.io") out.domain = "docker.io";
  out.path = has_domain ? rest.substr(first + 1) : rest;
  if (!valid_domain(out.domain)) return bad(text, "the registry's name is not a host name");
  if (out.path.empty()) return bad(text, "the image's name is empty");
  if (!valid_path(out.path) || out.path.size() > kMaxPath)
    return bad(text,
               "a name has lower case letters, digits, and single \".\", \"_\", \"-\" or "
               "\"/\" between them");
  if (out.domain == "docker.io" && out.path.find('/') == std::string::npos)
    out.path = "library/" + out.path;
  if (out.tag.empty() && out.digest.empty()) out.tag = "latest";
  return out;
}

}  // namespace hive::model
