#include "init/pid1/hold.h"

namespace hive::init {
namespace {

constexpr int kKill = 9, kTerm = 15, kLastSignal = 64;
constexpr int64_t kTenth = 100;

}  // namespace

Act Hold::on_signal(int signal, bool outside, int64_t now) {
  if (ended_) return {};  // nobody is left whom it could be for
  if (signal == stop_signal_ && outside) {
    // A stopping engine sends it twice: one hold swallows both.
    if (holds()) return {};
    if (state_ == State::kArmed) {
      state_ = State::kHeld;
      deadline_ = now + claim_timeout_;
      return {};
    }
  }
  return {Act::kApplication, signal};
}

Act Hold::on_command(uint64_t value, int64_t now) {
  const auto argument = static_cast<uint32_t>(value & kArgumentMax);
  switch (static_cast<Command>(value >> 24 & 0xff)) {
    case Command::kArm:
      arm(argument);
      return {};
    case Command::kDisarm:
      if (releasing_) return {};
      if (holds()) return pass_on();
      state_ = State::kIdle;
      return {};
    case Command::kClaim:
      return claim(argument, now);
    case Command::kStop:
      return stop(argument);
    case Command::kRelease:
      return release(argument, now);
  }
  return {};  // of a newer agent
}

void Hold::arm(uint32_t argument) {
  if (holds()) return;
  const auto signal = static_cast<int>(argument >> 16);
  const uint32_t timeout = argument & 0xffff;
  stop_signal_ = signal == 0 || signal > kLastSignal ? kTerm : signal;
  claim_timeout_ = kTenth * (timeout == 0 ? kDefaultClaimTimeout : timeout);
  state_ = State::kArmed;
}

Act Hold::claim(uint32_t argument, int64_t now) {
  if (!holds() || releasing_) return {};
  if (state_ == State::kHeld) state_ = State::kClaimed;
  deadline_ = now + int64_t{argument} * 1'000;
  return {};
}

// An agent repeats what it wants until it sees it done: one signal is sent once.
Act Hold::stop(uint32_t argument) {
  if (ended_ || releasing_ || (state_ != State::kClaimed && state_ != State::kStopping)) return {};
  state_ = State::kStopping;
  if (argument > kLastSignal) return {};  // kStopNothing, too
  const int signal = argument == kStopHeld ? stop_signal_ : static_cast<int>(argument);
  const uint64_t bit = uint64_t{1} << (signal - 1);
  if ((sent_ & bit) != 0) return {};
  sent_ |= bit;
  return {Act::kApplication, signal};
}

// The same here, and a repetition does not prolong the grace.
Act Hold::release(uint32_t argument, int64_t now) {
  if (!holds()) return {};
  const int64_t end = now + kTenth * argument;
  const bool first = !releasing_;
  if (first || end < deadline_) deadline_ = end;
  releasing_ = true;
  if (!first) return {};
  if (!ended_) state_ = State::kStopping;
  return {Act::kEverybody, stop_signal_};
}

// From here as tini: nothing is held, and the application's end is the container's.
Act Hold::pass_on() {
  const bool told = sent_ != 0;
  state_ = State::kIdle;
  deadline_ = kNever;
  sent_ = 0;
  if (ended_) return {Act::kExit, 0};
  if (told) return {};
  return {Act::kApplication, stop_signal_};
}

Act Hold::on_application_end() {
  ended_ = true;
  if (!holds() || killed_) return {Act::kExit, 0};
  state_ = State::kFlushing;
  return {};
}

Act Hold::on_time(int64_t now) {
  if (now < deadline_) return {};
  if (!releasing_) return pass_on();
  deadline_ = kNever;
  if (ended_) return {Act::kExit, 0};  // whoever is left dies with PID 1
  killed_ = true;                      // its code is still to come
  return {Act::kEverybody, kKill};
}

}  // namespace hive::init
