// Cuts a stream of JSON into its values as the bytes come, so that neither a list of 20,000 tasks
// nor an endless event stream is ever in memory as a whole. Two shapes: one array, whose elements
// come out one by one, and values one after the other (newline-separated or not).
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hive::engine::docker {

class JsonSplitter {
 public:
  enum class Shape { kArray, kSequence };
  // Gets each value whole; its error ends the stream.
  using OnValue = std::function<Status(std::string_view)>;
  static constexpr std::size_t kMaxValueBytes = 16U << 20;

  JsonSplitter(Shape shape, OnValue on_value) : shape_(shape), on_value_(std::move(on_value)) {}
  // kCorrupt when the bytes cannot be of that shape; kResourceExhausted for a value too large.
  Status feed(std::string_view bytes);
  // At the end of the stream: kCorrupt when a value or the array is unfinished.
  Status finish() const;

 private:
  Status outside(char c);
  enum class State { kStart, kBetween, kInside, kEnd };

  Shape shape_;
  OnValue on_value_;
  State state_ = State::kStart;
  std::string value_;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace hive::engine::docker
