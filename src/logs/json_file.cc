#include "logs/json_file.h"

#include <charconv>
#include <cstring>
#include <optional>

#include "base/json.h"

namespace hive::logs {
namespace {

constexpr std::string_view kPrefix = R"({"log":")";
constexpr std::string_view kStdout = R"(,"stream":"stdout")";
constexpr std::string_view kStderr = R"(,"stream":"stderr")";

const char* find(const char* begin, const char* end, char wanted) {
  return static_cast<const char*>(
      std::memchr(begin, wanted, static_cast<std::size_t>(end - begin)));
}

void append_utf8(std::uint32_t code, std::string& text) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

std::optional<std::uint32_t> hex4(const char* at, const char* end) {
  if (end - at < 4) return std::nullopt;
  std::uint32_t code = 0;
  const auto result = std::from_chars(at, at + 4, code, 16);
  if (result.ec != std::errc() || result.ptr != at + 4) return std::nullopt;
  return code;
}

// `at` is behind "\u". The position behind the escape, a surrogate pair's second half included.
const char* unicode(const char* at, const char* end, std::string& text) {
  const auto code = hex4(at, end);
  if (!code) return nullptr;
  at += 4;
  if (*code >= 0xd800 && *code < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
    const auto low = hex4(at + 2, end);
    if (low && *low >= 0xdc00 && *low < 0xe000) {
      append_utf8(0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00), text);
      return at + 6;
    }
  }
  append_utf8(*code >= 0xd800 && *code < 0xe000 ? 0xfffd : *code, text);
  return at;
}

// `at` is at a backslash. The position behind the escape, or nullptr when it is none.
const char* escape(const char* at, const char* end, std::string& text) {
  if (end - at < 2) return nullptr;
  switch (at[1]) {
    case 'n':
      text += '\n';
      return at + 2;
    case 't':
      text += '\t';
      return at + 2;
    case 'r':
      text += '\r';
      return at + 2;
    case 'b':
      text += '\b';
      return at + 2;
    case 'f':
      text += '\f';
      return at + 2;
    case '"':
    case '\\':
    case '/':
      text += at[1];
      return at + 2;
    case 'u':
      return unicode(at + 2, end, text);
    default:
      return nullptr;
  }
}

// A JSON string's inside, from `at` to its closing quote; the position behind that, or nullptr.
const char* unescape(const char* at, const char* end, std::string& text) {
  const char* quote = nullptr;
  while (true) {
    if (quote == nullptr || quote < at) quote = find(at, end, '"');
    if (quote == nullptr) return nullptr;
    const char* backslash = find(at, quote, '\\');
    if (backslash == nullptr) {
      text.append(at, quote);
      return quote + 1;
    }
    text.append(at, backslash);
    at = escape(backslash, end, text);
    if (at == nullptr) return nullptr;
  }
}

// The line as docker writes it, without a parser: its members are always in this order.
bool decode_fast(std::string_view line, std::string& out, std::string& err) {
  if (!line.starts_with(kPrefix)) return false;
  const std::size_t before = out.size();
  const char* end = line.data() + line.size();
  const char* rest = unescape(line.data() + kPrefix.size(), end, out);
  if (rest != nullptr) {
    const std::string_view members(rest, static_cast<std::size_t>(end - rest));
    if (members.starts_with(kStdout)) return true;
    if (members.starts_with(kStderr)) {
      err.append(out, before);
      out.resize(before);
      return true;
    }
  }
  out.resize(before);
  return false;
}

void decode_line(std::string_view line, std::string& out, std::string& err) {
  if (decode_fast(line, out, err)) return;
  const auto object = parse_json(line, "log line");
  if (object && object->is_object() && object->contains("stream")) {
    (json_string(*object, "stream") == "stderr" ? err : out) += json_string(*object, "log");
    return;
  }
  out += line;
  out += '\n';
}

}  // namespace

std::size_t decode_json_file(std::string_view data, std::string& out, std::string& err) {
  const char* at = data.data();
  const char* end = at + data.size();
  while (const char* newline = at == end ? nullptr : find(at, end, '\n')) {
    decode_line({at, static_cast<std::size_t>(newline - at)}, out, err);
    at = newline + 1;
  }
  return static_cast<std::size_t>(at - data.data());
}

}  // namespace hive::logs
