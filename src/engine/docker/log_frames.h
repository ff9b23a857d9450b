// The engine's log streams as lines: multiplexed (frames with 8-byte headers, Engine API "Stream
// format") or raw (a TTY's output). Bytes may be cut anywhere. A line longer than kMaxLineBytes
// comes in pieces.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "engine/engine.h"

namespace hive::engine::docker {

class LogDecoder {
 public:
  static constexpr std::size_t kMaxLineBytes = 1U << 20;
  static constexpr std::size_t kMaxFrameBytes = 16U << 20;
  struct Format {
    bool raw = false;
    bool timestamps = false;
    bool details = false;
  };
  LogDecoder(Format format, std::function<bool(LogLine)> on_line)
      : format_(format), on_line_(std::move(on_line)) {}

  // False when the receiver wants no more. kCorrupt: not a log stream; kUnavailable: an error that
  // the engine sent within the stream (stream number 3).
  Result<bool> feed(std::string_view bytes);
  // At the end: hands out what has no newline yet. kUnavailable in the middle of a frame.
  Status finish();

 private:
  // Whose line a piece continues: stream number and the details' text.
  using Source = std::pair<int, std::string>;
  struct Pending {
    std::string prefix;  // the timestamp of its first piece
    std::string text;
  };

  Result<bool> frame(int stream, std::string_view payload);
  bool message(int stream, std::string_view text);
  bool append(const Source& source, std::string_view prefix, std::string_view text);
  bool emit(const Source& source, Pending& pending);

  Format format_;
  std::function<bool(LogLine)> on_line_;
  std::string buffer_;  // of an unfinished frame
  std::map<Source, Pending> pending_;
};

// "a=b,c=d%20e" as labels (the engine's url.QueryEscape).
model::Labels parse_log_details(std::string_view text);

}  // namespace hive::engine::docker
