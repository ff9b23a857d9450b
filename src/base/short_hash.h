// FNV-1a, 64 bits, as 16 hexadecimal digits: the same on every machine and in every version. Only
// to tell things apart; nothing is safe from being forged by it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hive {

inline std::string short_hash(std::string_view text) {
  std::uint64_t value = 14'695'981'039'346'656'037ULL;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ULL;
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[(value >> shift) & 15U];
  return out;
}

}  // namespace hive
