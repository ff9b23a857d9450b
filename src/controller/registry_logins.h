// Keeps the logins of services whose images are in ECR fresh, so that a node pulls them whenever a
// task comes to it: ECR's tokens end after twelve hours, and Swarm hands nodes the one that the
// service was written with. Every service is written again, otherwise unchanged, with a token of
// its registry's region at half of its life, when this manager begins to act, and when it is new.
// Source: swarmkit, orchestrator/task.go: tasks that have their image are not replaced for a login
// alone (tried on Docker 20.10: e2e/aws/cluster_test.py).
//
// A service that is being updated waits until that is over, and one whose tasks pull for two
// minutes. What fails is tried again a minute later. No thread of its own; one at a time, apart
// from login_of().
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/aws/ecr.h"
#include "controller/warnings.h"
#include "engine/engine.h"

namespace hive::controller {

class RegistryLogins {
 public:
  // A token for the registries of a region.
  using Login = std::function<Result<cloud::aws::RegistryLogin>(const std::string& region)>;
  // Engine and clock outlive it.
  RegistryLogins(engine::Engine& engine, const Clock& clock, Login login)
      : engine_(engine), clock_(clock), login_(std::move(login)) {}

  // While this manager acts for the Swarm, as often as one likes.
  void turn();
  // The login that the image is fetched with: an empty one where it is not in ECR, nothing while no
  // token was got yet. From any thread.
  std::optional<engine::RegistryAuth> login_of(const std::string& image) const;
  // It does not act any more: another one writes services.
  void rest() { written_.clear(), looked_ = false; }

 private:
  struct Token {
    cloud::aws::RegistryLogin login;
    WallTime renew;  // at half of its life
    std::uint64_t number = 0;
  };
  Result<bool> pulls(const model::Service& service) const;
  void write_service(const model::Service& service, const cloud::aws::RegistryPlace& place);
  std::optional<Token> token_for(const std::string& region);
  static engine::RegistryAuth auth_of(const Token& token, const cloud::aws::RegistryPlace& place);

  engine::Engine& engine_;
  const Clock& clock_;
  const Login login_;
  bool looked_ = false;
  MonotonicTime looked_at_{};
  std::uint64_t tokens_made_ = 0;
  mutable std::mutex mutex_;                      // guards the tokens
  std::map<std::string, Token> tokens_;           // by region
  std::map<std::string, std::uint64_t> written_;  // service's id -> the token's number
  Warnings warnings_{"ecr"};
};

}  // namespace hive::controller
