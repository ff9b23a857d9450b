#include "cli/printable.h"

namespace hive::cli {

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      const bool control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
      out += control ? '?' : text[at];
      ++at;
      continue;
    }
    // RFC 3629: the lead byte says the length; shortest form and surrogates are left to the reader.
    const std::size_t length = byte >= 0xc2 && byte <= 0xdf   ? 2
                               : byte >= 0xe0 && byte <= 0xef ? 3
                               : byte >= 0xf0 && byte <= 0xf4 ? 4
                                                              : 0;
    bool whole = length > 0 && at + length <= text.size();
    for (std::size_t i = 1; whole && i < length; ++i)
      whole = (static_cast<unsigned char>(text[at + i]) & 0xc0U) == 0x80U;
    if (whole)
      out += text.substr(at, length);
    else
      out += "\xef\xbf\xbd";
    at += whole ? length : 1;
  }
  return out;
}

}  // namespace hive::cli
