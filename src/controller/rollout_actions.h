// What a rollout does to the swarm. Each is safe to be done twice: the service's label says what
// was written already, and every write is fenced by the version that was read.
#pragma once

#include <string>

#include "controller/operation.h"
#include "controller/rollout_spec.h"
#include "release/history.h"

namespace hive::controller {

struct RolloutWrite {
  RolloutRequest request;
  std::string operation;  // its id
  std::string by;
  std::int64_t write = 1;  // which write of the operation it is
  engine::RegistryAuth auth;
};

// Notes what the service is now and that a release begins.
Status note_release(engine::Engine& engine, const RolloutWrite& what, std::int64_t now_unix_ms);
// How it ended, with the spec as the engine has it (the image's digest).
Status note_outcome(engine::Engine& engine, const RolloutWrite& what, release::Outcome outcome,
                    const std::string& reason, std::int64_t now_unix_ms);

// kFailedPrecondition when the service is not what the request was made from; nothing is done then.
Status write_forward(engine::Engine& engine, const RolloutWrite& what);
// The last good release. kFailedPrecondition when somebody else has changed the service.
Status write_back(engine::Engine& engine, const RolloutWrite& what);
// Does nothing when somebody else has changed the service. `good`: the new version stays.
Status write_settled(engine::Engine& engine, const RolloutWrite& what, bool good);

Status create_canary(engine::Engine& engine, const RolloutWrite& what);
Status stop_canary(engine::Engine& engine, const std::string& canary_id);  // to no tasks

}  // namespace hive::controller
