// Figures of the applications' own, as signals for autoscaling: scraped from each task of a service
// (Prometheus' text), or asked of a Prometheus server.
//
// Whoever wants figures says of which tasks and servers (ask()); they are fetched every `every` on
// threads of their own, each fetch with a deadline and a bound, so that what hangs costs its own
// figures alone. One fetch serves all figures of a page. A source that failed several times in a
// row is asked less often. What was read keeps its time, and whoever reads it decides whether that
// is too old.
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
#include "controller/prometheus_text.h"

namespace hive::controller {

// One figure. Its key is all of it; those that agree in the first two come by one fetch.
struct MetricSource {
  std::string base_url;  // "http://10.77.3.12:32768"
  std::string path;      // with its query
  // Of a text exposition; empty: the answer of a query.
  std::string metric;
  std::map<std::string, std::string> labels;
  auto operator<=>(const MetricSource&) const = default;
};

struct MetricReading {
  std::optional<double> value;  // the last that was read; of a counter, its increase a second
  MonotonicTime at{};           // when it was asked for, or was so by the text's own times
  std::string trouble;          // of the last fetch
};

class MetricWatch {
 public:
  struct Options {
    Milliseconds every{2'000};
    Milliseconds deadline{1'500};  // of a fetch
    int patience = 3;              // failures in a row, before
    Milliseconds pause{10'000};    // is waited until it is asked again
    std::size_t threads = 8;
    std::size_t max_bytes = 4U << 20;
    std::size_t max_sources = 2'000;    // those beyond are left out
    Milliseconds longest_rate{60'000};  // two readings of a counter further apart tell nothing
  };
  explicit MetricWatch(const Clock& clock) : MetricWatch(clock, Options{}) {}
  MetricWatch(const Clock& clock, Options options) : clock_(clock), options_(options) {}
  ~MetricWatch() { stop(); }

  // All that is wanted; replaces what was.
  void ask(const std::vector<MetricSource>& sources);
  MetricReading read(const MetricSource& source) const;

  void start();
  void stop();  // for good; idempotent
  // Fetches what is due, on this thread: for tests.
  void look();

 private:
  struct Count {
    double value = 0;
    MonotonicTime at{};
  };
  struct Entry {
    MetricReading reading;
    std::optional<Count> count;  // the last of a counter
    MonotonicTime due{};
    int failures = 0;
    bool busy = false;   // being fetched
    bool wanted = true;  // or it goes once it was
  };
  using Page = std::vector<MetricSource>;  // of one URL
  Page next();
  void fetch(const Page& page);
  void take(const MetricSource& source, MonotonicTime begun, const Result<Figure>& figure);
  Result<double> value_of(Entry& entry, MonotonicTime begun, const Figure& figure) const;
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
