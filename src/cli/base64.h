// Base64 (RFC 4648), as docker's config.json and Swarm's configs have it.
#pragma once

#include <string>
#include <string_view>

namespace hive::cli {

std::string base64_encode(std::string_view bytes);
// Up to the first character that is not of the alphabet.
std::string base64_decode(std::string_view text);

}  // namespace hive::cli
