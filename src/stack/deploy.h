// Carrying out a plan, waiting until its tasks run, and removing a stack.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/engine.h"
#include "stack/plan.h"

namespace hive::stack {

struct ApplyOptions {
  // Credentials of an image's registry, sent with every service write. May be absent.
  std::function<Result<engine::RegistryAuth>(const std::string& image)> auth;
  // Called before each action that changes something. May be absent.
  std::function<void(const Action&)> on_action;
};

struct Outcome {
  std::size_t created = 0;
  std::size_t updated = 0;
  std::size_t removed = 0;
  std::size_t unchanged = 0;
  std::vector<std::string> warnings;  // of the engine
};

// Does the actions in order and stops at the first that fails (a later run continues from there).
// Conflicting writes of others are retried on what they wrote.
Result<Outcome> apply(engine::Engine& engine, const Plan& plan, const ApplyOptions& options = {});

// One service's way to its wish.
struct ServiceProgress {
  std::string name;
  std::uint64_t running = 0;  // of its present image
  std::uint64_t desired = 0;
  std::string update_state;  // Swarm's: "updating", "completed", "paused", ...
  bool converged() const;
};

struct WaitOptions {
  Milliseconds deadline{300'000};
  Milliseconds interval{500};
  // Lets time pass between looks. Default: sleeps. Tests hand in one that moves their clock.
  std::function<void(Milliseconds)> pause;
  std::function<void(const std::vector<ServiceProgress>&)> on_progress;  // after each look
};

// Until every service of the stack runs as it should. kDeadlineExceeded with "web 1 of 3 running"
// and the tasks' own errors; kFailedPrecondition as soon as Swarm paused or rolled back an update.
// A passing failure to look is survived until the deadline.
Status wait_converged(engine::Engine& engine, const std::string& stack, const Clock& clock,
                      const WaitOptions& options);

// Removes services, secrets, configs, networks, in this order, going on past failures; returns
// what was removed ("service shop_web"). kNotFound when nothing bears the stack's label; the first
// failure's code with all failures in the message.
Result<std::vector<std::string>> remove_stack(
    engine::Engine& engine, const std::string& stack,
    const std::function<void(const std::string&)>& on_removing = {});

// Stack name to number of services, as `docker stack ls`.
Result<std::map<std::string, std::size_t>> list_stacks(engine::Engine& engine);

}  // namespace hive::stack
