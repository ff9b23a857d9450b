#include "cli/stopped.h"

#include <algorithm>

#include "cli/controller_api.h"

namespace hive::cli {

void add_stops(const Json& stops, Look& look) {
  if (!stops.is_array()) return;
  for (const Json& stop : stops)
    look.stops[json_string(stop, "task_id")] = {json_string(stop, "by", "somebody"),
                                                json_string(stop, "reason")};
}

void learn_stops(engine::Engine& engine, Look& look) {
  const bool any = std::any_of(look.tasks.begin(), look.tasks.end(), [](const auto& task) {
    return task.state == model::TaskState::kFailed;
  });
  if (!any) return;
  const auto addresses = manager_addresses(engine);
  if (!addresses) return;
  if (const auto stops = ask_controller(*addresses, "/v1/stops")) add_stops(*stops, look);
}

}  // namespace hive::cli
