#include "agent/spot_notice.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/json.h"
#include "cloud/aws/credentials.h"

namespace hive::agent {
namespace {
constexpr Milliseconds kNoticeLook{5'000};
constexpr Milliseconds kNotice{120'000};
constexpr Milliseconds kNoticeMargin{10'000};
}  // namespace

Milliseconds spot_time_left(const std::string& notice, WallTime now) {
  const auto json = parse_json(notice, "the Spot notice");
  const auto time = json ? cloud::aws::parse_time(json_string(*json, "time"))
                         : Result<WallTime>(tl::unexpected(json.error()));
  const auto left = time ? std::chrono::duration_cast<Milliseconds>(*time - now) : kNotice;
  return std::clamp(left - kNoticeMargin, Milliseconds(1'000), kNotice);
}

void watch_spot(const std::function<Result<std::string>()>& ask, const Clock& clock,
                const std::function<void(Milliseconds)>& told, const std::stop_token& stop) {
  std::mutex alone;
  std::condition_variable_any never;
  while (!stop.stop_requested()) {
    if (const auto notice = ask()) return told(spot_time_left(*notice, clock.wall_now()));
    std::unique_lock lock(alone);
    never.wait_for(lock, stop, kNoticeLook, [] { return false; });
  }
}

}  // namespace hive::agent
