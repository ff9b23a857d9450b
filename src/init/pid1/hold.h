// The hold, as a pure rule: from signals, commands, time and the application's end to what is to be
// done. No system calls, so that tests can drive it. docs/stop-sequence.md has it as a table.
#pragma once

#include <stdint.h>

#include "init/protocol.h"

namespace hive::init {

struct Act {
  enum Kind : uint8_t {
    kNothing,
    kApplication,  // the signal to the application
    kEverybody,    // the signal to every process of the container
    kExit          // with the application's code
  };
  Kind kind = kNothing;
  int signal = 0;
};

class Hold {
 public:
  // Times are monotonic, in milliseconds.
  // A signal that is no command. `outside`: sent from outside the container.
  Act on_signal(int signal, bool outside, int64_t now);
  Act on_command(uint64_t value, int64_t now);
  // The application has ended and been reaped; once.
  Act on_application_end();
  // To be called when deadline() has passed.
  Act on_time(int64_t now);

  State state() const { return state_; }
  static constexpr int64_t kNever = INT64_MAX;
  int64_t deadline() const { return deadline_; }
  // The application has ended, and the container is kept only for processes that still run: exit as
  // soon as there are none.
  bool awaits_the_rest() const { return releasing_ && ended_; }

 private:
  void arm(uint32_t argument);
  Act claim(uint32_t argument, int64_t now);
  Act stop(uint32_t argument);
  Act release(uint32_t argument, int64_t now);
  Act pass_on();
  bool holds() const { return state_ >= State::kHeld; }

  State state_ = State::kIdle;
  int stop_signal_ = 15;
  uint64_t sent_ = 0;  // the signals that STOP has sent, bit N-1
  int64_t claim_timeout_ = 0;
  int64_t deadline_ = kNever;
  bool ended_ = false;
  bool releasing_ = false;
  bool killed_ = false;
};

}  // namespace hive::init
