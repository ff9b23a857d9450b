// Instances that form one Swarm: launches what is missing, initialises it on the first manager,
// joins the other managers, and lets workers join once the managers hold a quorum. Level-triggered:
// it looks at what each engine says of itself and does only what is missing, so a run that was cut
// off anywhere is finished by the next. Everything that does not wait for something else runs at
// the same time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/cloud.h"
#include "engine/engine.h"

namespace hive::cli {

struct Member {
  cloud::Instance instance;
  std::shared_ptr<engine::Engine> engine;
  std::string node_id;
};

struct FormationRequest {
  std::string cluster;
  std::uint32_t managers = 3;
  std::uint32_t workers = 2;
  std::function<std::string(const std::string& role)> user_data;
};

// The world that a formation works on; tests hand in fakes.
struct FormationWorld {
  // A client each call: one is used by one thread at a time.
  std::function<std::unique_ptr<cloud::Cloud>()> cloud;
  std::function<Result<std::unique_ptr<engine::Engine>>(const std::string& host)> connect;
  // Waits a moment between looks; false when the wait was interrupted.
  std::function<bool(Milliseconds)> pause;
  const Clock* clock = nullptr;
  // "manager shop-manager-1 runs": one call a thing done. From several threads, one at a time.
  std::function<void(const std::string&)> did;
};

struct Formation {
  std::vector<Member> members;             // managers first
  std::shared_ptr<engine::Engine> leader;  // a manager's that answers
  bool changed = false;                    // false: everything was there already
};

// kDeadlineExceeded when an engine does not answer or a node does not become ready in time;
// kFailedPrecondition when the managers that are there lost their quorum.
Result<Formation> form_swarm(const FormationRequest& request, const FormationWorld& world);

}  // namespace hive::cli
