// Names that several rooms share about autoscaling.
#pragma once

namespace hive::model {

// Label of a service whose x-hive.autoscale does nothing until it is taken away: its value says
// why. A deploy of the file keeps it.
inline constexpr const char* kAutoscalePausedLabel = "hive.autoscale.paused";

}  // namespace hive::model
