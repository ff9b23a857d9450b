// Waiting until services are as their specs ask, with docker's progress lines: up-to-date tasks
// run, and have run on for the verify period.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/engine.h"

namespace hive::cli {

class Context;

struct ConvergeOptions {
  // How long tasks must run on after they all ran; docker's default is the update's monitor, 5 s.
  Milliseconds verify{5'000};
  // Given up after this time; 0 = docker's behaviour, wait for ever.
  Milliseconds deadline{0};
  bool quiet = false;
};

struct Progress {
  std::string service;
  std::uint64_t running = 0;
  std::uint64_t wanted = 0;
  std::string trouble;  // newest error of a task that does not run
};

// How far a service is: tasks of its newest spec that run, of how many. A global service wants one
// on each active node that its constraints admit: as many as the engine has planned.
Result<Progress> progress_of(engine::Engine& engine, const model::Service& service);

// kDeadlineExceeded when not there in time; kFailedPrecondition when an update was paused or rolled
// back; kCancelled on an interrupt (what was written goes on).
Status wait_converged(Context& context, engine::Engine& engine,
                      const std::vector<std::string>& service_ids, const ConvergeOptions& options);

// The verify period of a service: UpdateConfig.Monitor, else 5 s.
Milliseconds verify_period(const Json& spec);

// An interrupt (SIGINT) asked for since the program's start.
bool interrupted();
void catch_interrupts();

}  // namespace hive::cli
