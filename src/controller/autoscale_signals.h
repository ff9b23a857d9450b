// What edges and agents say of autoscaled services, out of one look at the cluster. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "controller/operation.h"
#include "decide/autoscale/autoscaler.h"

namespace hive::controller {

struct ServiceSignals {
  // Requests that came in a second, over all edges, taken by a task or not; none without listeners.
  decide::autoscale::Signal requests;
  decide::autoscale::Signal in_flight;  // those that wait included
  decide::autoscale::Signal latency_s;  // with the wait before it; none while none is taken
  // Means over the tasks that serve and were measured, as long as that is most of them. Shares of
  // the reservation, or of the limit; CPU without both is a share of one core.
  decide::autoscale::Signal cpu;
  decide::autoscale::Signal memory;
  bool partial = false;                     // an edge that may serve is silent
  std::vector<const model::Task*> serving;  // they run, and no agent objects
  int unplaced = 0;                         // tasks that no node has room for
};

class SignalBook {
 public:
  // Of these services (ids). `settled`: agents had time to report since this controller acts; a
  // node that was never heard from has no agent then. Keeps references to the world.
  SignalBook(const World& world, MonotonicTime now, const std::set<std::string>& services,
             bool settled);
  ServiceSignals of(const model::Service& service) const;

 private:
  struct Sums {
    std::vector<const model::Task*> tasks;
    std::vector<const model::Task*> serving;
    int unplaced = 0;
    double came = 0;  // requests a second that came to the edges
    double rate = 0;  // that tasks took
    double in_flight = 0;
    double queued = 0;
    double latency_weighed = 0;  // seconds * rate
    double cores = 0;
    double bytes = 0;
    int measured = 0;
    double measured_age_s = 0;
  };
  void sort_tasks(const World& world, const std::set<std::string>& services);
  void add_report(const agent::Report& report, double age_s);

  struct TaskPlace {
    Sums* sums;
    bool serves;
  };
  std::map<std::string, Sums, std::less<>> sums_;            // by service
  std::unordered_map<std::string_view, Sums*> by_name_;      // of the service
  std::unordered_map<std::string_view, TaskPlace> by_task_;  // of any state
  bool partial_ = false;
  int edges_ = 0;  // heard of lately
  double age_s_ = 0;
};

}  // namespace hive::controller
