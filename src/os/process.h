// Child processes for adapters: run to the end with a deadline, or start and keep.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace hive::os {

struct RunResult {
  int exit_code = 0;  // 128 + N when ended by signal N
  std::string out;    // at most RunOptions::max_output bytes, the rest is dropped
  std::string err;
};

struct RunOptions {
  Milliseconds deadline{30'000};
  std::size_t max_output = 4U << 20;
  std::string input;                     // written to standard input, then closed
  std::vector<std::string> environment;  // "NAME=value", added to this process's own
};

// Runs argv[0] (looked up in PATH) without a shell. At the deadline its process group is killed and
// kDeadlineExceeded returned. kNotFound when there is no such program. A non-zero exit is no error.
Result<RunResult> run(const std::vector<std::string>& argv, const RunOptions& options = {});

// As run(), and a non-zero exit is kInternal with the last lines of its standard error.
Result<std::string> run_ok(const std::vector<std::string>& argv, const RunOptions& options = {});

struct SpawnOptions {
  std::string log_path;                  // standard output and error are appended here
  std::vector<std::string> environment;  // added to this process's own
  bool new_session = true;               // setsid(): survives the caller's terminal
};
// Starts argv and returns its pid. The caller reaps it.
Result<pid_t> spawn(const std::vector<std::string>& argv, const SpawnOptions& options);

// Identity of a process that survives pid reuse: its start time in clock ticks since boot.
Result<unsigned long long> start_time(pid_t pid);
// True while a process of that pid and start time lives (a zombie does not).
bool alive(pid_t pid, unsigned long long start_time);

// The full path of a program in PATH (and /usr/sbin, /sbin), or kNotFound.
Result<std::string> find_program(const std::string& name);

}  // namespace hive::os
