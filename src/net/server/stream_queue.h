// The events that wait to be sent on one connection. Internal to HttpServer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "net/http_server.h"

namespace hive::net::server {

// The queue between pushers (any thread) and one session (the io thread).
class StreamQueue final : public EventStream {
 public:
  StreamQueue(std::size_t max_bytes, std::function<void()> kick, std::atomic<std::uint64_t>& slow)
      : max_bytes_(max_bytes), kick_(std::move(kick)), slow_(&slow) {}

  bool push(std::string_view event, std::string_view data) override {
    return push_frame(make_frame(event, data));
  }
  bool push_frame(std::shared_ptr<const std::string> frame) override {
    std::lock_guard lock(mutex_);
    if (closing_ || !kick_) return false;
    if (!frames_.empty() && bytes_ + frame->size() > max_bytes_) {
      closing_ = true;
      frames_.clear();
      bytes_ = 0;
      dropped_ = true;
      ++*slow_;
      kick_();
      return false;
    }
    bytes_ += frame->size();
    frames_.push_back(std::move(frame));
    kick_();
    return true;
  }
  bool open() const override {
    std::lock_guard lock(mutex_);
    return !closing_ && kick_;
  }
  void close() override {
    std::lock_guard lock(mutex_);
    closing_ = true;
    if (kick_) kick_();
  }

  // For the session. The frame stays in the queue (and counts) until pop().
  std::shared_ptr<const std::string> front() const {
    std::lock_guard lock(mutex_);
    return frames_.empty() ? nullptr : frames_.front();
  }
  void pop() {
    std::lock_guard lock(mutex_);
    if (frames_.empty()) return;  // dropped meanwhile
    bytes_ -= frames_.front()->size();
    frames_.pop_front();
  }
  bool closing() const {
    std::lock_guard lock(mutex_);
    return closing_;
  }
  bool dropped() const {
    std::lock_guard lock(mutex_);
    return dropped_;
  }
  // The connection is gone: nothing may reach the server any more.
  void detach() {
    std::lock_guard lock(mutex_);
    closing_ = true;
    kick_ = nullptr;
    frames_.clear();
    bytes_ = 0;
  }

 private:
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::function<void()> kick_;
  std::atomic<std::uint64_t>* slow_;
  std::deque<std::shared_ptr<const std::string>> frames_;
  std::size_t bytes_ = 0;
  bool closing_ = false;
  bool dropped_ = false;
};

}  // namespace hive::net::server
