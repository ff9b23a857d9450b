// The cost of autoscaling's decisions: a step for many services, with 5 tasks each on 20 nodes,
// each with a policy of its own, whose load moves. What they learn is kept in the directory, and
// read from there at first. Prints {"steps":[milliseconds, ...]} in the order of the steps.
//   decide_services SERVICES STEPS DIRECTORY
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "controller/autoscaling.h"
#include "engine/fake/fake_engine.h"

namespace hive::controller {
namespace {

constexpr int kTasks = 5;
constexpr int kNodes = 20;

World world_of(int services, const Clock& clock) {
  World world;
  world.snapshot.self_is_leader = true;
  for (int i = 0; i < kNodes; ++i) {
    const std::string id = "n" + std::to_string(i);
    world.snapshot.nodes[id].id = id;
    world.snapshot.nodes[id].state = model::NodeState::kReady;
    world.reports[id].node_id = id;
    world.reported_at[id] = clock.now();
  }
  for (int s = 0; s < services; ++s) {
    const std::string id = "s" + std::to_string(s);
    model::Service& service = world.snapshot.services[id];
    service.id = service.name = id;
    service.replicas = kTasks;
    service.labels[kHiveLabel] = R"({"autoscale":{"min":1,"max":)" + std::to_string(40 + s) +
                                 R"(,"target":{"requests_per_replica":50},"dry_run":true}})";
    service.labels[kListenersLabel] = R"([{"port":80,"target":8080}])";
    for (int t = 0; t < kTasks; ++t) {
      const std::string task_id = id + "t" + std::to_string(t);
      model::Task& task = world.snapshot.tasks[task_id];
      task.id = task_id;
      task.service_id = id;
      task.node_id = "n" + std::to_string((s + t) % kNodes);
      task.state = task.desired = model::TaskState::kRunning;
      world.reports[task.node_id].containers.push_back(
          {task_id, task_id, "running", "", "armed", {}});
      world.reports[task.node_id].usage.push_back({task_id, 200, 1U << 28, 0});
      model::EndpointStats stats;
      stats.task_id = task_id;
      // Each edge knows each task.
      for (auto& [node, report] : world.reports) report.stats.push_back(stats);
    }
  }
  return world;
}

void set_load(World& world, int second, const Clock& clock) {
  const double wave = 1 + std::sin(second / 40.0);
  for (auto& [node, report] : world.reports) {
    world.reported_at[node] = clock.now();
    for (auto& stats : report.stats)
      stats.rate = static_cast<std::uint32_t>(2 * wave + (second / 10) % 3);
  }
}

int run(int services, int steps, const std::string& directory) {
  engine::fake::FakeEngine engine;
  ManualClock clock;
  store::History history{""};
  ManualExecutor executor;
  const Outside outside{engine, [] { return fail(Errc::kUnsupported, "no cloud"); }};
  Operations operations(outside, clock, history, executor, operation_kinds(), Random(1));
  Autoscaling autoscaling(outside, operations, clock, history, executor, {.directory = directory});
  World world = world_of(services, clock);
  std::printf("{\"steps\":[");
  for (int i = 0; i < steps; ++i) {
    clock.advance(Milliseconds(1'000));
    set_load(world, i, clock);
    world.snapshot.taken_at = clock.now();
    const auto begin = std::chrono::steady_clock::now();
    autoscaling.step(world);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    std::printf("%s%.3f", i == 0 ? "" : ",", took.count());
    executor.run();
  }
  std::printf("]}\n");
  autoscaling.save();
  return 0;
}

}  // namespace
}  // namespace hive::controller

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: decide_services SERVICES STEPS DIRECTORY\n");
    return 2;
  }
  return hive::controller::run(std::atoi(argv[1]), std::atoi(argv[2]), argv[3]);
}
