// SHA-256 (FIPS 180-4), by OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's

namespace hive {

// Of bytes that come in parts. Not for use by two threads at once.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  // The digest, in 64 lower-case hexadecimal digits. Once; nothing is added after it.
  std::string hex();

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

// Of all the bytes, in the same digits.
std::string sha256_hex(std::string_view bytes);
// Two lower-case hexadecimal digits a byte.
std::string to_hex(std::string_view bytes);

}  // namespace hive
