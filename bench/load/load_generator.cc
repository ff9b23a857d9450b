// Open-loop load on an HTTP service: requests begin when they are due, however long the answers
// take; none is tried again. Ends on SIGTERM or after --seconds, once what is in flight has ended.
//   load_generator --to 127.0.0.1:80 --rate 100 --seed 1 --out results.csv
// results.csv: id,kind,due_unix_us,latency_us,status,bytes,error (empty = as it should be). Latency
// runs from when the request was due. A summary as JSON goes to standard output.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <list>
#include <map>
#include <vector>

#include "base/json.h"
#include "load/exchange.h"

namespace hive::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

constexpr std::size_t kMaxInFlight = 12'000;
constexpr std::size_t kIdleKept = 32;

std::atomic<bool> g_stop{false};

struct Settings {
  std::string to = "127.0.0.1:80";
  std::string host = "localhost";
  std::string mix = "get:45,keepalive:30,post:15,slow:7,download:3";
  std::string out = "results.csv";
  std::string prefix = "r";
  double rate = 100;
  double seconds = 86'400;
  double timeout_s = 60;
  std::uint64_t seed = 1;
};

class Statistics {
 public:
  void add(microseconds latency, bool good) {
    ++requests_;
    failed_ += good ? 0U : 1U;
    // What failed has no latency of an answer.
    if (good) latencies_.push_back(latency.count());
  }
  Json json() {
    std::sort(latencies_.begin(), latencies_.end());
    return {{"requests", requests_},   {"failed", failed_},        {"p50_ms", quantile(0.5)},
            {"p90_ms", quantile(0.9)}, {"p99_ms", quantile(0.99)}, {"p999_ms", quantile(0.999)},
            {"max_ms", quantile(1)}};
  }

 private:
  double quantile(double q) const {
    if (latencies_.empty()) return 0;
    const auto rank = static_cast<std::size_t>(q * static_cast<double>(latencies_.size() - 1));
    return static_cast<double>(latencies_[rank]) / 1000;
  }
  std::uint64_t requests_ = 0;
  std::uint64_t failed_ = 0;
  std::vector<std::int64_t> latencies_;
};

class Load {
 public:
  Load(const Settings& settings, const sockaddr_in& to, Mix mix, std::FILE* out)
      : settings_(settings),
        to_(to),
        plan_(settings.seed, settings.rate, mix, settings.prefix),
        out_(out),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        begin_(Clock::now()),
        begin_unix_us_(std::chrono::duration_cast<microseconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count()) {}
  ~Load() { ::close(epoll_); }

  void run() {
    Planned next = plan_.next();
    while (more() || !busy_.empty()) {
      while (more() && next.due <= passed()) {
        start(std::move(next));
        next = plan_.next();
      }
      wait(more() ? next.due - passed() : microseconds(50'000));
      expire();
    }
  }

  Json summary() {
    Json out = all_.json();
    for (auto& [kind, statistics] : kinds_)
      out["kinds"][std::string(to_string(kind))] = statistics.json();
    out["late_starts"] = late_;
    return out;
  }

 private:
  using Exchanges = std::list<Exchange>;

  microseconds passed() const {
    return std::chrono::duration_cast<microseconds>(Clock::now() - begin_);
  }
  bool more() const {
    return !g_stop && passed() < microseconds(static_cast<std::int64_t>(settings_.seconds * 1e6));
  }

  void start(Planned request) {
    if (passed() - request.due > microseconds(10'000)) ++late_;
    if (busy_.size() >= kMaxInFlight) {
      record(request, {0, 0, "too many in flight: the load generator's own bound"});
      return;
    }
    if (request.kind == Kind::kKeepAlive) drop_stale();
    if (request.kind == Kind::kKeepAlive && !idle_.empty()) {
      busy_.splice(busy_.begin(), idle_, idle_.begin());
    } else {
      busy_.emplace_front(to_, settings_.host);
      epoll_event event{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = &*busy_.begin()}};
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, busy_.front().fd(), &event);
    }
    busy_.front().begin(std::move(request));
    step(busy_.begin());
  }

  // As any client does, one that the server has closed in between is not used again.
  void drop_stale() {
    std::erase_if(idle_, [](const Exchange& exchange) { return exchange.stale(); });
  }

  void step(Exchanges::iterator at) {
    const Planned request = at->request();
    const auto outcome = at->step();
    if (!outcome) return;
    record(request, *outcome);
    if (at->reusable() && idle_.size() < kIdleKept)
      idle_.splice(idle_.begin(), busy_, at);
    else
      busy_.erase(at);
  }

  void wait(microseconds time) {
    epoll_event events[256];
    const auto milliseconds = std::clamp<std::int64_t>((time.count() + 999) / 1000, 0, 50);
    const int count = ::epoll_wait(epoll_, events, 256, static_cast<int>(milliseconds));
    for (int i = 0; i < count; ++i) {
      const auto at = std::find_if(busy_.begin(), busy_.end(), [&](const Exchange& exchange) {
        return &exchange == events[i].data.ptr;
      });
      if (at != busy_.end()) step(at);
    }
  }

  void expire() {
    const auto limit = microseconds(static_cast<std::int64_t>(settings_.timeout_s * 1e6));
    for (auto at = busy_.begin(); at != busy_.end();) {
      const auto here = at++;
      if (passed() - here->request().due < limit) continue;
      record(here->request(), {0, 0, "no answer within the time"});
      busy_.erase(here);
    }
  }

  void record(const Planned& request, const Outcome& outcome) {
    const auto latency = passed() - request.due;
    std::string error = outcome.error;
    std::replace(error.begin(), error.end(), ',', ';');
    fmt::print(out_, "{},{},{},{},{},{},{}\n", request.id, to_string(request.kind),
               begin_unix_us_ + request.due.count(), latency.count(), outcome.status, outcome.bytes,
               error);
    if (!error.empty()) std::fflush(out_);
    all_.add(latency, error.empty());
    kinds_[request.kind].add(latency, error.empty());
  }

  const Settings& settings_;
  const sockaddr_in to_;
  Plan plan_;
  std::FILE* out_;
  int epoll_;
  Clock::time_point begin_;
  std::int64_t begin_unix_us_;
  Exchanges busy_;
  Exchanges idle_;
  Statistics all_;
  std::map<Kind, Statistics> kinds_;
  std::uint64_t late_ = 0;
};

Result<sockaddr_in> address_from(const std::string& text) {
  const auto colon = text.rfind(':');
  sockaddr_in out{};
  out.sin_family = AF_INET;
  if (colon == std::string::npos ||
      ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &out.sin_addr) != 1)
    return fail(Errc::kInvalidArgument, "write --to ADDRESS:PORT, not " + text);
  out.sin_port = htons(static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1)));
  return out;
}

Status generate(const Settings& settings) {
  HIVE_ASSIGN(const auto to, address_from(settings.to));
  HIVE_ASSIGN(const auto mix, parse_mix(settings.mix));
  if (settings.rate <= 0 || settings.rate > 100'000)
    return fail(Errc::kInvalidArgument, "--rate is requests a second, above 0, at most 100000");
  std::FILE* out = std::fopen(settings.out.c_str(), "w");
  if (out == nullptr) return fail(Errc::kPermissionDenied, "cannot write " + settings.out);
  Load load(settings, to, mix, out);
  load.run();
  std::fclose(out);
  fmt::print("{}\n", load.summary().dump(2));
  return {};
}

int run(int argc, char** argv) {
  Settings settings;
  CLI::App app("Open-loop load on an HTTP service.", "load_generator");
  app.add_option("--to", settings.to, "ADDRESS:PORT");
  app.add_option("--host", settings.host, "the Host header");
  app.add_option("--rate", settings.rate, "requests begun a second");
  app.add_option("--seconds", settings.seconds, "end then; SIGTERM ends too");
  app.add_option("--timeout", settings.timeout_s, "seconds until an answer counts as lost");
  app.add_option("--seed", settings.seed, "draws kinds, sizes and times");
  app.add_option("--mix", settings.mix, "shares of the kinds");
  app.add_option("--id-prefix", settings.prefix, "ids are PREFIX-NUMBER");
  app.add_option("--out", settings.out, "the results, a line a request");
  CLI11_PARSE(app, argc, argv);
  ::signal(SIGPIPE, SIG_IGN);
  for (const int number : {SIGTERM, SIGINT}) ::signal(number, [](int) { g_stop = true; });
  const auto done = generate(settings);
  if (done) return 0;
  fmt::print(stderr, "load_generator: {}\n", done.error().message);
  return 2;
}

}  // namespace
}  // namespace hive::bench

int main(int argc, char** argv) {
  try {
    return hive::bench::run(argc, argv);
  } catch (const std::exception& thrown) {  // of the declaration of its options
    std::fputs(thrown.what(), stderr);
    return 2;
  }
}
