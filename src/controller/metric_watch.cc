#include "controller/metric_watch.h"

#include <set>

#include "controller/prometheus_text.h"
#include "net/http_client.h"

namespace hive::controller {
namespace {

constexpr Milliseconds kTurn{200};

}  // namespace

void MetricWatch::ask(const std::vector<MetricSource>& sources) {
  const std::lock_guard lock(mutex_);
  std::set<MetricSource> wanted;
  for (const auto& source : sources)
    if (wanted.size() < options_.max_sources) wanted.insert(source);
  for (const auto& source : wanted) entries_.try_emplace(source);
  std::erase_if(entries_, [&](const auto& entry) {
    return !entry.second.busy && !wanted.contains(entry.first);
  });
}

MetricReading MetricWatch::read(const MetricSource& source) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(source);
  return found == entries_.end() ? MetricReading{} : found->second.reading;
}

// The one that waits for the longest, marked as being fetched.
std::optional<MetricSource> MetricWatch::next() {
  const std::lock_guard lock(mutex_);
  std::pair<const MetricSource, Entry>* best = nullptr;
  for (auto& entry : entries_)
    if (!entry.second.busy && entry.second.due <= clock_.now() &&
        (best == nullptr || entry.second.due < best->second.due))
      best = &entry;
  if (best == nullptr) return std::nullopt;
  best->second.busy = true;
  return best->first;
}

void MetricWatch::fetch(const MetricSource& source) {
  const auto begun = clock_.now();
  net::HttpClient client({.base_url = source.base_url});
  net::Request request;
  request.path = source.path;
  request.deadline = options_.deadline;
  request.max_response_bytes = options_.max_bytes;
  const auto answer = client.send(request);
  Result<double> value = fail(Errc::kUnavailable, "");
  if (!answer)
    value = tl::unexpected(answer.error());
  else if (answer->status != 200 && !source.metric.empty())
    value = fail(Errc::kUnavailable, "HTTP status " + std::to_string(answer->status));
  else
    value = source.metric.empty() ? metric_in_answer(answer->body)
                                  : metric_in_text(answer->body, source.metric, source.labels);
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(source);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.busy = false;
  entry.due = begun + (value ? options_.every : options_.pause);
  entry.reading.trouble = value ? "" : source.base_url + ": " + value.error().message;
  if (!value) return;
  entry.reading.value = *value;
  entry.reading.at = begun;
}

void MetricWatch::look() {
  while (const auto source = next()) fetch(*source);
}

void MetricWatch::start() {
  for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
}

void MetricWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void MetricWatch::work() {
  while (true) {
    if (const auto source = next()) {
      fetch(*source);
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      continue;
    }
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, kTurn, [this] { return stopping_; })) return;
  }
}

}  // namespace hive::controller
