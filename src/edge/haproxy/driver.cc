#include "edge/haproxy/driver.h"

#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "edge/haproxy/backend_stats.h"
#include "edge/haproxy/listeners.h"
#include "edge/haproxy/prober.h"
#include "edge/haproxy/runtime.h"
#include "edge/haproxy/slot_mean.h"
#include "os/file.h"
#include "os/process.h"

namespace hive::edge::haproxy {
namespace {

using model::Backend;
using model::Endpoint;
using model::EndpointStats;
using model::RoutingTable;

constexpr Milliseconds kStartDeadline{8'000};
constexpr Milliseconds kDrainTrust{
    30'000};  // after it, a table that still admits the task is right

struct Process {
  pid_t pid = 0;
  unsigned long long start_time = 0;
  bool alive() const { return pid > 0 && os::alive(pid, start_time); }
};

struct Wanted {
  std::vector<Slot> slots;
  std::vector<std::string> tasks;  // slots[i] is tasks[i]; none where only one slot is
  bool only_one = false;           // own_name()'s
};
enum class Pool { kLocal, kAll, kCanary };
// By HAProxy's backend. Computed once for an apply: probes answer while it is at work.
using Wish = std::map<std::string, Wanted>;

class HaproxyEdge final : public Edge {
 public:
  HaproxyEdge(HaproxyOptions options, const Clock& clock)
      : options_(std::move(options)),
        clock_(clock),
        listeners_(options_.work_dir, options_.program),
        prober_(options_.on_ready ? options_.on_ready : [] {}) {
    config_.stats_socket = path("haproxy.sock");
    config_.successor_socket = path("next");
    config_.regulars_socket = path("regulars");
    config_.health_port = options_.health_port;
    adopt();
  }

  Status apply(const RoutingTable& table) override {
    table_ = table;
    have_table_ = true;
    faults_ = drop_faults(table_, config_);
    for (std::string& fault : listeners_.keep_servable(table_, held()))
      faults_.push_back(std::move(fault));
    return converge();
  }

  std::vector<std::string> faults() const override { return faults_; }

  Status drain(const std::string& task_id) override {
    drained_[task_id] = clock_.now();
    return have_table_ ? converge() : Status{};
  }

  Status readmit(const std::string& task_id) override {
    if (drained_.erase(task_id) == 0) return {};
    return have_table_ ? converge() : Status{};
  }

  Status set_leaving(bool leaving) override {
    config_.leaving = leaving;
    if (!process_.alive()) return keep_alive();
    return run(
        {fmt::format("set server {}/up state {}", kHealthBackend, leaving ? "maint" : "ready")});
  }

  Status keep_alive() override {
    reap();
    if (process_.alive() || !have_table_) return {};
    log::warn("edge", "HAProxy (pid {}) has ended; starting it again", process_.pid);
    return converge();
  }

  std::vector<std::string> not_ready() const override { return not_ready_; }

  Result<model::EdgeStats> stats() override;

  Status shutdown() override {
    if (process_.alive()) ::kill(process_.pid, SIGTERM);
    const MonotonicTime until = clock_.now() + options_.deadline;
    while (process_.alive() && clock_.now() < until) {
      reap();
      std::this_thread::sleep_for(Milliseconds(10));
    }
    if (process_.alive()) ::kill(process_.pid, SIGKILL);
    reap();
    process_ = {};
    return {};
  }

 private:
  std::string path(const char* name) const { return options_.work_dir + "/" + name; }
  void adopt();
  std::set<std::uint16_t> held() const;
  void reap();
  Status converge();
  Status start(const SlotMap& slots, const std::string& structure);
  Status wait_until_serving(const Process& fresh);
  Result<std::string> ask_own(const std::string& line);
  Status run(const std::vector<std::string>& commands);
  Result<SlotMap> read_slots();
  Status adjust(SlotMap actual, const Wish& wish);
  Status set_bounds(const SlotMap& slots);
  Wish wanted(const SlotMap& actual);
  bool admissible(const Backend& backend, const Endpoint& endpoint, const SlotMap& actual,
                  std::vector<ProbeTarget>& probes);
  bool drained(const Endpoint& endpoint);
  Wanted wanted_of(const Backend& backend, Pool pool, const std::set<std::string>& ready);
  std::string structure(const SlotMap& slots) const;

  HaproxyOptions options_;
  const Clock& clock_;
  ConfigOptions config_;
  Listeners listeners_;
  RoutingTable table_;  // without what cannot be served
  bool have_table_ = false;
  std::vector<std::string> faults_;  // of the table as it was given
  Process process_;
  std::vector<pid_t> children_;  // replaced ones too, until reaped
  std::string structure_;        // what the running process was started with
  std::map<std::string, MonotonicTime> drained_;
  std::vector<std::string> not_ready_;
  std::map<std::string, std::size_t> slot_counts_;
  // What the running process was last told of a backend; nothing of one that was adopted.
  std::map<std::string, std::uint32_t> bounds_;
  std::map<std::string, std::string> task_of_slot_;  // "backend/s1" -> task
  std::map<std::string, ServerRow> last_rows_;
  TaskMeans means_;
  std::map<std::string, EndpointStats> totals_;  // by task
  Prober prober_;                                // last: its threads end first
};

// Who answers at this edge's own socket is its own HAProxy. Where the agent before this one ended
// in the middle of a start, nobody wrote down which: it is replaced with the next table, since
// beside a second one it would go on taking requests by an old table.
void HaproxyEdge::adopt() {
  const auto info = ask(config_.stats_socket, "show info", options_.deadline);
  if (!info) return;
  const auto pid = parse_pid(*info);
  if (!pid) return;
  const auto born = os::start_time(*pid);
  if (!born) return;
  process_ = {*pid, *born};
  const auto state = os::read_file(path("haproxy.pid"), 4096);
  if (state && trim(*state) == fmt::format("{} {}", *pid, *born))
    structure_ = os::read_file(path("structure.cfg")).value_or("");
  if (auto slots = read_slots())
    for (const auto& [name, list] : *slots) slot_counts_[name] = list.size();
  log::info("edge", "adopted the running HAProxy, pid {}", *pid);
}

// The ports that the running process listens at, as far as is known.
std::set<std::uint16_t> HaproxyEdge::held() const {
  if (!process_.alive()) return {};
  if (!structure_.empty()) return listener_ports(structure_);
  return listener_ports(os::read_file(path("haproxy.cfg")).value_or(""));
}

void HaproxyEdge::reap() {
  std::erase_if(children_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
}

bool HaproxyEdge::drained(const Endpoint& endpoint) {
  const auto found = drained_.find(endpoint.task_id);
  if (found == drained_.end()) return false;
  if (clock_.now() - found->second < kDrainTrust) return true;
  drained_.erase(found);
  return false;
}

// What HAProxy serves already needs no probe: its own checks watch it.
bool HaproxyEdge::admissible(const Backend& backend, const Endpoint& endpoint,
                             const SlotMap& actual, std::vector<ProbeTarget>& probes) {
  if (drained(endpoint)) return false;
  const auto slots = actual.find(all_name(backend.name));
  if (slots != actual.end())
    for (const Slot& slot : slots->second)
      if (slot.state != SlotState::kMaint && slot.address == endpoint.address &&
          slot.port == endpoint.port)
        return true;
  if (!endpoint.admit) return true;  // it comes as draining: sticky requests only
  const ProbeTarget target{endpoint.address, endpoint.port,
                           backend.mode == "http" ? backend.probe_path : "",
                           backend.proxy_protocol};
  probes.push_back(target);
  if (prober_.ready(target)) return true;
  not_ready_.push_back(endpoint.task_id);
  return false;
}

// Which of the backend's HAProxy backends: their servers differ.
bool belongs(const Endpoint& endpoint, Pool pool, bool own) {
  switch (pool) {
    case Pool::kLocal:
      return own && !endpoint.canary;
    case Pool::kAll:
      return true;
    case Pool::kCanary:
      return endpoint.canary;
  }
  return false;
}

Wanted HaproxyEdge::wanted_of(const Backend& backend, Pool pool,
                              const std::set<std::string>& ready) {
  const bool regulars = std::any_of(
      backend.endpoints.begin(), backend.endpoints.end(), [&](const Endpoint& endpoint) {
        return endpoint.admit && !endpoint.canary && ready.contains(endpoint.task_id);
      });
  Wanted wanted;
  std::set<std::pair<std::string, std::uint16_t>> seen;
  for (const bool admitted : {true, false})
    for (const Endpoint& endpoint : backend.endpoints) {
      const bool own = endpoint.node_id == options_.node_id;
      if (endpoint.admit != admitted || !ready.contains(endpoint.task_id)) continue;
      if (!belongs(endpoint, pool, own) || !seen.insert({endpoint.address, endpoint.port}).second)
        continue;
      // Among all, own tasks that have a bound among the local ones get nothing beyond it, and a
      // canary gets sticky requests alone: its share comes another way.
      const bool nothing_new =
          pool == Pool::kAll && (endpoint.canary ? regulars
                                                 : own && backend.max_connections_per_task > 0 &&
                                                       asks_own_first(backend));
      wanted.slots.push_back({endpoint.address, endpoint.port,
                              endpoint.admit ? SlotState::kReady : SlotState::kDrain,
                              nothing_new ? 0 : 100, false});
      wanted.tasks.push_back(endpoint.task_id);
    }
  return wanted;
}

Wish HaproxyEdge::wanted(const SlotMap& actual) {
  not_ready_.clear();
  std::vector<ProbeTarget> probes;
  Wish result;
  for (const Backend& backend : table_.backends) {
    std::set<std::string> ready;
    for (const Endpoint& endpoint : backend.endpoints)
      if (admissible(backend, endpoint, actual, probes)) ready.insert(endpoint.task_id);
    const Wanted& local = result[local_name(backend.name)] =
        wanted_of(backend, Pool::kLocal, ready);
    Wanted& own = result[own_name(backend.name)];
    own.only_one = true;
    if (std::any_of(local.slots.begin(), local.slots.end(),
                    [](const Slot& slot) { return slot.state == SlotState::kReady; }))
      own.slots.push_back({.state = SlotState::kReady});
    result[all_name(backend.name)] = wanted_of(backend, Pool::kAll, ready);
    if (backend.canary_percent > 0)
      result[canary_name(backend.name)] = wanted_of(backend, Pool::kCanary, ready);
  }
  prober_.watch(probes);
  return result;
}

// What is changed without a reload is not in it: slots, how high a bound is, and leaving.
std::string HaproxyEdge::structure(const SlotMap& slots) const {
  SlotMap blank;
  for (const auto& [name, list] : slots) blank[name] = std::vector<Slot>(list.size());
  ConfigOptions options = config_;
  options.leaving = false;
  RoutingTable table = table_;
  for (Backend& backend : table.backends)
    if (backend.max_connections_per_task > 0) backend.max_connections_per_task = 1;
  return render_config(table, options, blank);
}

Status HaproxyEdge::converge() {
  reap();
  SlotMap actual;
  if (process_.alive()) {
    HIVE_ASSIGN(actual, read_slots());
  }
  const bool running = process_.alive();
  SlotMap next;
  const Wish wish = wanted(actual);
  for (const auto& [name, want] : wish) {
    std::size_t& count = slot_counts_[name];
    count = want.only_one ? 1 : std::max({count, kMinSlots, slots_needed(want.slots.size())});
    auto found = actual.find(name);
    next[name] = found == actual.end() ? std::vector<Slot>() : found->second;
    next[name].resize(count);
  }
  const std::string text = structure(next);
  if (running && text == structure_) {
    HIVE_TRY(set_bounds(actual));
    return adjust(std::move(actual), wish);
  }
  for (const auto& [name, want] : wish) {
    auto& slots = next[name];
    for (const SlotChange& change : plan_slots(slots, want.slots).changes)
      slots[change.index] = change.to;
  }
  HIVE_TRY(start(next, text));
  HIVE_ASSIGN(actual, read_slots());
  return adjust(std::move(actual), wish);
}

Status HaproxyEdge::set_bounds(const SlotMap& slots) {
  for (const Backend& backend : table_.backends) {
    const auto told = bounds_.find(backend.name);
    const std::uint32_t bound = backend.max_connections_per_task;
    if (bound == 0 || (told != bounds_.end() && told->second == bound)) continue;
    std::vector<std::string> commands;
    for (const std::string& name : names_of(backend)) {
      const auto found = slots.find(name);
      if (found == slots.end()) continue;
      for (std::size_t i = 0; i < found->second.size(); ++i)
        commands.push_back(fmt::format("set maxconn server {}/s{} {}", name, i + 1, bound));
    }
    HIVE_TRY(run(commands));
    bounds_[backend.name] = bound;
  }
  return {};
}

Status HaproxyEdge::adjust(SlotMap actual, const Wish& wish) {
  std::set<std::string> busy;
  for (const auto& [name, row] : last_rows_)
    if (row.current > 0) busy.insert(name);
  std::vector<std::string> commands;
  task_of_slot_.clear();
  for (const auto& [name, want] : wish) {
    auto& slots = actual[name];
    for (std::size_t i = 0; i < slots.size(); ++i)
      slots[i].busy = busy.contains(fmt::format("{}/s{}", name, i + 1));
    const SlotPlan plan = plan_slots(slots, want.slots);
    for (std::size_t i = 0; i < plan.placed.size(); ++i)
      if (plan.placed[i] < slots.size() && i < want.tasks.size())
        task_of_slot_[fmt::format("{}/s{}", name, plan.placed[i] + 1)] = want.tasks[i];
    for (const SlotChange& change : plan.changes) {
      const std::string server = fmt::format("{}/s{}", name, change.index + 1);
      for (std::string& command : commands_for(server, slots[change.index], change.to))
        commands.push_back(std::move(command));
    }
  }
  if (commands.empty()) return {};
  HIVE_TRY(run(commands));
  // What HAProxy says to a command is for people; what it then has is the truth.
  HIVE_ASSIGN(const SlotMap after, read_slots());
  for (const auto& [name, want] : wish) {
    const auto found = after.find(name);
    if (found == after.end() || !plan_slots(found->second, want.slots).changes.empty())
      return fail(Errc::kUnavailable, "HAProxy did not take all changes to " + name);
  }
  return {};
}

// A process that is being replaced shares its socket with the new one for a moment and may take a
// connection yet: only what the process that serves now has answered counts. Commands can be given
// twice.
Result<std::string> HaproxyEdge::ask_own(const std::string& line) {
  constexpr std::string_view kEnd = "\n\n";  // of each answer
  const MonotonicTime until = clock_.now() + options_.deadline;
  while (true) {
    HIVE_ASSIGN(std::string answer,
                ask(config_.stats_socket, "show info;" + line, options_.deadline));
    const auto end = answer.find(kEnd);
    const auto pid = parse_pid(answer.substr(0, end));
    if (pid && *pid == process_.pid && end != std::string::npos)
      return answer.substr(end + kEnd.size());
    if (clock_.now() >= until)
      return fail(Errc::kUnavailable, "HAProxy's socket is another process's");
    std::this_thread::sleep_for(Milliseconds(5));
  }
}

Status HaproxyEdge::run(const std::vector<std::string>& commands) {
  for (const std::string& line : batch_commands(commands)) {
    HIVE_ASSIGN(const std::string answer, ask_own(line));
    if (answer.find("No such") != std::string::npos ||
        answer.find("Unknown command") != std::string::npos)
      return fail(Errc::kUnavailable, "HAProxy refused: " + std::string(trim(answer)));
  }
  return {};
}

Result<SlotMap> HaproxyEdge::read_slots() {
  HIVE_ASSIGN(const std::string text, ask_own("show servers state"));
  return parse_servers_state(text);
}

Status HaproxyEdge::start(const SlotMap& slots, const std::string& structure) {
  HIVE_TRY(os::make_directories(options_.work_dir, 0700));
  HIVE_TRY(
      os::write_file_atomically(path("next.cfg"), render_config(table_, config_, slots), 0600));
  if (auto checked = os::run_ok({options_.program, "-c", "-q", "-f", path("next.cfg")}); !checked)
    return annotate(checked.error(), "HAProxy does not accept the configuration");
  std::error_code ignored;
  std::filesystem::rename(path("next.cfg"), path("haproxy.cfg"), ignored);
  std::vector<std::string> argv{options_.program, "-db", "-f", path("haproxy.cfg")};
  if (process_.alive()) {
    // The old process hands over its listening sockets and ends when its requests have.
    argv.insert(argv.end(), {"-x", config_.stats_socket, "-sf", std::to_string(process_.pid)});
  }
  HIVE_ASSIGN(const pid_t pid, os::spawn(argv, {.log_path = path("haproxy.log")}));
  children_.push_back(pid);
  HIVE_ASSIGN(const auto born, os::start_time(pid));
  const Process fresh{pid, born};
  HIVE_TRY(wait_until_serving(fresh));
  process_ = fresh;
  structure_ = structure;
  bounds_.clear();
  for (const Backend& backend : table_.backends)
    bounds_[backend.name] = backend.max_connections_per_task;
  last_rows_.clear();
  means_.forget();
  HIVE_TRY(os::write_file_atomically(path("structure.cfg"), structure, 0600));
  HIVE_TRY(os::write_file_atomically(path("haproxy.pid"), fmt::format("{} {}\n", pid, born), 0600));
  log::info("edge", "HAProxy started, pid {}", pid);
  return {};
}

Status HaproxyEdge::wait_until_serving(const Process& fresh) {
  const MonotonicTime until = clock_.now() + kStartDeadline;
  while (clock_.now() < until) {
    reap();
    if (!fresh.alive()) {
      std::string last = os::read_file(path("haproxy.log")).value_or("");
      if (last.size() > 600) last.erase(0, last.size() - 600);
      return fail(Errc::kFailedPrecondition, "HAProxy ended at once: " + std::string(trim(last)));
    }
    if (const auto info = ask(config_.stats_socket, "show info", options_.deadline)) {
      if (const auto pid = parse_pid(*info); pid && *pid == fresh.pid) return {};
    }
    std::this_thread::sleep_for(Milliseconds(10));
  }
  ::kill(fresh.pid, SIGKILL);
  return fail(Errc::kDeadlineExceeded, "HAProxy did not begin to serve in time");
}

Result<model::EdgeStats> HaproxyEdge::stats() {
  HIVE_ASSIGN(const std::string csv, ask_own("show stat -1 6 -1"));  // backends, and servers
  HIVE_ASSIGN(const std::vector<ServerRow> rows, parse_stat(csv));
  std::map<std::string, EndpointStats> totals;
  for (const auto& [slot, task] : task_of_slot_) {
    EndpointStats& stats = totals[task];
    if (const auto old = totals_.find(task); old != totals_.end()) stats = old->second;
    stats.task_id = task;
    stats.in_flight = stats.queued = stats.response_time_ms = stats.rate = 0;
  }
  for (const ServerRow& row : rows) {
    const std::string slot = row.backend + "/" + row.server;
    const ServerRow last = std::exchange(last_rows_[slot], row);
    const auto task = task_of_slot_.find(slot);
    if (task == task_of_slot_.end()) continue;
    // Counters belong to slots and begin anew with a reload; tasks get what was added.
    const auto added = [](std::uint64_t before, std::uint64_t now) {
      return now >= before ? now - before : now;
    };
    EndpointStats& stats = totals[task->second];
    stats.requests_total += added(last.sessions, row.sessions);
    stats.errors_5xx_total += added(last.errors_5xx, row.errors_5xx);
    stats.connection_errors_total += added(last.connection_errors, row.connection_errors);
    stats.bytes_in_total += added(last.bytes_in, row.bytes_in);
    stats.bytes_out_total += added(last.bytes_out, row.bytes_out);
    stats.in_flight += row.current;
    stats.queued += row.queued;
    stats.rate += row.rate;
    means_.add(slot, task->second, last, row);
  }
  for (const auto& [task, mean] : means_.take()) totals[task].response_time_ms = mean;
  totals_ = totals;
  model::EdgeStats result{{}, backend_stats(table_, rows)};
  for (auto& [task, stats] : totals) result.endpoints.push_back(std::move(stats));
  return result;
}

Status check_version(const std::string& program) {
  HIVE_ASSIGN(const std::string text, os::run_ok({program, "-v"}));
  const auto at = text.find("version ");
  int major = 0;
  int minor = 0;
  if (at == std::string::npos ||
      std::sscanf(text.c_str() + at, "version %d.%d", &major, &minor) != 2)
    return fail(Errc::kUnsupported, program + " -v does not say which HAProxy it is");
  if (major < 2 || (major == 2 && minor < 4))
    return fail(Errc::kUnsupported,
                fmt::format("HAProxy {}.{} is too old: 2.4 or later is needed", major, minor));
  return {};
}

}  // namespace
}  // namespace hive::edge::haproxy

namespace hive::edge {

Result<std::unique_ptr<Edge>> make_haproxy_edge(const HaproxyOptions& options, const Clock& clock) {
  HaproxyOptions found = options;
  auto program = os::find_program(options.program);
  if (!program)
    return fail(Errc::kNotFound,
                "HAProxy is not installed (" + options.program + "): install the package haproxy");
  found.program = *program;
  HIVE_TRY(haproxy::check_version(found.program));
  HIVE_TRY(os::make_directories(found.work_dir, 0700));
  return std::make_unique<haproxy::HaproxyEdge>(found, clock);
}

}  // namespace hive::edge
