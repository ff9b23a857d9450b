// YAML 1.1 scalars as docker's reader (go-yaml v2) resolves them.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "config/document.h"

namespace hive::config {

namespace {

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool digits_only(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// [-+]? ( .digits | digits [. digits?] ) ( [eE] [-+]? digits )?
bool looks_like_float(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const auto exponent = text.find_first_of("eE");
  std::string_view mantissa = text.substr(0, exponent);
  if (exponent != std::string_view::npos) {
    std::string_view power = text.substr(exponent + 1);
    if (!power.empty() && (power[0] == '-' || power[0] == '+')) power.remove_prefix(1);
    if (!digits_only(power)) return false;
  }
  const auto dot = mantissa.find('.');
  if (dot == std::string_view::npos) return digits_only(mantissa);
  const auto whole = mantissa.substr(0, dot);
  const auto fraction = mantissa.substr(dot + 1);
  if (whole.empty()) return digits_only(fraction);
  return digits_only(whole) && (fraction.empty() || digits_only(fraction));
}

// Magnitude of 0x1f, 0o17, 017, 0b11, 31 (no sign).
std::optional<std::uint64_t> parse_magnitude(std::string_view text) {
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) base = 16;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'b' || text[1] == 'B')) base = 2;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'o' || text[1] == 'O')) base = 8;
  if (base != 10) {
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

bool set_integer(std::string_view plain, Node& node) {
  bool negative = false;
  if (!plain.empty() && (plain[0] == '-' || plain[0] == '+')) {
    negative = plain[0] == '-';
    plain.remove_prefix(1);
  }
  const auto magnitude = parse_magnitude(plain);
  if (!magnitude) return false;
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (*magnitude > kMax + (negative ? 1 : 0)) {
    // Beyond 64 bits with a sign: kept as a number whose text is exact.
    node.kind = Node::Kind::kFloat;
    node.number = (negative ? -1.0 : 1.0) * static_cast<double>(*magnitude);
    return true;
  }
  node.kind = Node::Kind::kInt;
  node.integer = static_cast<std::int64_t>(negative ? 0 - *magnitude : *magnitude);
  return true;
}

}  // namespace

Node plain_scalar(std::string_view text, Position position) {
  Node node{.kind = Node::Kind::kString, .position = position, .text = std::string(text)};
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) {
    node.kind = Node::Kind::kNull;
    return node;
  }
  const bool yes =
      one_of(text, {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"});
  if (yes ||
      one_of(text, {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})) {
    node.kind = Node::Kind::kBool;
    node.boolean = yes;
    return node;
  }
  if (one_of(text, {".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF",
                    "-.inf", "-.Inf", "-.INF"})) {
    node.kind = Node::Kind::kFloat;
    node.number = text[0] == '-' ? -std::numeric_limits<double>::infinity()
                                 : std::numeric_limits<double>::infinity();
    if (text.back() == 'n' || text.back() == 'N')
      node.number = std::numeric_limits<double>::quiet_NaN();
    return node;
  }
  const char first = text[0];
  const bool numeric = (first >= '0' && first <= '9') || first == '-' || first == '+';
  if (!numeric && first != '.') return node;
  std::string plain(text);
  if (numeric) plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  if (numeric && set_integer(plain, node)) return node;
  if (looks_like_float(plain)) {
    const double value = std::strtod(plain.c_str(), nullptr);
    if (!std::isfinite(value)) return node;
    node.kind = Node::Kind::kFloat;
    node.number = value;
  }
  return node;
}

namespace {

// As Go's %v prints a float64: shortest digits, exponent form below 1e-4 and from 1e6.
std::string go_float(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 512> buffer{};
  const double magnitude = std::fabs(value);
  const bool exponent = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e6);
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                    exponent ? std::chars_format::scientific : std::chars_format::fixed);
  return {buffer.data(), result.ptr};
}

}  // namespace

std::string scalar_text(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kString:
      return node.text;
    case Node::Kind::kBool:
      return node.boolean ? "true" : "false";
    case Node::Kind::kInt:
      return std::to_string(node.integer);
    case Node::Kind::kFloat:
      // A whole number too large for 64 bits with a sign, but not without.
      if (const auto big = parse_magnitude(node.text); big && digits_only(node.text))
        return std::to_string(*big);
      return go_float(node.number);
    default:
      return "";
  }
}

}  // namespace hive::config
