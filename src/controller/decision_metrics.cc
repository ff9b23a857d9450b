#include "controller/decision_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <functional>
#include <string>

namespace hive::controller {
namespace {

double figure_at(const Json& value, std::string_view path) {
  const Json* found = json_path(value, path);
  return found != nullptr && found->is_number() ? found->get<double>() : 0;
}

class ServiceFamilies {
 public:
  ServiceFamilies(prometheus::Registry& registry, const Json& services)
      : registry_(registry), services_(services) {}

  void add(const char* name, const char* help, const std::function<double(const Json&)>& value) {
    auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(registry_);
    for (const Json& one : services_)
      family.Add({{"service", json_string(one, "service")}}).Set(value(one));
  }
  void add(const char* name, const char* help, const char* path) {
    add(name, help, [path](const Json& one) { return figure_at(one, path); });
  }
  void add_state(const char* name, const char* help, const std::string& state) {
    add(name, help,
        [state](const Json& one) { return json_string(one, "state") == state ? 1 : 0; });
  }
  void add_done() {
    auto& family = prometheus::BuildCounter()
                       .Name("hive_autoscale_decisions_total")
                       .Help("Decisions that were acted on since this controller acts")
                       .Register(registry_);
    for (const Json& one : services_)
      for (const char* direction : {"out", "in"})
        family.Add({{"service", json_string(one, "service")}, {"direction", direction}})
            .Increment(figure_at(one, std::string("scaled_") + direction));
  }
  // Those that are known; their ages tell whether they count.
  void add_signals() {
    auto& values = prometheus::BuildGauge()
                       .Name("hive_autoscale_signal")
                       .Help("What the last decision saw of a signal")
                       .Register(registry_);
    auto& ages = prometheus::BuildGauge()
                     .Name("hive_autoscale_signal_age_seconds")
                     .Help("How old that was; older than 5 s, of CloudWatch 300 s, does not count")
                     .Register(registry_);
    const auto add = [&](const Json& one, const std::string& name, const Json& signal) {
      const Json* value = json_member(signal, "value");
      if (value == nullptr || !value->is_number()) return;
      const prometheus::Labels labels{{"service", json_string(one, "service")}, {"signal", name}};
      values.Add(labels).Set(value->get<double>());
      ages.Add(labels).Set(figure_at(signal, "age_s"));
    };
    for (const Json& one : services_) {
      const Json* signals = json_member(one, "signals");
      if (signals == nullptr) continue;
      for (const char* name : {"requests", "in_flight", "latency_s", "cpu", "memory"})
        if (const Json* signal = json_member(*signals, name)) add(one, name, *signal);
      if (const Json* metrics = json_member(*signals, "metrics"))
        for (const Json& metric : *metrics)
          add(one, "metric:" + json_string(metric, "name"), metric);
    }
  }

 private:
  prometheus::Registry& registry_;
  const Json& services_;
};

}  // namespace

void add_autoscale_metrics(prometheus::Registry& registry, const Json& services) {
  ServiceFamilies families(registry, services);
  families.add("hive_autoscale_replicas_wanted", "Replicas by the load, before limits and windows",
               "wanted");
  families.add("hive_autoscale_replicas_ordered", "Replicas ordered", "replicas");
  families.add("hive_autoscale_replicas_ready", "Replicas that serve", "ready");
  families.add("hive_autoscale_replicas_waiting", "Replicas that wait for workers", "waiting");
  families.add("hive_autoscale_replicas_min", "Bound that holds now", "min");
  families.add("hive_autoscale_replicas_max", "Bound that holds now", "max");
  families.add("hive_autoscale_load", "Load in replicas' worth", "load");
  families.add("hive_autoscale_load_expected", "Load when a replica ordered now can serve",
               "expected");
  families.add("hive_autoscale_lead_seconds", "From a replica's order to its serving", "lead_s");
  families.add_state("hive_autoscale_held",
                     "1 while signals, a rollout or an operation hold the number", "held");
  families.add_state("hive_autoscale_paused", "1 while the number is a person's", "paused");
  families.add("hive_autoscale_decision_age_seconds", "Since the last decision", "decided_age_s");
  families.add_done();
  families.add_signals();
}

void add_worker_metrics(prometheus::Registry& registry, const Json& workers) {
  if (!json_bool(workers, "follow")) return;
  const auto set = [&](const char* name, const char* help, double value) {
    prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({}).Set(value);
  };
  set("hive_workers", "Instances that are workers", figure_at(workers, "workers"));
  set("hive_workers_needed", "Workers that replicas need", figure_at(workers, "needed"));
  const Json* coming = json_member(workers, "coming");
  set("hive_workers_coming", "Workers on their way",
      coming == nullptr ? 0 : static_cast<double>(coming->size()));
}

}  // namespace hive::controller
