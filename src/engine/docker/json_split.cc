#include "engine/docker/json_split.h"

#include <fmt/core.h>

#include <array>

namespace hive::engine::docker {
namespace {

// Bytes at which something may change, within a string and outside of one; all others are passed
// over.
struct Stops {
  std::array<bool, 256> in_string{};
  std::array<bool, 256> outside{};
};
constexpr Stops kStops = [] {
  Stops stops;
  for (const unsigned char c : {'"', '\\'}) stops.in_string[c] = true;
  for (const unsigned char c : {'"', '{', '}', '[', ']'}) stops.outside[c] = true;
  return stops;
}();

bool blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

// A byte between values: white space, the array's own punctuation, or the start of an object.
Status JsonSplitter::outside(char c) {
  if (blank(c)) return {};
  if (shape_ == Shape::kArray && state_ == State::kStart && c == '[') {
    state_ = State::kBetween;
    return {};
  }
  const bool inside_array = shape_ == Shape::kSequence || state_ == State::kBetween;
  if (shape_ == Shape::kArray && state_ == State::kBetween && (c == ',' || c == ']')) {
    if (c == ']') state_ = State::kEnd;
    return {};
  }
  if (inside_array && c == '{') {
    state_ = State::kInside;
    return {};
  }
  return fail(Errc::kCorrupt,
              fmt::format("the engine's answer is not {}: unexpected byte 0x{:02x}",
                          shape_ == Shape::kArray ? "a JSON array of objects" : "JSON objects",
                          static_cast<unsigned char>(c)));
}

Status JsonSplitter::feed(std::string_view bytes) {
  std::size_t begin = 0;  // of the current value's bytes in this piece
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    char c = bytes[i];
    if (state_ != State::kInside) {
      HIVE_TRY(outside(c));
      if (state_ != State::kInside) continue;
      begin = i;
      depth_ = 1;
      continue;
    }
    if (!escaped_) {
      const auto& stops = in_string_ ? kStops.in_string : kStops.outside;
      while (i < bytes.size() && !stops[static_cast<unsigned char>(bytes[i])]) ++i;
      if (i == bytes.size()) break;
      c = bytes[i];
    }
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      continue;
    }
    if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      state_ = shape_ == Shape::kArray ? State::kBetween : State::kStart;
      const std::string_view tail = bytes.substr(begin, i + 1 - begin);
      if (value_.empty()) {
        HIVE_TRY(on_value_(tail));
      } else {
        value_.append(tail);
        HIVE_TRY(on_value_(value_));
        value_.clear();
      }
    }
  }
  if (state_ == State::kInside) value_.append(bytes.substr(begin));
  if (value_.size() > kMaxValueBytes)
    return fail(
        Errc::kResourceExhausted,
        fmt::format("one object of the engine's answer is larger than {} bytes", kMaxValueBytes));
  return {};
}

Status JsonSplitter::finish() const {
  const bool whole = shape_ == Shape::kArray ? state_ == State::kEnd : state_ == State::kStart;
  if (whole) return {};
  return fail(Errc::kCorrupt, "the engine's answer ends in the middle of its JSON");
}

}  // namespace hive::engine::docker
