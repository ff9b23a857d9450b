// Image references as docker reads them: "[domain/]path[:tag][@digest]", with docker.io and
// library/ assumed. Source: github.com/distribution/reference (normalize.go).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hive::model {

struct ImageReference {
  std::string domain;  // "docker.io", "localhost:5000"
  std::string path;    // "library/nginx"
  std::string tag;     // "latest" when neither tag nor digest is given
  std::string digest;  // "sha256:..." or empty

  // What the registry's API calls by: the digest when there is one, else the tag.
  const std::string& version() const { return digest.empty() ? tag : digest; }
  // "docker.io/library/nginx:latest".
  std::string canonical() const;
};

// kInvalidArgument says what is wrong with it.
Result<ImageReference> parse_image_reference(std::string_view text);

}  // namespace hive::model
