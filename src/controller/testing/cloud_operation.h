// An operation over a Swarm and a cloud in memory, stepped as the framework does it: a step's
// actions are done before the next look.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cloud/fake/fake_cloud.h"
#include "controller/cloud_watch.h"
#include "controller/operation.h"
#include "engine/fake/fake_engine.h"

namespace hive::controller::testing {

class CloudOperationTest : public ::testing::Test {
 protected:
  explicit CloudOperationTest(std::unique_ptr<OperationKind> which) : kind(std::move(which)) {
    world.now_unix_ms = 1'000'000;
  }

  void look() {
    world.cloud = *look_at_cloud(cloud, clock);
    world.cloud->has_balancer = true;
    world.snapshot.nodes.clear();
    const auto nodes = engine.list_nodes({});
    for (const auto& node : *nodes) world.snapshot.nodes[node.id] = node;
  }
  void step(std::int64_t ms = 1'000) {
    world.now_unix_ms += ms;
    look();
    last = kind->step(record, {world, failure, [](const std::string&) { return ""; }});
    record.state = last.state;
    record.outcome = last.outcome;
    record.result = last.result;
    failure.reset();
    for (const auto& note : last.notes) told.push_back(note);
    for (const auto& action : last.actions) {
      if (dies) return;
      done.push_back(action.what);
      const auto result = action.run(outside);
      if (result) continue;
      failure = OperationFailure{result.error(), action.what, 1};
      return;
    }
  }
  bool running() const { return record.outcome == OperationOutcome::kRunning; }

  ManualClock clock;
  engine::fake::FakeEngine engine;
  cloud::fake::FakeCloud cloud;
  Outside outside{engine,
                  [this]() -> Result<std::unique_ptr<cloud::Cloud>> { return cloud.client(); },
                  [this](const std::string& text) { told.push_back(text); }};
  World world;
  std::unique_ptr<OperationKind> kind;
  OperationRecord record;
  OperationStep last;
  std::optional<OperationFailure> failure;
  std::vector<std::string> done;  // actions, by their words
  std::vector<std::string> told;  // notes, and what actions tell
  bool dies = false;              // the controller, before a step's actions
};

}  // namespace hive::controller::testing
