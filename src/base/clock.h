// Time, handed in and never global. Monotonic time measures intervals and deadlines; wall time is
// for display and records only.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

namespace hive {

using MonotonicTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

inline constexpr double kMsPerSecond = 1e3;

// Milliseconds since 1970, as records have them.
inline std::int64_t unix_ms(WallTime time) {
  return std::chrono::duration_cast<Milliseconds>(time.time_since_epoch()).count();
}

// Until the wall clock shows a multiple of `every` (> 0) again; never 0. Machines whose clocks
// agree act at the same moments by it, without a word to each other.
inline Milliseconds until_multiple(WallTime now, Milliseconds every) {
  return every - Milliseconds(unix_ms(now) % every.count());
}

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime now() const = 0;
  virtual WallTime wall_now() const = 0;
};

class SystemClock final : public Clock {
 public:
  MonotonicTime now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const override { return std::chrono::system_clock::now(); }
};

// Moves only when told to. Safe to use from several threads.
class ManualClock final : public Clock {
 public:
  MonotonicTime now() const override {
    std::lock_guard lock(mutex_);
    return now_;
  }
  WallTime wall_now() const override {
    std::lock_guard lock(mutex_);
    return wall_;
  }
  void advance(Milliseconds by) {
    std::lock_guard lock(mutex_);
    now_ += by;
    wall_ += by;
  }
  // Steps wall time alone, as NTP or an operator would.
  void jump_wall(Milliseconds by) {
    std::lock_guard lock(mutex_);
    wall_ += by;
  }

 private:
  mutable std::mutex mutex_;
  MonotonicTime now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::seconds(1'700'000'000)};
};

}  // namespace hive
