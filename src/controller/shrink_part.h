// The part of an operation that takes slots out of a service, exactly where that can be done and
// plainly where not: decide/placement/exact_shrink as stops, actions and notes of a step.
#pragma once

#include <string>
#include <vector>

#include "controller/operation.h"
#include "decide/placement/exact_shrink.h"

namespace hive::controller {

struct ShrinkAsk {
  const model::Service& service;
  std::uint64_t target = 0;
  std::vector<std::int64_t> among;    // slots; empty = any
  std::vector<std::int64_t> leaving;  // of those, whose task is still where it must not be
  std::string by;                     // "scale-in": the stops' asker
  std::string reason;                 // why it shrinks at all
  bool force = false;                 // no step of the stop sequence is waited for
};

// Adds to the step. `state`: this part's own, null at first; what it is to be next is left there.
// True when the service has no more than the target.
bool shrink_part(const World& world, const ShrinkAsk& ask, Json& state, OperationStep& step);

// Why tasks of the service cannot be taken out one by one: empty when they can.
std::string why_not_exact(const model::Service& service);

}  // namespace hive::controller
