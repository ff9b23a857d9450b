// Figures of the applications' own, as signals for autoscaling: scraped from each task of a service
// (Prometheus' text), or asked of a Prometheus server.
//
// Whoever wants figures says of which tasks and servers (ask()); they are fetched every `every` on
// threads of their own, each fetch with a deadline and a bound, so that what hangs costs its own
// figure alone. A source that failed is asked less often for a while. What was read keeps its time,
// and whoever reads it decides whether that is too old.
//
// ask() and read() may be called from any thread, and never block.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace hive::controller {

// One fetch. Its key is all of it.
struct MetricSource {
  std::string base_url;  // "http://10.77.3.12:32768"
  std::string path;      // with its query
  // Of a text exposition; empty: the answer of a query.
  std::string metric;
  std::map<std::string, std::string> labels;
  auto operator<=>(const MetricSource&) const = default;
};

struct MetricReading {
  std::optional<double> value;  // the last that was read
  MonotonicTime at{};           // when it was asked for
  std::string trouble;          // of the last fetch
};

class MetricWatch {
 public:
  struct Options {
    Milliseconds every{2'000};
    Milliseconds deadline{1'500};  // of a fetch
    Milliseconds pause{10'000};    // before a source that failed is asked again
    std::size_t threads = 8;
    std::size_t max_bytes = 4U << 20;
    std::size_t max_sources = 2'000;  // those beyond are left out
  };
  explicit MetricWatch(const Clock& clock) : MetricWatch(clock, Options{}) {}
  MetricWatch(const Clock& clock, Options options) : clock_(clock), options_(options) {}
  ~MetricWatch() { stop(); }

  // All that is wanted; replaces what was.
  void ask(const std::vector<MetricSource>& sources);
  MetricReading read(const MetricSource& source) const;

  void start();
  void stop();  // idempotent
  // Fetches what is due, on this thread: for tests.
  void look();

 private:
  struct Entry {
    MetricReading reading;
    MonotonicTime due{};
    bool busy = false;
  };
  std::optional<MetricSource> next();
  void fetch(const MetricSource& source);
  void work();

  const Clock& clock_;
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::map<MetricSource, Entry> entries_;
  std::vector<std::thread> threads_;
};

}  // namespace hive::controller
