#include "controller/balancer_watch.h"

#include <algorithm>
#include <utility>

namespace hive::controller {
namespace {

constexpr Milliseconds kBalancerTurn{1'000};

}  // namespace

void BalancerWatch::ask(const std::set<cloud::BalancerFigure>& which) {
  const std::lock_guard lock(mutex_);
  std::erase_if(readings_, [&](const auto& one) { return !which.contains(one.first); });
  std::erase_if(new_, [&](const auto one) { return !which.contains(one); });
  for (const auto one : which)
    if (readings_.try_emplace(one, BalancerReading{.trouble = "it was not asked for yet"}).second)
      new_.insert(one);
}

BalancerReading BalancerWatch::read(cloud::BalancerFigure figure) const {
  const std::lock_guard lock(mutex_);
  const auto found = readings_.find(figure);
  return found == readings_.end() ? BalancerReading{} : found->second;
}

// Under the lock. All in one question: what is new waits for nobody.
std::set<cloud::BalancerFigure> BalancerWatch::due() const {
  std::set<cloud::BalancerFigure> out;
  if (new_.empty() && clock_.now() - asked_at_ < kEvery) return out;
  for (const auto& [figure, reading] : readings_) out.insert(figure);
  return out;
}

void BalancerWatch::look() {
  std::unique_lock lock(mutex_);
  const auto which = due();
  if (which.empty()) return;
  new_.clear();
  asked_at_ = clock_.now();
  lock.unlock();
  const auto cloud = open_();
  const auto told = cloud ? (*cloud)->balancer_figures(which)
                          : Result<cloud::BalancerFigures>(tl::unexpected(cloud.error()));
  const auto now = clock_.now();
  const auto now_ms = unix_ms(clock_.wall_now());
  lock.lock();
  take(which, now, now_ms, told);
}

// Under the lock. A figure that is not told keeps what it was.
void BalancerWatch::take(const std::set<cloud::BalancerFigure>& asked, MonotonicTime now,
                         std::int64_t now_ms, const Result<cloud::BalancerFigures>& told) {
  for (const auto figure : asked) {
    const auto wanted = readings_.find(figure);
    if (wanted == readings_.end()) continue;
    BalancerReading& reading = wanted->second;
    if (!told) {
      reading.trouble = told.error().message;
      continue;
    }
    const auto found = told->find(figure);
    const cloud::Measured one = found == told->end() ? cloud::Measured{} : found->second;
    reading.trouble = one.trouble;
    if (!one.value) continue;
    reading.value = one.value;
    reading.whole = one.whole;
    // A clock that is behind the cloud's makes nothing younger than new.
    reading.at = now - Milliseconds(std::max<std::int64_t>(0, now_ms - one.until_unix_ms));
  }
}

void BalancerWatch::start() {
  thread_ = std::thread([this] { work(); });
}

void BalancerWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void BalancerWatch::work() {
  while (true) {
    look();
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, kBalancerTurn, [this] { return stopping_; })) return;
  }
}

}  // namespace hive::controller
