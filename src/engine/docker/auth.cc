#include "engine/docker/auth.h"

namespace hive::engine::docker {

std::string base64url(std::string_view bytes) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned triple = 0;
    for (std::size_t k = 0; k < 3; ++k)
      triple = triple << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= have ? kAlphabet[triple >> (18 - 6 * k) & 63U] : '=';
  }
  return out;
}

std::string registry_auth_header(const RegistryAuth& auth) {
  Json config = Json::object();
  if (!auth.username.empty()) config["username"] = auth.username;
  if (!auth.password.empty()) config["password"] = auth.password;
  if (!auth.server_address.empty()) config["serveraddress"] = auth.server_address;
  if (!auth.identity_token.empty()) config["identitytoken"] = auth.identity_token;
  return base64url(config.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace hive::engine::docker
