#include "agent/image_pulls.h"

#include <algorithm>

#include "base/log.h"

namespace hive::agent {
namespace {

constexpr Milliseconds kFirstPullPause{2'000};
constexpr Milliseconds kLongestPullPause{30'000};
constexpr Milliseconds kPullLook{500};  // for a pause that is over

Milliseconds pause_after(std::int64_t tries) {
  return std::min(kLongestPullPause, kFirstPullPause * (1 << std::min<std::int64_t>(tries - 1, 5)));
}

}  // namespace

void ImagePulls::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void ImagePulls::stop() {
  thread_.request_stop();
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ImagePulls::want(const std::vector<PullOrder>& orders) {
  {
    const std::lock_guard lock(mutex_);
    std::map<std::string, Pull> now;
    for (const auto& order : orders) {
      const auto known = pulls_.find(order.image);
      Pull pull = known == pulls_.end() ? Pull{} : known->second;
      // A login that is another one may do what the last one could not.
      if (pull.report.state == PullState::kFailed && !(pull.order == order)) pull.due = {};
      pull.order = order;
      pull.report.image = order.image;
      now.emplace(order.image, std::move(pull));
    }
    pulls_ = std::move(now);
  }
  wake_.notify_all();
}

std::vector<PullReport> ImagePulls::reports() const {
  const std::lock_guard lock(mutex_);
  std::vector<PullReport> out;
  for (const auto& [image, pull] : pulls_) out.push_back(pull.report);
  return out;
}

std::optional<PullOrder> ImagePulls::next() {
  const std::lock_guard lock(mutex_);
  for (const auto& [image, pull] : pulls_)
    if (pull.report.state != PullState::kPulled && clock_.now() >= pull.due) return pull.order;
  return std::nullopt;
}

Status ImagePulls::fetch(const PullOrder& order, const std::stop_token& stop) {
  if (engine_.inspect_image(order.image)) return {};
  engine::RegistryAuth auth;
  auth.username = order.username;
  auth.password = order.password.reveal();
  auth.server_address = order.registry;
  log::info("agent", "fetches {}", order.image);
  return engine_.pull_image(order.image, auth, {}, stop);
}

void ImagePulls::settle(const std::string& image, const Status& done) {
  const std::lock_guard lock(mutex_);
  const auto found = pulls_.find(image);
  if (found == pulls_.end()) return;  // it is not wanted any more
  Pull& pull = found->second;
  pull.report.state = done ? PullState::kPulled : PullState::kFailed;
  pull.report.why = done ? "" : done.error().message;
  if (done) return;
  ++pull.report.tries;
  pull.due = clock_.now() + pause_after(pull.report.tries);
  log::warn("agent", "fetching {}: {}", image, describe(done.error()));
}

bool ImagePulls::pull_one(const std::stop_token& stop) {
  const auto order = next();
  if (!order) return false;
  const Status done = fetch(*order, stop);
  if (stop.stop_requested()) return false;
  settle(order->image, done);
  return true;
}

void ImagePulls::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (pull_one(stop)) continue;
    std::unique_lock lock(mutex_);
    const bool none = std::all_of(pulls_.begin(), pulls_.end(), [](const auto& entry) {
      return entry.second.report.state == PullState::kPulled;
    });
    // Nothing to do: until something is wanted. Else until a pause is over.
    if (none)
      wake_.wait(lock, stop, [this] {
        return std::any_of(pulls_.begin(), pulls_.end(), [](const auto& entry) {
          return entry.second.report.state != PullState::kPulled;
        });
      });
    else
      wake_.wait_for(lock, stop, kPullLook, [] { return false; });
  }
}

}  // namespace hive::agent
