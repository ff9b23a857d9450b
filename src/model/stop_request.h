// A wish that one task's container be stopped through the stop sequence. Level-triggered: it counts
// as long as it is given, whoever gives it, however often.
#pragma once

#include <string>

namespace hive::model {

struct StopRequest {
  std::string task_id;
  std::string by;      // "scale-in", "drain of shop-worker-1": for people
  std::string reason;  // one sentence in plain words
  bool force = false;  // no step is waited for
  bool operator==(const StopRequest&) const = default;
};

}  // namespace hive::model
