// A server-sent event stream, cut into events as its bytes come.
// Source: html.spec.whatwg.org, "Server-sent events".
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hive::agent {

class EventStream {
 public:
  explicit EventStream(std::function<void(const std::string& event, const std::string& data)> on)
      : on_event_(std::move(on)) {}
  // kResourceExhausted when an event is larger than kMaxMessageBytes.
  Status feed(std::string_view bytes);

 private:
  void line(std::string_view text);

  std::function<void(const std::string&, const std::string&)> on_event_;
  std::string rest_;
  std::string event_;
  std::string data_;
};

}  // namespace hive::agent
