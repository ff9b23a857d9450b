#include "controller/metric_watch.h"

#include <set>
#include <utility>

#include "net/http_client.h"

namespace hive::controller {
namespace {

constexpr Milliseconds kMetricTurn{200};
constexpr Milliseconds kOldest{24 * 3'600'000LL};

// A text's own time may be anything; one ahead of our clock is now.
Milliseconds age_of(std::int64_t then_ms, std::int64_t now_ms) {
  if (then_ms >= now_ms) return Milliseconds(0);
  if (then_ms < now_ms - kOldest.count()) return kOldest;
  return Milliseconds(now_ms - then_ms);
}

// What was asked for, before what went wrong.
std::string asked_for(const MetricSource& source) {
  return "GET " + source.base_url + source.path.substr(0, source.path.find('?')) + ": ";
}

bool is_query(const MetricSource& source) { return source.metric.empty(); }

Result<Figure> figure_in(const net::Response& answer, const MetricSource& source) {
  // A server that refuses a query says why in its answer.
  if (answer.status != 200 && !is_query(source))
    return fail(Errc::kUnavailable,
                asked_for(source) + "HTTP status " + std::to_string(answer.status));
  Result<Figure> out;
  if (is_query(source)) {
    out = figure_in_answer(answer.body).map([](double value) {
      return Figure{.value = value, .counter = false, .unix_ms = {}};
    });
  } else {
    const auto type = answer.headers.find("content-type");
    out = figure_in_text(answer.body, text_format(type == answer.headers.end() ? "" : type->second),
                         source.metric, source.labels);
  }
  if (!out) out.error().message = asked_for(source) + out.error().message;
  return out;
}

}  // namespace

void MetricWatch::ask(const std::vector<MetricSource>& sources) {
  const std::lock_guard lock(mutex_);
  std::set<MetricSource> wanted;
  for (const auto& source : sources)
    if (wanted.size() < options_.max_sources) wanted.insert(source);
  for (const auto& source : wanted) entries_.try_emplace(source);
  for (auto& [source, entry] : entries_) entry.wanted = wanted.contains(source);
  std::erase_if(entries_,
                [](const auto& entry) { return !entry.second.busy && !entry.second.wanted; });
}

MetricReading MetricWatch::read(const MetricSource& source) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(source);
  return found == entries_.end() ? MetricReading{} : found->second.reading;
}

// The page that waits for the longest, its figures marked as being fetched. Empty: none is due.
MetricWatch::Page MetricWatch::next() {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.now();
  const std::pair<const MetricSource, Entry>* best = nullptr;
  for (const auto& entry : entries_)
    if (!entry.second.busy && entry.second.due <= now &&
        (best == nullptr || entry.second.due < best->second.due))
      best = &entry;
  Page page;
  if (best == nullptr) return page;
  const MetricSource url{best->first.base_url, best->first.path, "", {}};
  for (auto at = entries_.lower_bound(url);
       at != entries_.end() && at->first.base_url == url.base_url && at->first.path == url.path;
       ++at) {
    if (at->second.busy) continue;
    at->second.busy = true;
    page.push_back(at->first);
  }
  return page;
}

void MetricWatch::fetch(const Page& page) {
  const auto begun = clock_.now();
  net::HttpClient client({.base_url = page.front().base_url, .unix_socket = "", .tls = {}});
  net::Request request;
  request.path = page.front().path;
  request.deadline = options_.deadline;
  request.max_response_bytes = options_.max_bytes;
  if (!is_query(page.front())) request.headers.emplace("accept", "text/plain;version=0.0.4");
  const auto answer = client.send(request);
  for (const auto& source : page)
    take(source, begun, answer ? figure_in(*answer, source) : tl::unexpected(answer.error()));
}

void MetricWatch::take(const MetricSource& source, MonotonicTime begun,
                       const Result<Figure>& figure) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(source);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (!entry.wanted) {
    entries_.erase(found);
    return;
  }
  entry.busy = false;
  entry.failures = figure ? 0 : entry.failures + 1;
  entry.due = begun + (entry.failures < options_.patience ? options_.every : options_.pause);
  const auto value = figure ? value_of(entry, begun, *figure) : tl::unexpected(figure.error());
  entry.reading.trouble = value ? "" : (figure ? asked_for(source) : "") + value.error().message;
  if (!value) return;
  entry.reading.value = *value;
  entry.reading.at = begun;
  if (figure->unix_ms) entry.reading.at -= age_of(*figure->unix_ms, unix_ms(clock_.wall_now()));
}

// Under the lock.
Result<double> MetricWatch::value_of(Entry& entry, MonotonicTime begun,
                                     const Figure& figure) const {
  if (!figure.counter) return figure.value;
  const auto before = std::exchange(entry.count, Count{figure.value, begun});
  const double seconds = before ? std::chrono::duration<double>(begun - before->at).count() : 0;
  if (!(seconds > 0) || begun - before->at > options_.longest_rate)
    return fail(Errc::kUnavailable, "it is a counter, whose rate is known at the second reading");
  if (figure.value < before->value)
    return fail(Errc::kUnavailable,
                "its counter began anew: its rate is known at the next reading");
  return (figure.value - before->value) / seconds;
}

void MetricWatch::look() {
  for (auto page = next(); !page.empty(); page = next()) fetch(page);
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
    const auto page = next();
    if (!page.empty()) fetch(page);
    std::unique_lock lock(mutex_);
    const auto turn = page.empty() ? kMetricTurn : Milliseconds(0);
    if (wake_.wait_for(lock, turn, [this] { return stopping_; })) return;
  }
}

}  // namespace hive::controller
