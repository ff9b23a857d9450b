#include "engine/docker/log_frames.h"

#include <fmt/core.h>

#include <cctype>
#include <cstdlib>

namespace hive::engine::docker {
namespace {

constexpr std::size_t kHeaderBytes = 8;
constexpr std::size_t kMaxSources = 4096;  // unfinished lines kept at once

std::string query_unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%' && i + 2 < text.size() &&
               std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
               std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0) {
      out +=
          static_cast<char>(std::strtoul(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string_view take_word(std::string_view& text) {
  const auto space = text.find(' ');
  const std::string_view word = text.substr(0, space);
  text = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
  return word;
}

}  // namespace

model::Labels parse_log_details(std::string_view text) {
  model::Labels details;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view pair = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    details.emplace(query_unescape(pair.substr(0, equals)),
                    query_unescape(pair.substr(equals + 1)));
  }
  return details;
}

Result<bool> LogDecoder::feed(std::string_view bytes) {
  if (format_.raw) return message(1, bytes);
  buffer_.append(bytes);
  std::size_t at = 0;
  bool wanted = true;
  while (wanted && buffer_.size() - at >= kHeaderBytes) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(buffer_[at + i]); };
    const std::size_t length = static_cast<std::size_t>(byte(4)) << 24 |
                               static_cast<std::size_t>(byte(5)) << 16 |
                               static_cast<std::size_t>(byte(6)) << 8 | byte(7);
    if (byte(0) > 3 || byte(1) != 0 || byte(2) != 0 || byte(3) != 0 || length > kMaxFrameBytes)
      return fail(Errc::kCorrupt, "the engine's log stream has a broken frame header");
    if (buffer_.size() - at - kHeaderBytes < length) break;
    HIVE_ASSIGN(wanted,
                frame(byte(0), std::string_view(buffer_).substr(at + kHeaderBytes, length)));
    at += kHeaderBytes + length;
  }
  buffer_.erase(0, at);
  return wanted;
}

Result<bool> LogDecoder::frame(int stream, std::string_view payload) {
  if (stream == 3)
    return fail(Errc::kUnavailable, "the engine's log stream: " + std::string(payload));
  return message(stream == 2 ? 2 : 1, payload);
}

// One message of the engine, in front of which it puts the timestamp and the details. A TTY's
// stream has no frames: there a message is a line, and a piece without newline continues one.
bool LogDecoder::message(int stream, std::string_view text) {
  if (format_.raw) {
    Source source{stream, {}};
    while (!text.empty()) {
      const auto newline = text.find('\n');
      const std::size_t length = newline == std::string_view::npos ? text.size() : newline + 1;
      if (!append(source, {}, text.substr(0, length))) return false;
      text.remove_prefix(length);
    }
    return true;
  }
  std::string prefix;
  if (format_.timestamps) prefix = std::string(take_word(text)) + ' ';
  Source source{stream, {}};
  if (format_.details) source.second = take_word(text);
  do {
    const auto newline = text.find('\n');
    const std::size_t length = newline == std::string_view::npos ? text.size() : newline + 1;
    if (!append(source, prefix, text.substr(0, length))) return false;
    text.remove_prefix(length);
  } while (!text.empty());
  return true;
}

bool LogDecoder::append(const Source& source, std::string_view prefix, std::string_view text) {
  Pending& pending = pending_[source];
  if (pending.text.empty() && pending.prefix.empty()) pending.prefix = prefix;
  const bool whole = !text.empty() && text.back() == '\n';
  if (whole) text.remove_suffix(1);
  while (pending.text.size() + text.size() > kMaxLineBytes) {
    const std::size_t room = kMaxLineBytes - pending.text.size();
    pending.text.append(text.substr(0, room));
    text.remove_prefix(room);
    if (!emit(source, pending)) return false;
    pending.prefix = prefix;
  }
  pending.text.append(text);
  if (whole) {
    Pending line = std::move(pending);
    pending_.erase(source);
    return emit(source, line);
  }
  if (pending_.size() <= kMaxSources) return true;
  Pending oldest = std::move(pending_.begin()->second);
  const Source whose = pending_.begin()->first;
  pending_.erase(pending_.begin());
  return emit(whose, oldest);
}

bool LogDecoder::emit(const Source& source, Pending& pending) {
  LogLine line;
  line.stream = source.first;
  std::string text = std::move(pending.text);
  if (!text.empty() && text.back() == '\r') text.pop_back();
  std::string details_text = source.second;
  if (format_.raw) {
    std::string_view rest = text;
    std::string stamp;
    if (format_.timestamps) stamp = std::string(take_word(rest)) + ' ';
    if (format_.details) details_text = take_word(rest);
    text = stamp + std::string(rest);
  }
  line.details = parse_log_details(details_text);
  line.text = std::move(pending.prefix) + text;
  pending = {};
  return on_line_(std::move(line));
}

Status LogDecoder::finish() {
  auto left = std::move(pending_);
  pending_.clear();
  for (auto& [source, pending] : left)
    if (!emit(source, pending)) return {};
  if (!buffer_.empty())
    return fail(Errc::kUnavailable, "the engine's log stream ended in the middle of a frame");
  return {};
}

}  // namespace hive::engine::docker
