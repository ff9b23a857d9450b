// Services of an instance, kept by its pid 1: started in the order of their names, stopped in the
// reverse, restarted when they die if they say so. A unit is a file in /etc/hive/units.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace hive::cloud::local {

inline constexpr const char* kUnitDirectory = "/etc/hive/units";

struct Unit {
  std::string name;  // "10-dockerd": the number is the order
  std::vector<std::string> argv;
  bool restart = false;
  int stop_seconds = 20;
  bool at_boot = false;  // not before the instance's next boot
};

Status save_unit(const Unit& unit, const std::string& directory = kUnitDirectory);
Result<Unit> parse_unit(const std::string& name, const std::string& text);

// Owned by one thread.
class Units {
 public:
  // Starts what is new in the directory and what is due again.
  void start_due(const std::string& directory, MonotonicTime now);
  // A child has ended; true when it was a unit.
  bool ended(pid_t pid, MonotonicTime now);
  // For the orderly end, in the order to stop: pid and patience.
  struct Running {
    std::string name;
    pid_t pid;
    int stop_seconds;
  };
  std::vector<Running> to_stop() const;

  // The wait before the n-th restart in a row (n from 1): 100 ms doubling up to 10 s.
  static Milliseconds restart_delay(int failures);

 private:
  struct State {
    Unit unit;
    pid_t pid = 0;
    bool finished = false;
    int failures = 0;
    MonotonicTime started{};
    MonotonicTime due{};
  };
  std::map<std::string, State> units_;
  bool booted_ = false;  // the directory was looked at
};

}  // namespace hive::cloud::local
