// The mean, or the largest, of the last values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace hive::simulator {

class MeanWindow {
 public:
  explicit MeanWindow(std::size_t size) : values_(size, 0.0) {}
  void add(double value) {
    sum_ += value - values_[next_];
    values_[next_] = value;
    next_ = next_ + 1 == values_.size() ? 0 : next_ + 1;
    count_ = std::min(count_ + 1, values_.size());
    if (next_ == 0) resum();
  }
  double mean() const {
    return count_ == 0 ? 0 : std::max(0.0, sum_ / static_cast<double>(count_));
  }
  bool full() const { return count_ == values_.size(); }

 private:
  void resum() {  // keeps rounding errors from adding up
    sum_ = 0;
    for (const double value : values_) sum_ += value;
  }
  std::vector<double> values_;
  double sum_ = 0;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

// The largest value of the last `span` seconds.
class MaxWindow {
 public:
  explicit MaxWindow(std::int64_t span) : span_(span) {}
  int add(std::int64_t now, int value) {
    while (!kept_.empty() && kept_.back().second <= value) kept_.pop_back();
    kept_.emplace_back(now, value);
    while (kept_.front().first <= now - span_) kept_.pop_front();
    return kept_.front().second;
  }

 private:
  std::int64_t span_;
  std::deque<std::pair<std::int64_t, int>> kept_;
};

}  // namespace hive::simulator
