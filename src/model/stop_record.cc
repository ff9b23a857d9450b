#include "model/stop_record.h"

namespace hive::model {
namespace {

constexpr std::array<std::string_view, kStopSteps> kNames{
    "claimed", "waiting", "draining", "hooks", "stopping", "flushing", "done"};

}  // namespace

std::string_view to_string(StopStep step) { return kNames[static_cast<std::size_t>(step)]; }

StopStep stop_step_from(std::string_view word) {
  for (std::size_t i = 0; i < kStopSteps; ++i)
    if (kNames[i] == word) return static_cast<StopStep>(i);
  return StopStep::kDone;
}

}  // namespace hive::model
