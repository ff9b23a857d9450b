// A cloud in memory behind the port, for unit tests. Instances boot by tests' own hands (boot()),
// and what becomes of their engines is told to hooks. With `group` it is one that names its
// machines itself, as AWS: a group that keeps its size, holds what comes and what ends, and puts
// its members behind the balancer; managers are launched by name there too. Not thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cloud/cloud.h"

namespace hive::cloud::fake {

class FakeCloud final : public Cloud {
 public:
  // --- a cloud that names its machines itself
  std::optional<WorkerGroup> group;
  bool no_capacity = false;  // its group gets no instance
  // The group's turn: what is missing is started, and those that booted join by themselves.
  void fit();

  // --- what tests do to it
  // One is gone in a moment, as by a broken host.
  void die(const std::string& id);
  Instance& add(const std::string& hostname, const std::string& role);
  // The engines of instances that were started answer from now on; those of `hung` never do.
  void boot();
  std::set<std::string> hung;  // ids
  bool starts_hung = false;    // what is started from now on never boots
  // What is launched from now on is in no list until show(), as in a cloud whose lists are late.
  bool lists_late = false;
  void show() { unlisted_.clear(); }
  std::string detour;               // that launches tell
  int lost_answers = 0;             // so many of the next launches are done and not answered
  std::deque<Error> fail_launches;  // the next launches' answers
  std::deque<Error> fail_others;    // the next answers of all other calls but the lists
  std::function<void(const Instance&, const SwarmPlace&)> on_join;
  std::function<void(const Instance&)> on_terminate;  // before it is gone
  std::vector<LaunchRequest> launches;                // those that made an instance
  std::size_t terminations = 0;
  // What its balancer measured; empty: it measures nothing. Those that are absent have a trouble.
  std::optional<BalancerFigures> figures;
  std::vector<std::set<BalancerFigure>> figures_asked;
  std::vector<int> raises;  // sizes that the group was raised to
  std::size_t given_up = 0;

  // A client of this cloud, as adapters hand them out; it must not outlive it.
  std::unique_ptr<Cloud> client();

  // --- Cloud
  Result<Instance> launch(const LaunchRequest& request) override;
  Result<std::vector<Instance>> list_instances() override;
  Status start(const std::string& id) override;
  Status stop(const std::string& id) override;
  Status terminate(const std::string& id) override;
  Status power_off(const std::string& id) override { return stop(id); }
  Result<std::string> console_output(const std::string&, std::size_t) override { return ""; }
  Status join(const std::string& id, const SwarmPlace& place) override;
  Status release_hold(const Instance& instance) override;
  Status keep_hold(const Instance& instance) override;
  Status give_up_hold(const Instance& instance) override;
  Result<WorkerGroup> worker_group() override;
  Status raise_workers(int to) override;
  Status forgo_workers() override;
  Status ensure_balancer(const BalancerSpec&) override { return {}; }
  Status register_instance(const std::string& id) override;
  Status deregister_instance(const std::string& id) override;
  Result<BalancerStatus> balancer() override { return status; }
  Result<BalancerFigures> balancer_figures(const std::set<BalancerFigure>& which) override;

  std::vector<Instance> instances;
  BalancerStatus status;

 private:
  Status other();
  Instance* find(const std::string& id);
  int counted() const;
  Status end(const std::string& id);
  Status need_group() const;

  std::map<std::string, std::string> tokens_;  // id by token
  std::set<std::string> booted_;
  std::set<std::string> joined_;
  std::set<std::string> unlisted_;
  int made_ = 0;
};

}  // namespace hive::cloud::fake
