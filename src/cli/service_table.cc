#include "cli/service_table.h"

#include <algorithm>
#include <map>

#include "cli/context.h"
#include "cli/look.h"
#include "cli/natural.h"

namespace hive::cli {
namespace {

struct Count {
  std::uint64_t running = 0;
  std::uint64_t planned = 0;
};

std::map<std::string, Count> count_tasks(const std::vector<model::Task>& tasks) {
  std::map<std::string, Count> counts;
  for (const auto& task : tasks) {
    Count& count = counts[task.service_id];
    if (task.desired <= model::TaskState::kRunning) ++count.planned;
    if (task.state == model::TaskState::kRunning && task.desired <= model::TaskState::kRunning)
      ++count.running;
  }
  return counts;
}

}  // namespace

int print_services(Context& context, const ListOptions& options, engine::Engine& engine,
                   const std::vector<model::Service>& services) {
  const auto tasks = engine.list_tasks();
  if (!tasks) return context.fail(tasks.error());
  const auto counts = count_tasks(*tasks);
  auto sorted = services;
  std::sort(sorted.begin(), sorted.end(), [](const model::Service& a, const model::Service& b) {
    return natural_less(a.name, b.name);
  });
  std::vector<Row> rows;
  for (const auto& service : sorted) {
    const auto found = counts.find(service.id);
    const Count count = found == counts.end() ? Count{} : found->second;
    const std::uint64_t wanted = service.global ? count.planned : service.replicas;
    const std::string mode = service.global ? "global" : "replicated";
    const std::string ports = ports_for_people(service);
    rows.push_back({short_id(service.id, options.no_trunc),
                    {short_id(service.id, options.no_trunc), service.name, mode,
                     std::to_string(count.running) + "/" + std::to_string(wanted),
                     image_for_people(service.image, options.no_trunc), ports},
                    {{"id", service.id},
                     {"name", service.name},
                     {"mode", mode},
                     {"running", count.running},
                     {"desired", wanted},
                     {"image", service.image},
                     {"ports", ports},
                     {"update_state", service.update_state},
                     {"update_message", service.update_message},
                     {"labels", service.labels}}});
  }
  return print_listing(context, options, {"ID", "NAME", "MODE", "REPLICAS", "IMAGE", "PORTS"},
                       rows);
}

}  // namespace hive::cli
