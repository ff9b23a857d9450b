#include "agent/event_stream.h"

#include "agent/protocol.h"

namespace hive::agent {

Status EventStream::feed(std::string_view bytes) {
  rest_.append(bytes);
  std::size_t from = 0;
  for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', from)) {
    line(std::string_view(rest_).substr(from, end - from));
    from = end + 1;
  }
  rest_.erase(0, from);
  if (rest_.size() + data_.size() > kMaxMessageBytes)
    return fail(Errc::kResourceExhausted, "an event of the controller's stream is too large");
  return {};
}

void EventStream::line(std::string_view text) {
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  if (text.empty()) {
    if (!data_.empty()) on_event_(event_, data_);
    event_.clear();
    data_.clear();
    return;
  }
  const std::size_t colon = text.find(':');
  if (colon == 0) return;  // a comment: keep-alive
  const std::string_view field = text.substr(0, colon);
  std::string_view value = colon == text.npos ? "" : text.substr(colon + 1);
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (field == "event") event_ = value;
  if (field == "data") {
    if (!data_.empty()) data_ += '\n';
    data_ += value;
  }
}

}  // namespace hive::agent
