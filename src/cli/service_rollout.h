// Changing a service as a rollout: handed to the controllers, who watch it and take it back when it
// is bad. Where none answers, written by this command itself and only waited for, as docker does.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/operation_client.h"
#include "engine/engine.h"

namespace hive::cli {

struct CanaryFlags {
  std::optional<std::string> time;
  std::optional<std::string> weight;
  std::optional<std::string> replicas;
};
void declare_canary(Declare& declare, CanaryFlags& flags);

struct Rollout {
  std::string word;     // what the user called the service
  std::string service;  // its id
  std::string name;
  Json base;    // the spec that was read
  Json wanted;  // what is to become of it
  bool replicas = false;
  bool resolve = false;  // the image's tag to a digest
  engine::RegistryAuth auth;
  std::string why;
  std::string label;  // the lines of progress begin with it
};

// Begins it and waits as asked; the exit code tells whether the new version serves.
int roll_out(Context& context, const Rollout& rollout, const CanaryFlags& canary,
             const OperationWaitFlags& wait);

}  // namespace hive::cli
