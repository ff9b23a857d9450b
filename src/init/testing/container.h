// A pid namespace with an init under test as its PID 1 and the probe (probe.cc) as the application,
// without an engine. Needs root.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace hive::init::testing {

struct Start {
  std::string init;                      // the binary under test
  std::vector<std::string> options;      // of the init, before "--"
  bool options_only = false;             // neither "--" nor a program follows them
  std::vector<std::string> program;      // empty = the probe
  std::vector<std::string> environment;  // the whole of it
  std::uint64_t blocked = 0;             // signals blocked before the init starts
  std::vector<int> ignored;              // and ignored
  uid_t user = 0;
  bool terminal = false;      // descriptor 0 is a terminal, init leads its session
  bool own_namespace = true;  // false: an ordinary process
  bool parent_ends = false;   // end_parent() ends the process that started it
  std::string directory = "/";
};

class Container {
 public:
  explicit Container(Start start);
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;
  ~Container();  // ends it

  pid_t pid() const { return pid_; }  // of PID 1, seen from here
  // To PID 1, from outside.
  void kill(int signal) const;
  // Raw, as an agent's command, with a value of one's own.
  void queue(std::uint64_t value) const;

  // A process inside that is not the init's child, as `docker exec` starts it. It does nothing, and
  // ends by SIGTERM; it is there until reap_entered().
  void enter();
  // Waits for its end first.
  void reap_entered();
  // The letter of the state (proc(5)) of the init's first child, such as 'Z'; 0 = it has none.
  char state_of_child() const;

  void tell(const std::string& line);
  // The probe's next line, waited for; "" when it has gone.
  std::string hear();
  // What `tell(line)` is answered with.
  std::string ask(const std::string& line);
  // Waits for the end: exit code, or 128 + N.
  int wait();
  bool ended();
  // What the init and its child wrote; complete after wait().
  std::string output();
  std::string errors();
  // Ends the process between the test and the init (Start::parent_ends).
  void end_parent();

 private:
  pid_t pid_ = -1;
  pid_t parent_ = -1;
  pid_t entered_ = -1;  // its parent
  int reap_ = -1;
  int entered_end_ = -1;
  int pidfd_ = -1;
  int control_ = -1;
  int out_ = -1;
  int err_ = -1;
  int terminal_ = -1;
  bool reaped_ = false;
  std::string pending_;
  std::string copies_;  // the folder of what another user runs; empty = nobody does
};

// Memory of a process, from /proc/PID/smaps_rollup, in KiB.
struct Memory {
  long rss = 0;
  long pss = 0;
  long private_dirty = 0;
};
Memory memory_of(pid_t pid);

}  // namespace hive::init::testing
